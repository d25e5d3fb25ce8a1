"""Edits of a value written back into the literals that say it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dockstrata.finding import Edit, apply_edits
from dockstrata.load.python_literals import PythonDockerfile
from dockstrata.load.python_text import HOLE, Place, Spelling
from dockstrata.source import Source, Span

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_HOLES = re.compile(f"({HOLE.pattern})")
_WORDS = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")


def written(source: Source, found: PythonDockerfile, text: str) -> list[Edit] | None:
    """The edits of a Python file that make a Dockerfile in it say ``text``.

    None where its literals cannot: a raw string that would need an escape, a place that an
    expression fills. What is returned was read again and says ``text``.
    """
    return edited(source, found, differences(found.value.text, text, source.path))


def edited(source: Source, found: PythonDockerfile, edits: Sequence[Edit]) -> list[Edit] | None:
    """Edits of the value as edits of the Python file; None where that cannot be."""
    wanted = apply_edits(found.value.text, edits)
    for careful in (False, True):  # quotes are left alone where that goes well
        try:
            result = [
                Edit(source.path, span, text)
                for edit in sorted(edits)
                for span, text in _Writer(source, found, careful).write(edit)
            ]
            if _says(source, found, result, wanted):
                return result
        except ValueError:
            continue
    return None


def _says(source: Source, found: PythonDockerfile, edits: Sequence[Edit], wanted: str) -> bool:
    """Whether the expression says what it should once edited."""
    from dockstrata.errors import DockstrataError
    from dockstrata.load.python_strings import string_expressions

    if any(e.span.start < found.start or e.span.end > found.end for e in edits):
        return False
    moved = [
        Edit(e.path, Span(e.span.start - found.start, e.span.end - found.start), e.text)
        for e in edits
    ]
    text = apply_edits(source.text[found.start : found.end], moved)
    try:
        expressions = string_expressions(Source(source.path, f"({text})\n"))
    except DockstrataError:
        return False
    return bool(expressions) and expressions[0].value.text == wanted


def differences(before: str, after: str, path: str) -> list[Edit]:
    """Edits from one text to another: by line, and in lines that changed by word.

    No edit touches a placeholder where both texts have the same ones.
    """
    edits: list[Edit] = []
    start = 0
    pieces, new = [_HOLES.split(text) for text in (before, after)]
    if pieces[1::2] != new[1::2]:
        pieces, new = [before], [after]
    for old, text in zip(pieces, new, strict=True):
        edits += _within(start, old, text, path)
        start += len(old)
    return edits


def _within(start: int, before: str, after: str, path: str) -> Iterator[Edit]:
    if before == after:
        return
    lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for at, end, new in _changes(*lines):
        old = before[at:end]
        if not old or not new:
            yield Edit(path, Span(start + at, start + end), new)
            continue
        for first, last, text in _changes(_WORDS.findall(old), _WORDS.findall(new)):
            yield Edit(path, Span(start + at + first, start + at + last), text)


def _changes(before: list[str], after: list[str]) -> Iterator[tuple[int, int, str]]:
    from difflib import SequenceMatcher  # for what is fixed alone

    starts = [0]
    for piece in before:
        starts.append(starts[-1] + len(piece))
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            yield starts[a], starts[b], "".join(after[c:d])


class _Writer:
    """Turns one edit of a value into edits of its file. Raises ``ValueError`` where it cannot."""

    def __init__(self, source: Source, found: PythonDockerfile, careful: bool) -> None:
        self.source = source
        self.value = found.value
        self.careful = careful
        own = source.text[found.start : found.end]
        self.newline = "\r\n" if "\r\n" in own else "\n" if "\n" in own else source.newline

    def write(self, edit: Edit) -> list[tuple[Span, str]]:
        start, end = edit.span.start, edit.span.end
        places = self.value.places
        if HOLE.search(edit.text) or any(p.hole or p.spelling is None for p in places[start:end]):
            raise ValueError("an expression stands here")
        gone = list(_joined(self._gone(start, end)))
        if not edit.text:
            if gap := self._last_margin(start, end):
                gone = list(_joined((gap, *gone)))
            return [(span, "") for span in gone]
        at, spelling = self._insertion(start, end)
        text = self._spelled(edit.text, start, end, spelling)
        if start == end and self._indented(start, end):
            gap = Span(places[start - 1].end, at)
            # A blank line's own indentation is no margin.
            if self.source.text[gap.start : gap.end] != self.value.margin:
                return [(gap, self.value.margin * (not edit.text.startswith("\n")) + text)]
        if gone and gone[0].start == at:
            return [(gone[0], text), *((span, "") for span in gone[1:])]
        return [(Span(at, at), text), *((span, "") for span in gone)]

    def _gone(self, start: int, end: int) -> Iterator[Span]:
        """What goes away with the characters from ``start`` to ``end``."""
        text, places = self.value.text, self.value.places
        for at in range(start, end):
            place = places[at]
            yield Span(place.start, place.end)
            after = places[at + 1] if at + 1 < len(places) else None
            # Between two characters: indentation that dedent takes, a continued line, quotes.
            if (
                after is not None
                and after.spelling == place.spelling
                and (at + 1 < end or (text[at] == "\n" and self.value.margin))
            ):
                yield Span(place.end, after.start)

    def _last_margin(self, start: int, end: int) -> Span | None:
        """The margin before whole lines that go at the end: no line's margin follows them."""
        text, places = self.value.text, self.value.places
        whole = 0 < start < end == len(text) and text[start - 1] == text[end - 1] == "\n"
        if whole and self.value.margin and places[start - 1].spelling == places[start].spelling:
            return Span(places[start - 1].end, places[start].start)
        return None

    def _insertion(self, start: int, end: int) -> tuple[int, Spelling]:
        """Where new text goes, and how it is spelled there."""
        places = self.value.places
        if start < end:
            return places[start].start, _required(places[start])
        before = places[start - 1] if start > 0 else None
        after = places[start] if start < len(places) else None
        line_start = start > 0 and self.value.text[start - 1] == "\n"
        choices = [(before, False), (after, True)]
        if line_start or before is None:
            choices.reverse()
        for place, ahead in choices:
            if place is not None and place.spelling is not None and not (ahead and place.hole):
                return (place.start if ahead else place.end), place.spelling
        if after is not None and after.spelling is not None:
            return after.start, after.spelling
        raise ValueError("no literal stands here")

    def _indented(self, start: int, end: int) -> bool:
        """Whether new text is to begin with the margin that ``dedent`` takes."""
        text, places = self.value.text, self.value.places
        if not self.value.margin or start == 0 or text[start - 1] != "\n":
            return False
        same = start < len(text) and places[start].spelling == places[start - 1].spelling
        return start == len(text) or (same and text[start] == "\n")

    def _spelled(self, text: str, start: int, end: int, spelling: Spelling) -> str:
        value = self.value
        triple = len(spelling.quote) == 3
        pieces: list[str] = []
        for number, char in enumerate(text):
            spelled = self._character(char, spelling, triple)
            if char == "\n" and value.margin:
                following = text[number + 1 : number + 2] or value.text[end : end + 1]
                spelled += value.margin if following and following != "\n" else ""
            pieces.append(spelled * 2 ** spelling.doubled.count(char))
        return "".join(pieces)

    def _character(self, char: str, spelling: Spelling, triple: bool) -> str:
        if char == "\n" and triple:
            return self.newline
        if spelling.raw:
            if _CONTROL.match(char) or char == "\n" or (spelling.binary and not char.isascii()):
                raise ValueError("a raw string has no escapes")
            return char
        if char == "\\":
            return "\\\\"
        if char == "\n":
            return "\\n"
        if char == spelling.quote[0] and (self.careful or not triple):
            return "\\" + char
        if _CONTROL.match(char):
            return {"\r": "\\r", "\x0c": "\\f", "\x0b": "\\v"}.get(char) or _escaped(char)
        if spelling.binary and not char.isascii():
            raise ValueError("bytes are ASCII")
        return char


def _escaped(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"


def _required(place: Place) -> Spelling:
    if place.spelling is None:
        raise ValueError("no literal stands here")
    return place.spelling


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans that touch as one."""
    last: Span | None = None
    for span in spans:
        if last is not None and last.end == span.start:
            last = Span(last.start, span.end)
        else:
            if last is not None:
                yield last
            last = span
    if last is not None:
        yield last
