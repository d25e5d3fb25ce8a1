"""A stage has several CMD instructions; only the last one counts.

The others are dead text that a reader may take for what happens.

Bad:

    FROM debian:12.5
    CMD ["serve"]
    CMD ["serve", "--fast"]

Good:

    FROM debian:12.5
    CMD ["serve", "--fast"]

Source: hadolint DL4003.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule


@rule(code="DL4003", name="multiple-cmd", severity=Severity.WARNING)
def multiple_cmd(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        nodes = [item.instruction for item in stage.evaluated]
        for node in [node for node in nodes if node.keyword == "CMD"][1:]:
            yield context.finding(
                node,
                "Multiple `CMD` instructions found."
                " If you list more than one `CMD` then only the last `CMD` will take effect",
            )
