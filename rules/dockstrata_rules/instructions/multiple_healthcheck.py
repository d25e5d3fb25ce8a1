"""A stage has several HEALTHCHECK instructions; only the last one counts.

The others are dead text that a reader may take for what happens.

Bad:

    FROM debian:12.5
    HEALTHCHECK CMD ["check-a"]
    HEALTHCHECK CMD ["check-b"]

Good:

    FROM debian:12.5
    HEALTHCHECK CMD ["check-b"]

Fix: safe. The replaced instruction, which had no effect, goes.

Source: hadolint DL3012.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule
from dockstrata_rules.instructions.overridden import overridden, removal


@rule(
    code="DL3012",
    name="multiple-healthcheck",
    severity=Severity.ERROR,
    fix=Fixable.ALWAYS,
    twin="MultipleInstructionsDisallowed",
)
def multiple_healthcheck(context: Context) -> Iterator[Finding]:
    for replaced, node in overridden(context, "HEALTHCHECK"):
        yield context.finding(
            node,
            "Multiple `HEALTHCHECK` instructions",
            fix=removal(context, replaced),
        )
