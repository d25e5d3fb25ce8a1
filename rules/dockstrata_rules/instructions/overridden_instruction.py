"""CMD, ENTRYPOINT or HEALTHCHECK that a later one in the same stage replaces.

It has no effect at all: remove it, or the later one.

Bad:

    FROM debian:12.5
    CMD ["serve"]
    CMD ["serve", "--fast"]

Good:

    FROM debian:12.5
    CMD ["serve", "--fast"]

Fix: safe. What is removed had no effect on the image.

Source: BuildKit MultipleInstructionsDisallowed, which points at the replaced instruction;
hadolint's DL3012, DL4003 and DL4004 point at the one that replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import (
    Context,
    Edit,
    Finding,
    Fixable,
    Instruction,
    Related,
    Severity,
    rule,
    safe,
)
from dockstrata.source import Span


@rule(
    code="MultipleInstructionsDisallowed",
    name="overridden-instruction",
    severity=Severity.WARNING,
    fix=Fixable.ALWAYS,
)
def overridden_instruction(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        last: dict[str, Instruction] = {}
        for item in stage.evaluated:
            node = item.instruction
            if node.keyword not in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
                continue
            if (replaced := last.get(node.keyword)) is not None:
                here = Related(context.document.path, node.start_line, "replaced by this one")
                yield context.finding(
                    replaced,
                    f"Multiple {node.keyword} instructions should not be used in the same stage"
                    " because only the last one will be used",
                    related=[here],
                    fix=safe(_removal(context, replaced)),
                )
            last[node.keyword] = node


def _removal(context: Context, node: Instruction) -> Edit:
    """Its lines with the newline; nothing else stands on them."""
    source = context.source
    begin, end = source.line_span(node.start_line).start, source.line_span(node.end_line).end
    return context.edit(Span(begin, end), "")
