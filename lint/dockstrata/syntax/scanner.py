"""Cuts a file into instructions: dockerfile-parse's scanner under an adaptor.

dockerfile-parse knows no heredocs, ends an instruction at an empty line inside a continuation,
takes a doubled escape at a line's end for a continuation, overlooks an instruction without
arguments, drops one that the end of the file cuts off, and joins an instruction's lines in
quadratic time. So the adaptor settles all of that first and hands it a *mask* with one short line
for each instruction; the real text is then taken by line.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TypedDict

from dockstrata.source import Source, Span, encode
from dockstrata.syntax import heredoc
from dockstrata.syntax.arguments import ArgumentError, json_strings, split_command
from dockstrata.syntax.directives import DirectiveError, DirectiveReader
from dockstrata.syntax.gotext import SPACE, lower
from dockstrata.syntax.heredoc import Heredoc
from dockstrata.syntax.nodes import Comment, Fault
from dockstrata.syntax.words import WordError

MAX_LINE = 65535
"""Bytes of the longest line that BuildKit reads, its newline not counted."""

_TAKE_HEREDOCS = frozenset({"run", "copy", "add"})

Pieces = tuple[tuple[int, int], ...]

# Two bytes at least that are no character where they stand.
_UNDECODED = re.compile("[\udc80-\udcff]{2,}")

_MASKED = "X .\n"


class _Entry(TypedDict):
    startline: int


@dataclass(slots=True)
class RawInstruction:
    """An instruction's lines (from 1), its logical text, and where that stands in the file.

    ``end`` is the offset behind its last character that ends no line; ``pieces``: for each
    physical line its offset in ``line`` and in the file; ``empty``: numbers of the empty lines
    inside.
    """

    start_line: int
    end_line: int
    end: int
    line: str
    pieces: Pieces
    empty: tuple[int, ...] = ()
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(slots=True)
class Scan:
    """What the scanner found, and what stopped it."""

    instructions: list[RawInstruction]
    comments: list[Comment]
    directives: DirectiveReader
    faults: list[Fault]


def scan(source: Source) -> Scan:
    """Cut ``source`` into instructions."""
    masker = _Masker(source)
    masker.run()
    mask = _MASKED * len(masker.raw)
    instructions = [masker.raw[entry["startline"]] for entry in _structure(mask)]
    return Scan(instructions, masker.comments, masker.directives, masker.faults)


def _structure(mask: str) -> list[_Entry]:
    from dockerfile_parse import DockerfileParser

    structure: list[_Entry] = DockerfileParser(fileobj=io.BytesIO(mask.encode("ascii"))).structure
    return structure


class _Masker:
    """Walks the lines once and keeps each instruction's, to be masked as a line each."""

    def __init__(self, source: Source) -> None:
        text = source.text
        self.source = source
        self.starts = source.line_starts()
        self.raw: list[RawInstruction] = []
        self.comments: list[Comment] = []
        self.directives = DirectiveReader()
        self.faults: list[Fault] = []
        self.at = 0
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        self.too_long = _first_too_long(lines)
        self.cut: list[str] = []
        if self.too_long is not None:
            # To BuildKit the file ends here, or once that many bytes of the line are read.
            head = encode(lines[self.too_long])[: MAX_LINE + 1]
            self.cut.append(head.decode("utf-8", "surrogateescape"))
            del lines[self.too_long :]
        if "\r" in text:
            lines = [line.rstrip("\r") for line in lines]
        self.lines = lines
        """Without their newlines."""

    def run(self) -> None:
        if self._walk() and self.too_long is not None:
            message = f"dockerfile line greater than max allowed size of {MAX_LINE}"
            self.faults.append(Fault(message, self.too_long + 1, "syntax"))

    def _walk(self) -> bool:
        """Whether the end was reached without a fault."""
        lines, starts, directives = self.lines, self.starts, self.directives
        while (number := self.at) < len(lines):
            self.at = number + 1
            line, start = lines[number], starts[number]
            if number == 0 and line.startswith("\ufeff"):
                line, start = line[1:], start + 1
            if not ("A" <= line[:1] <= "z"):
                content = line.lstrip(SPACE)
                start += len(line) - len(content)
                line = content
            if not directives.done:
                try:
                    directives.read(line, number + 1)
                except DirectiveError as error:
                    self.faults.append(Fault(str(error), number + 1, "syntax"))
                    return False
            if not line:
                continue
            if line[0] == "#":
                self.comments.append(Comment(start, number + 1, line))
                continue
            body = _continued(line, directives.escape)
            if body is None:
                end = start + len(line)
                raw = RawInstruction(number + 1, number + 1, end, line, ((0, start),))
            else:
                raw = self._continue(number, body, start)
            self.raw.append(raw)
            if "<<" in raw.line and _takes_heredocs(raw.line) and not self._heredocs(raw):
                return False
        return True

    def _continue(self, number: int, body: str, start: int) -> RawInstruction:
        """The instruction whose first line, less its escape, is ``body``."""
        escape = self.directives.escape
        parts, places, empty = [body], [start], []
        lines, starts, count = self.lines, self.starts, len(self.lines)
        at, more = number + 1, True
        while more and at < count:
            line = lines[at]
            at += 1
            content = line.lstrip()
            if not content or content[0] == "#":
                # Python strips more than Go does: look again.
                content = line.lstrip(SPACE)
                if not content:
                    empty.append(at)
                    continue
                if content[0] == "#":
                    continue
            places.append(starts[at - 1])
            shortened = _continued(line, escape)
            if shortened is None:
                parts.append(line)
                more = False
            else:
                parts.append(shortened)
        self.at = at
        if more and self.cut:
            # BuildKit asks its line reader twice here, and is given what that has of the line.
            lines.append(self.cut.pop())
        pieces = tuple(zip(accumulate(map(len, parts), initial=0), places, strict=False))
        line = "".join(parts)
        if not line.isascii():
            line, pieces = _fused(line, pieces)
        end = self._end(at, start)
        return RawInstruction(number + 1, at, end, line, pieces, tuple(empty))

    def _end(self, line: int, start: int) -> int:
        """The end of a line (from 1), or of the last one before it that is not empty."""
        while line and not self.lines[line - 1]:
            line -= 1
        return max(start, self.starts[line - 1] + len(self.lines[line - 1]))

    def _heredocs(self, raw: RawInstruction) -> bool:
        """Read the bodies of the heredocs that ``raw`` opens; whether all of them end."""
        try:
            openers = heredoc.opened_by(raw.line)
        except WordError as error:
            self.faults.append(Fault(str(error), raw.start_line, "syntax"))
            return False
        text = self.source.text
        found: list[Heredoc] = []
        for opener in openers:
            start = self.starts[self.at] if self.at < len(self.starts) else len(text)
            end = self._terminator(opener)
            if end is None:
                self.faults.append(Fault("unterminated heredoc", raw.start_line, "syntax"))
                return False
            found.append(replace(opener, content=text[start:end], span=Span(start, end)))
            raw.end_line = self.at
        raw.heredocs = tuple(found)
        raw.end = self._end(self.at, raw.end)
        return True

    def _terminator(self, opener: Heredoc) -> int | None:
        """Skip to behind the heredoc's last line; the offset at which its body ends."""
        for at in range(self.at, len(self.lines)):
            line = self.lines[at]
            if (line.lstrip("\t") if opener.chomp else line) == opener.name:
                self.at = at + 1
                return self.starts[at]
        self.at = len(self.lines)
        return None


