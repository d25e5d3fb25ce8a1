"""Parser directives: ``# syntax=``, ``# escape=`` and ``# check=`` at the top of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dockstrata.syntax.gotext import SPACE

# Any white space may follow the #, only ASCII's but the vertical tab elsewhere.
_DIRECTIVE = re.compile(
    rf"^#[{SPACE}]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*$"
)
KNOWN = frozenset({"syntax", "escape", "check"})


@dataclass(frozen=True, slots=True)
class Directive:
    """``# name=value`` at ``line`` (from 1); the name in lower case."""

    name: str
    value: str
    line: int


class DirectiveError(ValueError):
    """A directive that BuildKit refuses; the message is its own."""


class DirectiveReader:
    """Reads directives until the first line that is none."""

    def __init__(self) -> None:
        self.found: list[Directive] = []
        self.done = False
        self.escape = "\\"

    def read(self, text: str, line: int) -> None:
        """Look at one line, its leading white space and newline removed."""
        if self.done:
            return
        match = _DIRECTIVE.match(text)
        if match is None:
            self.done = True
            return
        name, value = match[1].lower(), match[2]
        if name not in KNOWN:
            self.done = True
            return
        if any(directive.name == name for directive in self.found):
            raise DirectiveError(f"only one {name} parser directive can be used")
        self.found.append(Directive(name, value, line))
        if name == "escape":
            if value not in ("\\", "`"):
                raise DirectiveError(f"invalid escape token '{value}' does not match ` or \\")
            self.escape = value
