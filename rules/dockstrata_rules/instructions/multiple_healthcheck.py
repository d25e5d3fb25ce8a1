"""A stage has several HEALTHCHECK instructions; only the last one counts.

The others are dead text that a reader may take for what happens.

Bad:

    FROM debian:12.5
    HEALTHCHECK CMD ["check-a"]
    HEALTHCHECK CMD ["check-b"]

Good:

    FROM debian:12.5
    HEALTHCHECK CMD ["check-b"]

Source: hadolint DL3012.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule


@rule(code="DL3012", name="multiple-healthcheck", severity=Severity.ERROR)
def multiple_healthcheck(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        nodes = [item.instruction for item in stage.evaluated]
        for node in [node for node in nodes if node.keyword == "HEALTHCHECK"][1:]:
            yield context.finding(
                node,
                "Multiple `HEALTHCHECK` instructions",
            )
