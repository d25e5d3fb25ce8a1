"""A Debian package is installed without a version.

What the build gets then depends on the day, and a cached layer hides it. A version makes a change
of the package visible in the Dockerfile.

Bad:

    FROM debian:12.5
    RUN apt-get install -y curl

Good:

    FROM debian:12.5
    RUN apt-get install -y curl=7.88.1-10

Source: hadolint DL3008. Versions in variables, local files and `package/release` are pins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.shell import Word
from dockstrata_rules.packages.by_run import by_run, operands, places

_VALUED = frozenset(
    {
        "-t",
        "--target-release",
        "--default-release",
        "-o",
        "--option",
        "-c",
        "--config-file",
        "-a",
        "--host-architecture",
    }
)  # fmt: skip


@rule(code="DL3008", name="unpinned-apt", severity=Severity.WARNING)
def unpinned_apt(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "apt-get"):
        loose = [
            (command, words)
            for command in commands
            if (words := _loose(operands(command.after("install"), _VALUED)))
        ]
        if loose:
            yield context.finding(
                shell.instruction,
                "Pin versions in apt get install. Instead of `apt-get install <package>`"
                " use `apt-get install <package>=<version>`",
                related=places(context, shell, loose, "no version"),
            )


def _loose(words: Iterable[Word]) -> list[Word]:
    return [word for word in words if not _pinned(word.value)]


def _pinned(package: str) -> bool:
    # A path, a release after a slash, or a package file: all say what is meant.
    return "=" in package or "/" in package or package.endswith(".deb")
