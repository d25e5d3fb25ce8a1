"""A stage has several CMD instructions; only the last one counts.

The others are dead text that a reader may take for what happens.

Bad:

    FROM debian:12.5
    CMD ["serve"]
    CMD ["serve", "--fast"]

Good:

    FROM debian:12.5
    CMD ["serve", "--fast"]

Fix: safe. The replaced instruction, which had no effect, goes.

Source: hadolint DL4003.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule
from dockstrata_rules.instructions.overridden import overridden, removal


@rule(
    code="DL4003",
    name="multiple-cmd",
    severity=Severity.WARNING,
    fix=Fixable.ALWAYS,
    twin="MultipleInstructionsDisallowed",
)
def multiple_cmd(context: Context) -> Iterator[Finding]:
    for replaced, node in overridden(context, "CMD"):
        yield context.finding(
            node,
            "Multiple `CMD` instructions found."
            " If you list more than one `CMD` then only the last `CMD` will take effect",
            fix=removal(context, replaced),
        )
