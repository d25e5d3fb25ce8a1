"""What the rules about repeated CMD, ENTRYPOINT and HEALTHCHECK share."""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Fix, Instruction, safe
from dockstrata.source import Span


def overridden(context: Context, *keywords: str) -> Iterator[tuple[Instruction, Instruction]]:
    """Instructions of a stage and the next of the same keyword, which replaces them."""
    for stage in context.stages:
        last: dict[str, Instruction] = {}
        for item in stage.evaluated:
            node = item.instruction
            if node.keyword in keywords:
                if node.keyword in last:
                    yield last[node.keyword], node
                last[node.keyword] = node


def removal(context: Context, node: Instruction) -> Fix:
    """Take its lines away with the newline; nothing else stands on them."""
    source = context.source
    begin, end = source.line_span(node.start_line).start, source.line_span(node.end_line).end
    return safe(context.edit(Span(begin, end), ""))
