"""A gem is installed without a version.

What the build gets then depends on the day. A version makes a change of the package visible in the
Dockerfile.

Bad:

    FROM ruby:3.3
    RUN gem install bundler

Good:

    FROM ruby:3.3
    RUN gem install bundler:2.5.10

Source: hadolint DL3028.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.shell import Command, Word
from dockstrata_rules.packages.by_run import by_run, operands, places

_VALUED = frozenset({"-s", "--source", "-i", "--install-dir", "-n", "--bindir", "-P", "-p"})


@rule(code="DL3028", name="unpinned-gem", severity=Severity.WARNING)
def unpinned_gem(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "gem"):
        found = [(command, words) for command in commands if (words := _loose(command))]
        if found:
            yield context.finding(
                shell.instruction,
                "Pin versions in gem install. Instead of `gem install <gem>`"
                " use `gem install <gem>:<version>`",
                related=places(context, shell, found, "no version"),
            )


def _loose(command: Command) -> list[Word]:
    words = command.after("install") or command.after("i")
    mine = list(takewhile(lambda word: word.value != "--", words))
    if any(word.value.startswith(("-v", "--version")) for word in mine):
        return []
    return [
        word
        for word in operands(mine, _VALUED)
        if ":" not in word.value and not word.value.endswith(".gem")
    ]
