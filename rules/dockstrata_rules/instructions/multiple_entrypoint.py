"""A stage has several ENTRYPOINT instructions; only the last one counts.

The others are dead text that a reader may take for what happens.

Bad:

    FROM debian:12.5
    ENTRYPOINT ["serve"]
    ENTRYPOINT ["serve", "--fast"]

Good:

    FROM debian:12.5
    ENTRYPOINT ["serve", "--fast"]

Fix: safe. The replaced instruction, which had no effect, goes.

Source: hadolint DL4004.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule
from dockstrata_rules.instructions.overridden import overridden, removal


@rule(
    code="DL4004",
    name="multiple-entrypoint",
    severity=Severity.ERROR,
    fix=Fixable.ALWAYS,
    twin="MultipleInstructionsDisallowed",
)
def multiple_entrypoint(context: Context) -> Iterator[Finding]:
    for replaced, node in overridden(context, "ENTRYPOINT"):
        yield context.finding(
            node,
            "Multiple `ENTRYPOINT` instructions found. If you list more than one `ENTRYPOINT`"
            " then only the last `ENTRYPOINT` will take effect",
            fix=removal(context, replaced),
        )
