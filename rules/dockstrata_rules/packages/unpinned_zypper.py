"""A package is installed by zypper without a version.

What the build gets then depends on the day. A version makes a change of the package visible in the
Dockerfile.

Bad:

    FROM opensuse/leap:15.6
    RUN zypper -n install curl

Good:

    FROM opensuse/leap:15.6
    RUN zypper -n install curl=8.6

Source: hadolint DL3037.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.shell import Command, Word
from dockstrata_rules.packages.by_run import by_run, operands, places

_VALUED = frozenset({"-r", "--repo", "-t", "--type", "--from", "-R", "--root"})


@rule(code="DL3037", name="unpinned-zypper", severity=Severity.WARNING)
def unpinned_zypper(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "zypper"):
        found = [(command, words) for command in commands if (words := _loose(command))]
        if found:
            yield context.finding(
                shell.instruction,
                "Specify version with `zypper install -y <package>=<version>`.",
                related=places(context, shell, found, "no version"),
            )


def _loose(command: Command) -> list[Word]:
    words = command.after("install") or command.after("in")
    return [word for word in operands(words, _VALUED) if not _pinned(word.value)]


def _pinned(package: str) -> bool:
    return any(sign in package for sign in "=<>/") or package.endswith(".rpm")
