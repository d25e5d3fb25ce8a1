"""An ignore comment names a rule that does not exist, or none at all.

A misspelt code silences nothing, or nothing yet.

Bad:

    # dockstrata ignore=parse-eror
    FROM debian:12.5

Good:

    FROM debian:12.5
"""

from __future__ import annotations

from dockstrata.finding import Severity
from dockstrata.rule import Fixable, Rule

UNKNOWN_IGNORE = Rule(
    "DS003", "unknown-ignore", Severity.WARNING, (), Fixable.NEVER, None, None, __name__
)
