"""An ignore comment silences nothing.

What it was for is gone, and it would hide the next finding of that rule without a word. Only
dockstrata's own comments are looked at, and only codes of rules that ran.

Bad:

    # dockstrata ignore=DS001
    FROM debian:12.5

Good:

    FROM debian:12.5

Fix: safe. The code is removed, and the comment with it where no other code is left.
"""

from __future__ import annotations

from dockstrata.finding import Severity
from dockstrata.rule import Fixable, Rule

UNUSED_IGNORE = Rule(
    "DS002", "unused-ignore", Severity.WARNING, (), Fixable.ALWAYS, None, None, __name__
)
