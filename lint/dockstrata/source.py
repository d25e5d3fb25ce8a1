"""The text of one file, and where its characters stand."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate, count
from operator import add


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters ``[start, end)`` of a source's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path as the user would write it, and its text.

    ``text`` is decoded as UTF-8 with ``surrogateescape``, newlines and byte order mark kept, so
    that ``encode(text)`` gives the file's bytes back whatever they are.
    """

    path: str
    text: str
    _starts: list[int] = field(default_factory=list, compare=False, repr=False)

    @staticmethod
    def from_bytes(path: str, data: bytes) -> Source:
        return Source(path, data.decode("utf-8", "surrogateescape"))

    def to_bytes(self) -> bytes:
        return encode(self.text)

    def line_starts(self) -> list[int]:
        """Offsets at which lines begin; a line ends at ``\\n`` alone, as BuildKit counts."""
        if not self._starts:
            lengths = map(len, self.text.split("\n"))
            # Each line's newline counts too.
            self._starts.extend(map(add, accumulate(lengths, initial=0), count()))
            self._starts.pop()
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1, columns in characters."""
        starts = self.line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line_span(self, line: int) -> Span:
        """The characters of a line (from 1), its newline included."""
        starts = self.line_starts()
        end = starts[line] if line < len(starts) else len(self.text)
        return Span(starts[line - 1], end)

    @property
    def newline(self) -> str:
        """The file's own newline: ``\\r\\n`` where its first line ends so, else ``\\n``."""
        first = self.text.find("\n")
        return "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"


def encode(text: str) -> bytes:
    """The bytes of a text decoded by :class:`Source`."""
    return text.encode("utf-8", "surrogateescape")
