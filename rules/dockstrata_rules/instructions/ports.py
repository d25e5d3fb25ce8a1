"""The ports of EXPOSE, with variables replaced."""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Instruction, Span, word_spans
from dockstrata.syntax.words import WordError, expand
from dockstrata_rules.instructions.defaults import with_defaults


def ports(context: Context) -> Iterator[tuple[Instruction, Span, str, str]]:
    """Each word: its instruction, its place, as written, and its value."""
    known = {
        id(item.instruction): item.before.env
        for stage in context.stages
        for item in stage.evaluated
        if item.instruction.keyword == "EXPOSE"
    }
    for node in context.instructions("EXPOSE"):
        env = known.get(id(node), {})
        values = with_defaults(env)
        for word, span in zip(node.arguments, word_spans(node), strict=False):
            try:
                yield node, span, word, expand(word, values.get, node.escape)
            except WordError:
                continue
