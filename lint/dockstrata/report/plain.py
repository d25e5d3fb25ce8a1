"""Text of files and their names as other programs can read it."""

from __future__ import annotations

from dockstrata.syntax.nodes import Instruction


def valid(text: str) -> str:
    """``text`` as valid Unicode: bytes that are no UTF-8 become U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def step_line(node: Instruction) -> str:
    """An instruction on one line, its heredocs with it."""
    lines = [node.line]
    for heredoc in node.heredocs:
        lines += filter(None, map(str.strip, heredoc.content.splitlines()))
    return " ⏎ ".join(" ".join(line.split()) for line in lines)


def count(number: int, noun: str) -> str:
    """``1 image``, ``2 images``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
