"""What a rule says: where, how bad, and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from dockstrata.source import Source, Span


class Severity(IntEnum):
    """Ordered: ``ERROR`` is the highest. ``str()`` gives the word of the JSON contract."""

    STYLE = 0
    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


class Safety(Enum):
    """Whether a fix may be applied unasked: ``SAFE`` ones change no image, or that is the point."""

    SAFE = "safe"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace the characters of ``span`` in the file at ``path`` by ``text``."""

    path: str
    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together: all are applied, or none."""

    safety: Safety
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file; lines and columns from 1, the end column exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    @staticmethod
    def of(source: Source, span: Span) -> Location:
        line, column = source.position(span.start)
        end_line, end_column = source.position(max(span.start, span.end))
        return Location(source.path, line, column, end_line, end_column)


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a finding points at."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found."""

    code: str
    name: str
    severity: Severity
    message: str
    location: Location
    aliases: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    fix: Fix | None = None

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        at = self.location
        return (at.path, at.line, at.column, self.code, self.message)


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """The text after the edits; raises ``ValueError`` where two of them overlap."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.span.start, edit.span.end)):
        if edit.span.start < position:
            raise ValueError("edits overlap")
        pieces += (text[position : edit.span.start], edit.text)
        position = edit.span.end
    pieces.append(text[position:])
    return "".join(pieces)
