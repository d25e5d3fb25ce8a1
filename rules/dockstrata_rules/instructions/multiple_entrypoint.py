"""A stage has several ENTRYPOINT instructions; only the last one counts.

The others are dead text that a reader may take for what happens.

Bad:

    FROM debian:12.5
    ENTRYPOINT ["serve"]
    ENTRYPOINT ["serve", "--fast"]

Good:

    FROM debian:12.5
    ENTRYPOINT ["serve", "--fast"]

Source: hadolint DL4004.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule


@rule(code="DL4004", name="multiple-entrypoint", severity=Severity.ERROR)
def multiple_entrypoint(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        nodes = [item.instruction for item in stage.evaluated]
        for node in [node for node in nodes if node.keyword == "ENTRYPOINT"][1:]:
            yield context.finding(
                node,
                "Multiple `ENTRYPOINT` instructions found. If you list more than one `ENTRYPOINT`"
                " then only the last `ENTRYPOINT` will take effect",
            )
