"""The Dockerfile cannot be built: BuildKit refuses to read it.

The message is BuildKit's own. Where the whole file is unreadable no other rule looks at it; where
one instruction is refused the others are checked as usual.

Bad:

    FROM debian:12.5
    COPY app

Good:

    FROM debian:12.5
    COPY app /app

Source: BuildKit's Dockerfile parser.
"""

from __future__ import annotations

from dockstrata.finding import Severity
from dockstrata.rule import Fixable, Rule

PARSE_ERROR = Rule("DS001", "parse-error", Severity.ERROR, (), Fixable.NEVER, None, None, __name__)