def _continued(line: str, escape: str) -> str | None:
    """``line`` without the escape that lets it go on; ``None`` where it does not."""
    last = line[-1]
    if last != escape:
        if last != " " and last != "\t":
            return None
        line = line.rstrip(" \t")
        if line[-1:] != escape:
            return None
    return None if line[-2:-1] == escape else line[:-1]


def _fused(line: str, pieces: Pieces) -> tuple[str, Pieces]:
    """``line`` with the characters put together whose bytes a line break had parted."""
    text: list[str] = []
    whole: list[tuple[int, int]] = []
    done = 0
    for match in _UNDECODED.finditer(line):
        text.append(line[done : match.start()])
        done = match.start()
        for char in encode(match[0]).decode("utf-8", "surrogateescape"):
            size = len(encode(char))
            if size > 1:
                whole.append((done, size))
            text.append(char)
            done += size
    if not whole:
        return line, pieces
    places: list[tuple[int, int]] = []
    index = lost = 0
    for offset, place in pieces:
        while index < len(whole) and sum(whole[index]) <= offset:
            lost += whole[index][1] - 1
            index += 1
        if index < len(whole) and whole[index][0] < offset:
            # This line's first character begins in the line before.
            start, size = whole[index]
            places.append((start + 1 - lost, place + start + size - offset))
        else:
            places.append((offset - lost, place))
    return "".join(text) + line[done:], tuple(places)


def _first_too_long(lines: list[str]) -> int | None:
    """The index of the first line that BuildKit's scanner cannot hold."""
    if max(map(len, lines), default=0) <= MAX_LINE // 4:
        return None
    for index, line in enumerate(lines):
        if len(line) > MAX_LINE // 4 and len(encode(line)) > MAX_LINE:
            return index
    return None


def _takes_heredocs(line: str) -> bool:
    """Whether BuildKit looks for heredocs in this line: RUN, COPY, ADD, not in JSON form."""
    keyword, _flags, rest, _at = split_command(line)
    if lower(keyword) == "onbuild":
        keyword, _flags, rest, _at = split_command(rest)
    if lower(keyword) not in _TAKE_HEREDOCS:
        return False
    try:
        return json_strings(rest) is None
    except ArgumentError:
        return False
