"""A stage's whole file system is copied.

``COPY --from=x / /`` takes everything with it that the stage was to leave behind, and whiteouts and
ownership of what it replaces. ``FROM x`` says the same and shares the layers.

Bad:

    FROM debian:12.5 AS build
    FROM debian:12.5
    COPY --from=build / /

Good:

    FROM debian:12.5 AS build
    FROM debian:12.5
    COPY --from=build /app /app

Source: hadolint DL3067.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule


@rule(code="DL3067", name="copy-whole-stage", severity=Severity.WARNING)
def copy_whole_stage(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            if node.keyword == "COPY" and node.flag("from") and node.arguments == ("/", "/"):
                yield context.finding(node, "Do not copy an entire filesystem from another stage")
