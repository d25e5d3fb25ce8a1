"""``COPY --from`` names the stage that it stands in.

A stage cannot copy from itself; BuildKit refuses it.

Bad:

    FROM debian:12.5 AS build
    COPY --from=build /app /srv

Good:

    FROM debian:12.5 AS build
    RUN cp -r /app /srv

Source: hadolint DL3023.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule


@rule(code="DL3023", name="copy-from-itself", severity=Severity.ERROR)
def copy_from_itself(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            name = node.flag("from") if node.keyword == "COPY" else None
            if not name or name.lower() != stage.name:
                continue
            if context.evaluation.stage_named(name, stage.index) is None:
                yield context.finding(node, "`COPY --from` cannot reference its own `FROM` alias")
