"""sudo in a build hides who runs what.

The build's user is what USER says, root at first. sudo brings its own environment and a set-uid
program into the image.

Bad:

    FROM debian:12.5
    RUN sudo make install

Good:

    FROM debian:12.5
    USER root
    RUN make install

Fix: unsafe. sudo goes; whether USER is root is for you to see.

Source: hadolint DL3004.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockstrata.rule import Context, Finding, Fix, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata.syntax.shell import Command, Shell
from dockstrata_rules.packages.by_run import by_run


@rule(code="DL3004", name="sudo", severity=Severity.ERROR, fix=Fixable.SOMETIMES)
def sudo(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "sudo"):
        yield context.finding(
            shell.instruction,
            "Do not use sudo as it leads to unpredictable behavior."
            " Use a tool like gosu to enforce root",
            fix=_fix(context, shell, commands),
        )


def _fix(context: Context, shell: Shell, commands: Sequence[Command]) -> Fix | None:
    """Take sudo away where it has neither options nor variables of its own."""
    edits = []
    for command in commands:
        if len(command.words) < 2 or command.words[1].text.startswith("-"):
            return None
        if "=" in command.words[1].text:
            return None
        begin, end = shell.span(command.words[0]).start, shell.span(command.words[1]).start
        if context.source.text[begin:end].strip(" \t") != "sudo":
            return None
        edits.append(context.edit(Span(begin, end), ""))
    return None if shell.instruction.json else unsafe(*edits)
