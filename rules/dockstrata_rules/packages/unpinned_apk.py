"""An Alpine package is installed without a version.

What the build gets then depends on the day. `~` pins a version but for the build number, which
Alpine removes from its mirrors.

Bad:

    FROM debian:12.5
    RUN apk add --no-cache curl

Good:

    FROM debian:12.5
    RUN apk add --no-cache curl~=8.9

Source: hadolint DL3018.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.shell import Word
from dockstrata_rules.packages.by_run import by_run, operands, places

_VALUED = frozenset(
    {
        "-t",
        "--virtual",
        "-X",
        "--repository",
        "--repositories-file",
        "-p",
        "--root",
        "--keys-dir",
        "--arch",
        "--wait",
        "--timeout",
        "--cache-dir",
        "--cache-max-age",
    }
)


@rule(code="DL3018", name="unpinned-apk", severity=Severity.WARNING)
def unpinned_apk(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "apk"):
        loose = [
            (command, words)
            for command in commands
            if (words := _loose(operands(command.after("add"), _VALUED)))
        ]
        if loose:
            yield context.finding(
                shell.instruction,
                "Pin versions in apk add. Instead of `apk add <package>`"
                " use `apk add <package>=<version>`",
                related=places(context, shell, loose, "no version"),
            )


def _loose(words: Iterable[Word]) -> list[Word]:
    return [word for word in words if not _pinned(word.value)]


def _pinned(package: str) -> bool:
    return any(sign in package for sign in "=~<>") or package.endswith(".apk")
