"""An ignore comment does not say why.

Whoever meets it later cannot tell whether it still holds. Off by default; ``--require-reason``
or ``require-reason = true`` turns it on.

Bad:

    # dockstrata ignore=DS001
    FROM debian:12.5

Good:

    # dockstrata ignore=DS001 our own frontend reads this
    FROM debian:12.5
"""

from __future__ import annotations

from dockstrata.finding import Severity
from dockstrata.rule import Fixable, Rule

IGNORE_WITHOUT_REASON = Rule(
    "DS004", "ignore-without-reason", Severity.WARNING, (), Fixable.NEVER, None, None, __name__,
    default=False,
)  # fmt: skip
