"""The lines that an instruction takes along when it moves: itself and the comment above it."""

from __future__ import annotations

from dataclasses import dataclass

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


def text_of(document: Document, block: Block) -> str:
    """The block's lines, its newline at the end included (added where the file lacks it)."""
    source = document.source
    start = source.line_span(block.first).start
    end = source.line_span(block.last).end
    text = source.text[start:end]
    return text if text.endswith("\n") else text + source.newline


def span_of(document: Document, first: int, last: int) -> Span:
    """The characters of whole lines."""
    source = document.source
    return Span(source.line_span(first).start, source.line_span(last).end)
