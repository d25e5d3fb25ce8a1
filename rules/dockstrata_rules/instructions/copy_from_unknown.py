"""``COPY --from`` names neither a stage before nor an image with a tag.

Mostly the name is misspelt; BuildKit then takes it for an image and tries to pull it.

Bad:

    FROM debian:12.5 AS build
    FROM debian:12.5
    COPY --from=biuld /app /app

Good:

    FROM debian:12.5 AS build
    FROM debian:12.5
    COPY --from=build /app /app
    COPY --from=busybox:1.36 /bin/busybox /bin/

Source: hadolint DL3022.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule


@rule(code="DL3022", name="copy-from-unknown", severity=Severity.WARNING)
def copy_from_unknown(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            name = node.flag("from") if node.keyword == "COPY" else None
            if not name or ":" in name or name.lower() == stage.name:
                continue
            known = name.isdecimal() and int(name) < len(context.stages)
            if not known and context.evaluation.stage_named(name, stage.index) is None:
                yield context.finding(
                    node, "`COPY --from` should reference a previously defined `FROM` alias"
                )
