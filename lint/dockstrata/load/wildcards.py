"""Matches wildcards in time linear in the path, where backtracking would take exponential time.

A pattern is a sequence of regular expressions: ``STAR``, ``DEEP``, ``REST``, and others that match
one character each. The set of places in it that a path's beginning can lead to is followed through
the path; what a set and a character lead to is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

STAR, DEEP, REST = "[^/]*", "(?:.*/)?", ".*"
"""``*``, ``**`` before more, and ``**`` at the end, as the builder's matcher writes them."""

UNBOUNDED = frozenset((STAR, DEEP, REST))


class Wildcards:
    """A compiled pattern. Sets of places are bit masks; two bits stand for each part."""

    __slots__ = ("moves", "parts", "start")

    def __init__(self, parts: Sequence[str]) -> None:
        self.parts = tuple(parts)
        self.start = self._closed(1)
        self.moves: dict[tuple[int, str], int] = {}

    def match(self, path: str) -> bool:
        """Whether the pattern matches all of ``path``."""
        state, moves = self.start, self.moves
        for char in path:
            following = moves.get((state, char))
            if following is None:
                following = moves[state, char] = self._after(state, char)
            if not following:
                return False
            state = following
        return bool(state >> 2 * len(self.parts) & 1)

    def _closed(self, state: int) -> int:
        """``state`` and what is reached from it without a character."""
        for number, part in enumerate(self.parts):
            if state >> 2 * number & 1 and part in UNBOUNDED:
                state |= 1 << 2 * number + 2
        return state

    def _after(self, state: int, char: str) -> int:
        following = 0
        for number, part in enumerate(self.parts):
            before, inside = 1 << 2 * number, 2 << 2 * number
            if not state & (before | inside):
                continue
            if part == DEEP:
                if char != "\n":
                    following |= inside
                if char == "/":
                    following |= before << 2
            elif part == STAR:
                following |= before if char != "/" else 0
            elif part == REST:
                following |= before if char != "\n" else 0
            elif re.fullmatch(part, char):
                following |= before << 2
        return self._closed(following)
