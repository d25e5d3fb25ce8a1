"""Cuts a file into instructions: dockerfile-parse's scanner under an adaptor.

dockerfile-parse knows no heredocs, ends an instruction at an empty line inside a continuation,
takes a doubled escape at a line's end for a continuation, overlooks an instruction without
arguments and drops one that the end of the file cuts off. The adaptor hands it a *mask*: the same
number of lines, each such place rewritten so that it sees what BuildKit sees; the real text is
then taken by line.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field, replace
from typing import TypedDict

from dockstrata.source import Source, Span
from dockstrata.syntax import heredoc
from dockstrata.syntax.arguments import ArgumentError, json_strings, split_command
from dockstrata.syntax.directives import DirectiveError, DirectiveReader
from dockstrata.syntax.gotext import SPACE
from dockstrata.syntax.heredoc import Heredoc
from dockstrata.syntax.nodes import Comment, Fault
from dockstrata.syntax.words import WordError

MAX_LINE = 65535
"""Bytes of the longest line that BuildKit reads (its scanner's buffer of 64 KiB)."""

_TAKE_HEREDOCS = frozenset({"RUN", "COPY", "ADD"})
_UNSAFE_IN_MASK = re.compile(r"[^ -~\t]")


class _Entry(TypedDict):
    instruction: str
    startline: int
    endline: int


@dataclass(slots=True)
class RawInstruction:
    """An instruction's lines (from 1), its logical text, and where that stands in the file."""

    start_line: int
    end_line: int = 0
    line: str = ""
    pieces: list[tuple[int, int]] = field(default_factory=list)
    empty: list[int] = field(default_factory=list)
    heredocs: list[Heredoc] = field(default_factory=list)


@dataclass(slots=True)
class Scan:
    """What the scanner found, and what stopped it."""

    instructions: list[RawInstruction]
    comments: list[Comment]
    directives: DirectiveReader
    fault: Fault | None


def scan(source: Source) -> Scan:
    """Cut ``source`` into instructions."""
    masker = _Masker(source)
    masker.run()
    instructions: list[RawInstruction] = []
    for entry in _structure("".join(masker.mask)):
        if entry["instruction"] == "COMMENT":
            continue
        raw = masker.raw[entry["startline"]]
        # A heredoc or the end of the file may end an instruction later than its mask does.
        raw.end_line = max(raw.end_line, entry["endline"] + 1)
        instructions.append(raw)
    return Scan(instructions, masker.comments, masker.directives, masker.fault)


def _structure(mask: str) -> list[_Entry]:
    from dockerfile_parse import DockerfileParser

    structure: list[_Entry] = DockerfileParser(fileobj=io.BytesIO(mask.encode("ascii"))).structure
    return structure


class _Masker:
    """Walks the lines once, writing the mask and keeping each instruction's text by first line."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.starts = source.line_starts()
        self.count = len(self.starts)
        if self.count and self.starts[-1] == len(source.text):
            self.count -= 1
        self.mask: list[str] = []
        self.raw: dict[int, RawInstruction] = {}
        self.comments: list[Comment] = []
        self.directives = DirectiveReader()
        self.fault: Fault | None = None
        self.at = 0

    def run(self) -> None:
        text, starts = self.source.text, self.starts
        while self.at < self.count and self.fault is None:
            number = self.at
            line = self._take()
            if line is None:
                return
            start = starts[number]
            if number == 0 and line.startswith("\ufeff"):
                line, start = line[1:], start + 1
            content = line.lstrip(SPACE)
            start += len(line) - len(content)
            if not self.directives.done and not self._directive(content, number):
                return
            if not content:
                self.mask.append("\n")
            elif content[0] == "#":
                end = start + len(content)
                self.comments.append(Comment(Span(start, end), number + 1, text[start:end]))
                self.mask.append("#\n")
            else:
                self._instruction(number, content, start)

    def _take(self) -> str | None:
        """The next line without its newline; ``None``, and a fault, where it is too long."""
        number = self.at
        self.at += 1
        text = self.source.text
        start = self.starts[number]
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(text)
        if end - start > MAX_LINE // 4:
            size = len(text[start:end].encode("utf-8", "surrogateescape"))
            if size > MAX_LINE:
                message = f"dockerfile line greater than maximum allowed size of {MAX_LINE}"
                self.fault = Fault(message, number + 1, "syntax")
                return None
        return text[start:end].rstrip("\r\n")

    def _directive(self, content: str, number: int) -> bool:
        try:
            self.directives.read(content, number + 1)
        except DirectiveError as error:
            self.fault = Fault(str(error), number + 1, "syntax")
            return False
        return True

    def _continued(self, content: str) -> tuple[str, bool]:
        escape = self.directives.escape
        cut = content.rstrip(" \t")
        if cut.endswith(escape) and cut[-2:-1] != escape:
            return cut[:-1], True
        return content, False

    def _instruction(self, number: int, content: str, start: int) -> None:
        raw = self.raw[number] = RawInstruction(number + 1)
        body, more = self._continued(content)
        parts, length = [body], len(body)
        raw.pieces.append((0, start))
        first = len(self.mask)
        self.mask.append(_masked(body, more, first=True))
        last = first
        while more and self.at < self.count:
            at = self.at
            line = self._take()
            if line is None:
                break
            stripped = line.lstrip(SPACE)
            if not self.directives.done and not self._directive(line, at):
                break
            if not stripped or stripped[0] == "#":
                if not stripped:
                    raw.empty.append(at + 1)
                self.mask.append("#\n")
                continue
            body, more = self._continued(line)
            raw.pieces.append((length, self.starts[at]))
            parts.append(body)
            length += len(body)
            last = len(self.mask)
            self.mask.append(_masked(body, more, first=False))
        if more:
            self.mask[last] = _masked(body, False, first=last == first)
            raw.end_line = self.at
        raw.line = "".join(parts)
        if "<<" in raw.line and self.fault is None and _takes_heredocs(raw.line, self.directives):
            self._heredocs(raw)

    def _heredocs(self, raw: RawInstruction) -> None:
        try:
            openers = heredoc.opened_by(raw.line)
        except WordError as error:
            self.fault = Fault(str(error), raw.start_line, "syntax")
            return
        for opener in openers:
            start = self.starts[self.at] if self.at < len(self.starts) else len(self.source.text)
            end = self._terminator(opener)
            if end is None:
                if self.fault is None:
                    self.fault = Fault("unterminated heredoc", raw.start_line, "syntax")
                return
            content = self.source.text[start:end]
            raw.heredocs.append(replace(opener, content=content, span=Span(start, end)))
            raw.end_line = self.at

    def _terminator(self, opener: Heredoc) -> int | None:
        """Skip to behind the heredoc's last line; the offset at which its body ends."""
        while self.at < self.count:
            at = self.at
            line = self._take()
            if line is None:
                return None
            self.mask.append("#\n")
            if (line.lstrip("\t") if opener.chomp else line) == opener.name:
                return self.starts[at]
        return None


def _takes_heredocs(line: str, directives: DirectiveReader) -> bool:
    """Whether BuildKit looks for heredocs in this line: RUN, COPY, ADD, not in JSON form."""
    keyword, _flags, rest, _at = split_command(line)
    if keyword.upper() == "ONBUILD":
        keyword, _flags, rest, _at = split_command(rest)
    if keyword.upper() not in _TAKE_HEREDOCS:
        return False
    try:
        return json_strings(rest) is None
    except ArgumentError:
        return False


def _masked(body: str, more: bool, *, first: bool) -> str:
    """``body`` so that dockerfile-parse ends or goes on exactly where BuildKit does."""
    shown = _UNSAFE_IN_MASK.sub("?", body)
    if first:
        keyword, _, rest = shown.partition(" ")
        if not rest.strip() or not keyword:
            shown = f"{shown.strip() or '?'} ."
    if more:
        return f"{shown} \\\n"
    if shown.rstrip().endswith("\\"):
        return f"{shown}.\n"
    return f"{shown}\n"
