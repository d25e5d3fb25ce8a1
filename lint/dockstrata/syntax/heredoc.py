"""Heredocs: which ones a line opens, and what their bodies mean."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockstrata.source import Span
from dockstrata.syntax.words import Lexer, WordError

_OPENER = re.compile(r"^(\d*)<<(-?)[\t\n\f\r ]*([^<]*)\Z", re.ASCII)
_MAX_DESCRIPTOR = 2**64 - 1
NONE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Heredoc:
    """One heredoc: its delimiter, what precedes it, and (once read) its body as written.

    ``expand`` is false where the delimiter is quoted; ``chomp`` where it is ``<<-``. ``span`` is
    the body in the file, its terminator line left out.
    """

    name: str
    descriptor: int
    expand: bool
    chomp: bool
    content: str = ""
    span: Span = NONE

    @property
    def body(self) -> str:
        """The content as a build sees it: leading tabs removed after ``<<-``."""
        if not self.chomp:
            return self.content
        return re.sub(r"^\t+", "", self.content, flags=re.MULTILINE)


def opened_by(line: str) -> list[Heredoc]:
    """The heredocs that a logical line opens, in order; raises :class:`WordError`."""
    try:
        words = Lexer(line, raw_quotes=True, raw_escapes=True, skip_unset=True).words()
    except WordError:
        return []
    found = (parse_opener(word) for word in words)
    return [heredoc for heredoc in found if heredoc is not None]


def parse_opener(word: str) -> Heredoc | None:
    """The heredoc that ``word`` opens (``<<EOF``, ``3<<-"EOF"``), if it opens one."""
    match = _OPENER.match(word)
    if match is None or not match[3]:
        return None
    plain = Lexer(match[3], skip_unset=True).words()
    if len(plain) != 1:
        return None
    quoted = Lexer(match[3], raw_quotes=True, skip_unset=True).words()
    digits = match[1].lstrip("0")
    # One digit more than the largest has is enough to be beyond it.
    descriptor = min(int(digits[:21] or "0"), _MAX_DESCRIPTOR)
    return Heredoc(plain[0], descriptor, plain == quoted, match[2] == "-")
