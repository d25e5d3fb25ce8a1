"""A Go program is installed without a version.

What the build gets then depends on the day. A version makes a change of the package visible in the
Dockerfile.

Bad:

    FROM golang:1.22
    RUN go install example.com/tool

Good:

    FROM golang:1.22
    RUN go install example.com/tool@v1.2.3

Source: hadolint DL3062.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.shell import Command, Word
from dockstrata_rules.packages.by_run import by_run, operands, places

_OWN = frozenset({"all", "cmd", "std", "tool"})
_VALUED = frozenset(
    {"-ldflags", "-tags", "-gcflags", "-asmflags", "-o", "-p", "-mod", "-C", "-exec", "-overlay"}
)


@rule(code="DL3062", name="unpinned-go", severity=Severity.WARNING)
def unpinned_go(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "go"):
        found = [(command, words) for command in commands if (words := _loose(command))]
        if found:
            yield context.finding(
                shell.instruction,
                "Pin versions in go. Instead of `go install <package>`"
                " use `go install <package>@<version>`",
                related=places(context, shell, found, "no version"),
            )


def _loose(command: Command) -> list[Word]:
    words = command.after("install") or command.after("get")
    wanted = operands(words, _VALUED)
    if command.values[:1] == ("run",):
        wanted = operands(command.words[2:], _VALUED)[:1]
    return [word for word in wanted if not _pinned(word.value)]


def _pinned(package: str) -> bool:
    # Files, directories, and the names that Go keeps for what is in the module itself.
    if package.startswith((".", "/")) or package.endswith(".go") or package in _OWN:
        return True
    return "@" in package and not package.endswith("@latest")
