"""The nodes of a parsed Dockerfile. Joined, their text is the file."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

from dockstrata.source import Source, Span
from dockstrata.syntax.directives import Directive
from dockstrata.syntax.heredoc import Heredoc

KEYWORDS = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something BuildKit refuses, at a line (from 1); the message is its own."""

    message: str
    line: int
    kind: Literal["syntax", "instruction"]
    """``syntax``: the whole file is unreadable; ``instruction``: one instruction is refused."""


@dataclass(slots=True, eq=False)
class Instruction:
    """One instruction.

    ``keyword`` is upper case, ``written`` as in the file. ``line`` is the *logical* line:
    continuations joined, comments and empty lines in between left out. ``arguments`` and
    ``flags`` are as BuildKit's parser gives them (ENV and LABEL: name, value, separator in
    turn). ``start_line`` and ``end_line`` count from 1. Nobody changes a node once it is made;
    it is not frozen because that would make making it twice as slow.
    """

    source: Source
    keyword: str
    written: str
    line: str
    flags: tuple[str, ...]
    arguments: tuple[str, ...]
    json: bool
    heredocs: tuple[Heredoc, ...]
    start_line: int
    end_line: int
    start: int
    """Offset in the file, as ``end``."""
    end: int
    escape: str
    arguments_at: int
    """Where in ``line`` the text after the flags begins."""
    pieces: tuple[tuple[int, int], ...]
    """For each physical line: offset in ``line``, and offset in the file."""
    empty_continuations: tuple[int, ...] = ()
    """Numbers of the empty lines inside the instruction (BuildKit warns of them)."""
    trigger: Instruction | None = None
    """ONBUILD's instruction."""
    fault: Fault | None = None

    @property
    def span(self) -> Span:
        """The instruction with its heredocs, without its final newline."""
        return Span(self.start, self.end)

    @property
    def text(self) -> str:
        """The instruction as it stands in the file."""
        return self.source.text[self.start : self.end]

    @property
    def rest(self) -> str:
        """The logical text after keyword and flags."""
        return self.line[self.arguments_at :]

    @property
    def argument(self) -> str:
        """The argument of an instruction that has one, as WORKDIR: without blanks at its ends."""
        return self.arguments[0] if self.arguments else ""

    @property
    def head_span(self) -> Span:
        """The instruction without its heredoc bodies: where most findings point."""
        if not self.heredocs:
            return self.span
        end = self.source.text.rfind("\n", self.span.start, self.heredocs[0].span.start)
        return Span(self.span.start, end if end > 0 else self.span.end)

    @property
    def keyword_span(self) -> Span:
        start = self.pieces[0][1]
        return Span(start, start + len(self.written))

    def offset(self, index: int) -> int:
        """Where in the file the character at ``index`` of ``line`` stands."""
        at = bisect_right(self.pieces, (index, len(self.source.text) + 1)) - 1
        logical, physical = self.pieces[max(at, 0)]
        return physical + index - logical

    def span_of(self, start: int, end: int) -> Span:
        """The file's characters from ``line[start]`` to ``line[end - 1]``."""
        if end <= start:
            return Span(self.offset(start), self.offset(start))
        return Span(self.offset(start), self.offset(end - 1) + 1)

    def find(self, text: str, start: int = 0) -> Span | None:
        """The span of the first ``text`` in ``line`` at or after ``start``."""
        at = self.line.find(text, start)
        return None if at < 0 else self.span_of(at, at + len(text))

    def flag(self, name: str) -> str | None:
        """The value of ``--name=value``, ``""`` for a bare ``--name``, ``None`` where absent."""
        for flag in self.flags:
            head, equals, value = flag.partition("=")
            if head == f"--{name}":
                return value if equals else ""
        return None

    def all_flags(self, name: str) -> list[str]:
        """The values of a flag that may be given several times."""
        prefix = f"--{name}="
        return [flag[len(prefix) :] for flag in self.flags if flag.startswith(prefix)]

    def pairs(self) -> list[tuple[str, str]]:
        """ENV's and LABEL's names and values, quotes kept."""
        given = self.arguments
        return [(given[i], given[i + 1]) for i in range(0, len(given) - 2, 3)]


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment line outside any instruction (inside one it is part of the instruction's text)."""

    start: int
    line: int
    text: str

    @property
    def span(self) -> Span:
        return Span(self.start, self.start + len(self.text))


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed Dockerfile.

    ``fault`` is what made the file unreadable as a whole; the instructions before it are kept.
    ``faults`` are all, in the order in which BuildKit would meet them.
    """

    source: Source
    instructions: tuple[Instruction, ...]
    comments: tuple[Comment, ...]
    directives: tuple[Directive, ...]
    escape: str
    faults: tuple[Fault, ...] = ()

    @property
    def path(self) -> str:
        return self.source.path

    def pieces(self) -> list[str]:
        """The file cut at its nodes: instructions and what lies between them; joined, the file."""
        text, result, position = self.source.text, [], 0
        for instruction in self.instructions:
            result.append(text[position : instruction.start])
            result.append(text[instruction.start : instruction.end])
            position = instruction.end
        result.append(text[position:])
        return result

    def directive(self, name: str) -> Directive | None:
        return next((d for d in self.directives if d.name == name), None)
