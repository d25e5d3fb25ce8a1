"""A Python package is installed without a version.

What the build gets then depends on the day. A version, a constraints file or a requirements file
makes it the same every time.

Bad:

    FROM debian:12.5
    RUN pip install --no-cache-dir flask

Good:

    FROM debian:12.5
    RUN pip install --no-cache-dir flask==3.0.3

Source: hadolint DL3013.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.shell import Command, Word
from dockstrata_rules.packages.by_run import operands, places
from dockstrata_rules.packages.pip import VALUED, installs

_ANYTHING = frozenset({"-r", "--requirement", "-c", "--constraint"})


@rule(code="DL3013", name="unpinned-pip", severity=Severity.WARNING)
def unpinned_pip(context: Context) -> Iterator[Finding]:
    for _item, shell in context.shells("pip"):
        loose = [
            (command, words)
            for command in shell.script.commands
            if (words := _loose(_wanted(command)))
        ]
        if loose:
            yield context.finding(
                shell.instruction,
                "Pin versions in pip. Instead of `pip install <package>`"
                " use `pip install <package>==<version>` or"
                " `pip install --requirement <requirements file>`",
                related=places(context, shell, loose, "no version"),
            )


def _loose(words: Iterable[Word]) -> list[Word]:
    return [word for word in words if not _pinned(word.value)]


def _pinned(package: str) -> bool:
    if package.startswith("git+") or "://git@" in package:
        return "@" in package.rsplit("/", 1)[-1]
    if any(sign in package for sign in ("==", ">", "<", "~=", "!=", "@")):
        return True
    # A path, an address or a file.
    return (
        "/" in package or package.startswith(".") or package.endswith((".whl", ".tar.gz", ".zip"))
    )


def _wanted(command: Command) -> list[Word]:
    words = installs(command)
    if any(word.value.partition("=")[0] in _ANYTHING for word in words):
        return []
    return operands(words, VALUED)
