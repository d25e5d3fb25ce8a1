"""RUN changes directory with ``cd``, which lasts for that RUN alone.

WORKDIR says for the rest of the stage where things happen, and creates the directory.

Bad:

    FROM debian:12.5
    RUN cd /src && make

Good:

    FROM debian:12.5
    WORKDIR /src
    RUN make

Fix: unsafe, for a RUN that begins with ``cd`` to a fixed path and ``&&``. WORKDIR creates a
directory that is missing, where ``cd`` would fail. The folder before comes back with a second
WORKDIR; where it is not known, as it is the root image's, there is a fix at the end of a build
stage alone.

Source: hadolint DL3003.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import (
    Context,
    Evaluated,
    Finding,
    Fix,
    Fixable,
    Instruction,
    Severity,
    rule,
    unsafe,
)
from dockstrata.source import Span
from dockstrata.syntax.shell import Shell
from dockstrata.syntax.words import is_symbolic
from dockstrata_rules.packages.by_run import by_run

_PLAIN = re.compile(r"/[\w./@+-]*")
_BLANK = r"(?:[ \t]|[\\`][ \t]*\r?\n)*"
_AND = re.compile(rf"{_BLANK}&&{_BLANK}")


@rule(code="DL3003", name="cd-in-run", severity=Severity.WARNING, fix=Fixable.SOMETIMES)
def cd_in_run(context: Context) -> Iterator[Finding]:
    for item, shell, _commands in by_run(context, "cd"):
        yield context.finding(
            shell.instruction,
            "Use WORKDIR to switch to a directory",
            fix=_fix(context, item, shell),
        )


def _fix(context: Context, item: Evaluated, shell: Shell) -> Fix | None:
    node, script, text = shell.instruction, shell.script, context.source.text
    first = script.commands[0]
    if node.json or node.heredocs or script.broken or item.instruction is not node:
        return None
    if first.name != "cd" or len(first.words) != 2 or script.text[: first.start].strip():
        return None
    folder = first.words[1].text
    match = _AND.match(text, shell.span(first).end)
    if match is None or not _PLAIN.fullmatch(folder):
        return None
    without_cd = context.edit(Span(shell.span(first).start, match.end()), "")
    before = item.before.workdir
    if before == folder:
        return unsafe(without_cd)
    there = context.edit(Span(node.start, node.start), f"WORKDIR {folder}\n")
    if _no_matter(context, _next(context, node)):
        return unsafe(there, without_cd)
    if is_symbolic(before):
        return None
    return unsafe(there, without_cd, context.edit(Span(node.end, node.end), f"\nWORKDIR {before}"))


def _next(context: Context, node: Instruction) -> Instruction | None:
    nodes = context.document.instructions
    return next((other for other in nodes if other.start > node.start), None)


def _no_matter(context: Context, node: Instruction | None) -> bool:
    """Whether the folder before ``node`` is of no use to it, nor to any other stage."""
    if node is None or node.keyword != "FROM":
        return node is not None and node.keyword == "WORKDIR" and node.rest.startswith("/")
    index = next(stage.index for stage in context.stages if stage.node is node) - 1
    return all(stage.parent != index for stage in context.stages)
