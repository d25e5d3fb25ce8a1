"""Cuts a file into instructions: dockerfile-parse's scanner under an adaptor.

dockerfile-parse knows no heredocs, ends an instruction at an empty line inside a continuation,
takes a doubled escape at a line's end for a continuation, overlooks an instruction without
arguments, drops one that the end of the file cuts off, and joins an instruction's lines in
quadratic time. The adaptor hands it a *mask*: the same number of lines, each short, rewritten so
that it sees what BuildKit sees; the real text is then taken by line.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
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

# The mask's lines. What dockerfile-parse is to pass over is empty outside an instruction; inside
# one, where it would end at an empty line, it is a lone continuation.
_SKIPPED, _SKIPPED_INSIDE = "\n", "\\\n"
_FIRST, _FIRST_CONTINUED = "X .\n", "X .\\\n"
_NEXT, _NEXT_CONTINUED = ".\n", ".\\\n"
_LONG = 100
"""Lines from which on an instruction is masked as its first line alone."""


class _Entry(TypedDict):
    instruction: str
    startline: int
    endline: int


@dataclass(slots=True)
class RawInstruction:
    """An instruction's lines (from 1), its logical text, and where that stands in the file.

    ``pieces``: for each physical line its offset in ``line`` and in the file; ``empty``: numbers
    of the empty lines inside.
    """

    start_line: int
    end_line: int
    line: str
    pieces: tuple[tuple[int, int], ...]
    empty: tuple[int, ...] = ()
    heredocs: list[Heredoc] = field(default_factory=list)


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
    instructions: list[RawInstruction] = []
    for entry in _structure("".join(masker.mask)):
        raw = masker.raw[entry["startline"]]
        # A heredoc or the end of the file may end an instruction later than its mask does.
        raw.end_line = max(raw.end_line, entry["endline"] + 1)
        instructions.append(raw)
    return Scan(instructions, masker.comments, masker.directives, masker.faults)


def _structure(mask: str) -> list[_Entry]:
    from dockerfile_parse import DockerfileParser

    structure: list[_Entry] = DockerfileParser(fileobj=io.BytesIO(mask.encode("ascii"))).structure
    return structure


class _Masker:
    """Walks the lines once, writing the mask and keeping each instruction's text by first line."""

    def __init__(self, source: Source) -> None:
        text = source.text
        self.source = source
        self.starts = source.line_starts()
        self.mask: list[str] = []
        self.raw: dict[int, RawInstruction] = {}
        self.comments: list[Comment] = []
        self.directives = DirectiveReader()
        self.faults: list[Fault] = []
        self.at = 0
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        self.too_long = _first_too_long(lines)
        if self.too_long is not None:
            # To BuildKit the file ends here.
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
        lines, starts, mask = self.lines, self.starts, self.mask
        count, directives = len(lines), self.directives
        while (number := self.at) < count:
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
                mask.append(_SKIPPED)
            elif line[0] == "#":
                self.comments.append(Comment(Span(start, start + len(line)), number + 1, line))
                mask.append(_SKIPPED)
            else:
                raw = self.raw[number] = self._instruction(number, line, start)
                if "<<" in raw.line and _takes_heredocs(raw.line) and not self._heredocs(raw):
                    return False
        return True

    def _instruction(self, number: int, line: str, start: int) -> RawInstruction:
        escape = self.directives.escape
        cut = line if line[-1] > " " else line.rstrip(" \t")
        if not (cut.endswith(escape) and cut[-2:-1] != escape):
            self.mask.append(_FIRST)
            return RawInstruction(number + 1, number + 1, line, ((0, start),))
        lines, starts, mask = self.lines, self.starts, self.mask
        count, first, last = len(lines), len(mask), len(mask)
        mask.append(_FIRST_CONTINUED)
        body = cut[:-1]
        parts, pieces, empty = [body], [(0, start)], []
        length = len(body)
        more = True
        at = self.at
        while more and at < count:
            line = lines[at]
            at += 1
            content = line.lstrip(SPACE)
            if not content:
                empty.append(at)
                mask.append(_SKIPPED_INSIDE)
                continue
            if content[0] == "#":
                mask.append(_SKIPPED_INSIDE)
                continue
            cut = line if line[-1] > " " else line.rstrip(" \t")
            pieces.append((length, starts[at - 1]))
            last = len(mask)
            if cut.endswith(escape) and cut[-2:-1] != escape:
                line = cut[:-1]
                mask.append(_NEXT_CONTINUED)
            else:
                more = False
                mask.append(_NEXT)
            parts.append(line)
            length += len(line)
        self.at = at
        if at - number > _LONG:
            mask[first:] = [_FIRST] + [_SKIPPED] * (len(mask) - first - 1)
        elif more:
            # The file ends inside the instruction.
            mask[last] = _FIRST if last == first else _NEXT
            mask[last + 1 :] = [_SKIPPED] * (len(mask) - last - 1)
        return RawInstruction(number + 1, at, "".join(parts), tuple(pieces), tuple(empty))

    def _heredocs(self, raw: RawInstruction) -> bool:
        """Read the bodies of the heredocs that ``raw`` opens; whether all of them end."""
        try:
            openers = heredoc.opened_by(raw.line)
        except WordError as error:
            self.faults.append(Fault(str(error), raw.start_line, "syntax"))
            return False
        text = self.source.text
        for opener in openers:
            start = self.starts[self.at] if self.at < len(self.starts) else len(text)
            end = self._terminator(opener)
            if end is None:
                self.faults.append(Fault("unterminated heredoc", raw.start_line, "syntax"))
                return False
            raw.heredocs.append(replace(opener, content=text[start:end], span=Span(start, end)))
            raw.end_line = self.at
        return True

    def _terminator(self, opener: Heredoc) -> int | None:
        """Skip to behind the heredoc's last line; the offset at which its body ends."""
        for at in range(self.at, len(self.lines)):
            line = self.lines[at]
            self.mask.append(_SKIPPED)
            if (line.lstrip("\t") if opener.chomp else line) == opener.name:
                self.at = at + 1
                return self.starts[at]
        self.at = len(self.lines)
        return None


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
