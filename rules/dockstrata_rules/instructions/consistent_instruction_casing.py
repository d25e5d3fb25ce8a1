"""An instruction is not written in the case that the rest of the file uses.

Mixed case suggests a difference that is none. Whichever case the file uses more often is its own.

Bad:

    FROM debian:12.5
    WORKDIR /app
    run make

Good:

    FROM debian:12.5
    WORKDIR /app
    RUN make

Fix: safe. Only the instruction's case changes.

Source: BuildKit ConsistentInstructionCasing.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, safe
from dockstrata.syntax.nodes import KEYWORDS


@rule(
    code="ConsistentInstructionCasing",
    name="consistent-instruction-casing",
    severity=Severity.WARNING,
    fix=Fixable.ALWAYS,
)
def consistent_instruction_casing(context: Context) -> Iterator[Finding]:
    # ARG before the first FROM belongs to no stage and has no vote.
    nodes = context.document.instructions[len(context.evaluation.globals) :]
    nodes = tuple(node for node in nodes if node.keyword in KEYWORDS)
    lower = sum(node.written == node.written.lower() for node in nodes)
    upper = sum(node.written == node.written.upper() for node in nodes)
    case = "lowercase" if lower > upper else "uppercase"
    for node in nodes:
        wanted = node.keyword.lower() if lower > upper else node.keyword
        if node.written != wanted:
            yield context.finding(
                node,
                f"Command '{node.written}' should match the case of the command majority ({case})",
                fix=safe(context.edit(node.keyword_span, wanted)),
            )
