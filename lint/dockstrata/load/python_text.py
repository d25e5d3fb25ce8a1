"""Values of Python string literals whose characters know where they stand in the file."""

from __future__ import annotations

import inspect
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

# What stands for an expression: fit for an image, a tag, a name, a path, a word of a command.
HOLE = re.compile(r"pyexpr\d+x")

# Source: Python's language reference, "String and Bytes literals". An unknown escape is none.
_RAW_PIECE = re.compile(r"(?P<crlf>\r\n?)|(?P<brace>\{\{|\}\})")
_PIECE = re.compile(
    r"\\(?:(?P<continued>\r\n|[\r\n])|(?P<octal>[0-7]{1,3})|x(?P<byte>[0-9a-fA-F]{2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|N\{(?P<name>[^}]+)\}"
    rf"|(?P<other>[^{{}}]))|{_RAW_PIECE.pattern}"
)
_OTHER = {
    "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f",
    "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_FORMAT = re.compile(r"\{\{|\}\}|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[{}]")
_PERCENT = re.compile(r"%(?:\([^)]*\))?[#0 +-]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[diouxXeEfFgGcrsa%]|%")


@dataclass(frozen=True, slots=True)
class Spelling:
    """How one literal writes its characters.

    ``start`` is where the literal stands and tells it from others; the characters of ``doubled``
    are written twice (braces of f-strings and ``format``, ``%``).
    """

    start: int
    raw: bool
    binary: bool
    formatted: bool
    quote: str
    doubled: str = ""


class Place(NamedTuple):
    """Where a character of a value stands: ``[start, end)`` of the file.

    ``spelling`` is None for what no literal holds: an operand of ``+``, the glue of ``join``.
    ``hole`` marks the characters of a placeholder.
    """

    start: int
    end: int
    spelling: Spelling | None
    hole: bool = False


@dataclass(frozen=True, slots=True)
class PythonText:
    """The value of a string expression; ``places`` has one entry for each character.

    ``margin`` is the indentation that ``dedent`` or ``cleandoc`` take from each line; ``names``
    has the source of the expression behind each placeholder.
    """

    text: str
    places: tuple[Place, ...]
    margin: str = ""
    names: tuple[tuple[str, str], ...] = ()

    def take(self, kept: Sequence[int], margin: str | None = None) -> PythonText:
        """The characters with these indices."""
        return replace(
            self,
            text="".join([self.text[at] for at in kept]),
            places=tuple([self.places[at] for at in kept]),
            margin=self.margin if margin is None else margin,
        )


class Holes:
    """Names placeholders: one for each different expression, in order."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def hole(self, source: str, start: int, end: int, spelling: Spelling | None) -> PythonText:
        """A value of which nothing is known but where it stands."""
        name = self.names.setdefault(source, f"pyexpr{len(self.names) + 1}x")
        places = (Place(start, end, spelling, True),) * len(name)
        return PythonText(name, places, names=((name, source),))


def joined(values: Iterable[PythonText]) -> PythonText:
    """Values one after the other."""
    every = list(values)
    return PythonText(
        "".join(value.text for value in every),
        tuple(place for value in every for place in value.places),
        next((value.margin for value in every if value.margin), ""),
        tuple(dict.fromkeys(name for value in every for name in value.names)),
    )


def decoded(source: str, start: int, end: int, spelling: Spelling) -> PythonText:
    """What the characters ``[start, end)`` of a literal's body say.

    Raises ``ValueError`` for an escape that Python refuses.
    """
    text: list[str] = []
    places: list[Place] = []
    at = start

    def plain(upto: int) -> None:
        text.extend(source[at:upto])
        places.extend([Place(i, i + 1, spelling) for i in range(at, upto)])

    for match in (_RAW_PIECE if spelling.raw else _PIECE).finditer(source, start, end):
        value = _piece(match, spelling)
        if value is not None:
            plain(match.start())
            at = match.end()
            text.append(value)
            places += [Place(match.start(), at, spelling)] * len(value)
    plain(end)
    return PythonText("".join(text), tuple(places))


def _piece(match: re.Match[str], spelling: Spelling) -> str | None:
    """The value of an escape or the like; None where each character stands for itself."""
    kind = match.lastgroup
    said = match[kind] if kind else ""
    if kind == "crlf":
        return "\n"
    if kind == "brace":
        return said[0] if spelling.formatted else None
    if kind == "continued":
        return ""
    if kind == "octal":
        return chr(int(said, 8) & (0xFF if spelling.binary else 0x1FF))
    if kind == "byte":
        return chr(int(said, 16))
    if kind == "other":
        return _OTHER.get(said)
    if spelling.binary:
        return None
    if kind == "name":
        try:
            return unicodedata.lookup(said)
        except KeyError:
            raise ValueError(match[0]) from None
    return chr(int(said, 16))


def dedented(value: PythonText) -> PythonText:
    """What ``textwrap.dedent`` makes of a value."""
    return _lines_kept(value, textwrap.dedent(value.text).split("\n"), 0)


def cleaned(value: PythonText) -> PythonText:
    """What ``inspect.cleandoc`` makes of a value.

    Raises ``ValueError`` where it expands tabs, or nothing is left.
    """
    if "\t" in value.text or not value.text.strip():
        raise ValueError("tabs or nothing")
    lines = value.text.split("\n")
    result = inspect.cleandoc(value.text).split("\n")
    # It drops empty lines at both ends: those that are nothing but the margin.
    bare = [line.strip() for line in lines]
    first = next((at for at, line in enumerate(bare) if line), 0)
    shown = next((at for at, line in enumerate(result) if line.strip()), 0)
    return _lines_kept(value, result, first - shown)


def _lines_kept(value: PythonText, lines: list[str], first: int) -> PythonText:
    """The characters of ``lines``, each the end of a line of the value from line ``first`` on."""
    before = value.text.split("\n")
    kept: list[int] = []
    margin = ""
    start = sum(len(line) + 1 for line in before[:first])
    for number, line in enumerate(lines, first):
        end = start + len(before[number])
        kept += range(end - len(line), end)
        if number + 1 < first + len(lines):
            kept.append(end)
        if line and number and not margin:  # cleandoc treats its first line apart
            margin = before[number][: len(before[number]) - len(line)]
        start = end + 1
    return value.take(kept, margin)


def stripped(value: PythonText, characters: str | None, left: bool, right: bool) -> PythonText:
    """What ``strip``, ``lstrip`` or ``rstrip`` make of a value."""
    start = len(value.text) - len(value.text.lstrip(characters)) if left else 0
    end = len(value.text.rstrip(characters)) if right else len(value.text)
    return value.take(range(start, max(start, end)))


def formatted(value: PythonText, holes: Holes, percent: bool) -> PythonText:
    """What ``str.format`` or ``%`` make of a value, fields as placeholders.

    Raises ``ValueError`` where that fails.
    """
    if percent and any(place.hole for place in value.places):
        raise ValueError("an expression may hold '%'")
    doubled = "%" if percent else "{}"
    pieces: list[PythonText] = []
    at = 0
    for match in (_PERCENT if percent else _FORMAT).finditer(value.text):
        pieces.append(value.take(range(at, match.start())))
        at = match.end()
        first, last = value.places[match.start()], value.places[at - 1]
        if match[0] in ("{{", "}}", "%%"):
            one = value.take([match.start()])
            pieces.append(replace(one, places=(first._replace(end=last.end),)))
        elif match[0] in ("{", "}", "%"):
            raise ValueError(match[0])
        else:
            pieces.append(holes.hole(match[0], first.start, last.end, first.spelling))
    pieces.append(value.take(range(at, len(value.text))))
    whole = joined([replace(piece, margin=value.margin) for piece in pieces])
    known: dict[Spelling, Spelling] = {}
    places = tuple(
        place
        if place.spelling is None
        else place._replace(
            spelling=known.setdefault(
                place.spelling,
                replace(place.spelling, doubled=place.spelling.doubled + doubled),
            )
        )
        for place in whole.places
    )
    return replace(whole, places=places)
