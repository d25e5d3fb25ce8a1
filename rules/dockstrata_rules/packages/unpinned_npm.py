"""A package is installed by npm without a version.

What the build gets then depends on the day. A version makes a change of the package visible in the
Dockerfile.

Bad:

    FROM node:22.1
    RUN npm install -g typescript

Good:

    FROM node:22.1
    RUN npm install -g typescript@5.4.5

Source: hadolint DL3016.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.shell import Command, Word
from dockstrata_rules.packages.by_run import by_run, operands, places

_VALUED = frozenset(
    {"--registry", "--loglevel", "--prefix", "--cache", "--tag", "--userconfig", "-C", "-w"}
)


@rule(code="DL3016", name="unpinned-npm", severity=Severity.WARNING)
def unpinned_npm(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "npm"):
        found = [(command, words) for command in commands if (words := _loose(command))]
        if found:
            yield context.finding(
                shell.instruction,
                "Pin versions in npm. Instead of `npm install <package>`"
                " use `npm install <package>@<version>`",
                related=places(context, shell, found, "no version"),
            )


def _loose(command: Command) -> list[Word]:
    words = command.after("install") or command.after("i") or command.after("add")
    return [word for word in operands(words, _VALUED) if not _pinned(word.value)]


def _pinned(package: str) -> bool:
    if package.startswith((".", "/", "~")) or package.endswith((".tgz", ".tar.gz", ".tar")):
        return True
    if "://" in package or package.startswith(("github:", "gitlab:", "git@")):
        return "#" in package
    # The first character may be a scope's.
    return "@" in package[1:]
