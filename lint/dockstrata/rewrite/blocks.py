"""The lines that an instruction takes along when it moves: itself and the comment above it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dockstrata.finding import Edit
from dockstrata.source import Span
from dockstrata.syntax.nodes import Document, Instruction


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines ``[first, last]`` (from 1) of a file: an instruction with its comment."""

    first: int
    last: int


def block_of(document: Document, node: Instruction, comments: frozenset[int]) -> Block:
    """The instruction's lines and the comment lines directly above them.

    ``comments`` are the numbers of the file's comment lines; directives never move.
    """
    first = node.start_line
    fixed = max((directive.line for directive in document.directives), default=0)
    while first - 1 in comments and first - 1 > fixed:
        first -= 1
    return Block(first, node.end_line)


def comment_lines(document: Document) -> frozenset[int]:
    return frozenset(comment.line for comment in document.comments)


_COUNTED = re.compile(r"--from=(\d+)(?=\s|$)")


def renumbered(node: Instruction, moved: Mapping[int, int]) -> list[Edit]:
    """The edits that give ``--from=N``, which counts stages, the stage's new number."""
    edits: list[Edit] = []
    for match in _COUNTED.finditer(node.line) if "--from=" in node.line else ():
        number = int(match[1])
        if match.start() < node.arguments_at and moved.get(number, number) != number:
            span = node.span_of(match.start(1), match.end(1))
            edits.append(Edit(node.source.path, span, str(moved[number])))
    return edits


def text_of(document: Document, block: Block, node: Instruction, moved: Mapping[int, int]) -> str:
    """The lines of the node's block with stages counted anew, its newline at the end included
    (added where the file lacks it)."""
    source = document.source
    start = source.line_span(block.first).start
    end = source.line_span(block.last).end
    text = source.text[start:end]
    for edit in reversed(renumbered(node, moved)):
        text = text[: edit.span.start - start] + edit.text + text[edit.span.end - start :]
    return text if text.endswith("\n") else text + source.newline


def span_of(document: Document, first: int, last: int) -> Span:
    """The characters of whole lines."""
    source = document.source
    return Span(source.line_span(first).start, source.line_span(last).end)
