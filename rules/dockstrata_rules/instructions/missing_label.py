"""An image lacks a label that the schema asks for.

Without a schema (``label-schema``) nothing is checked.

Bad:

    # dockstrata.toml
    [lint.label-schema]
    maintainer = "text"
    # Dockerfile
    FROM debian:12.5

Good:

    # dockstrata.toml
    [lint.label-schema]
    maintainer = "text"
    # Dockerfile
    FROM debian:12.5
    LABEL maintainer="platform team"

Source: hadolint DL3049. Labels of the stage that FROM names count; stages that nobody runs need
none.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.images.roots import run_stages


@rule(code="DL3049", name="missing-label", severity=Severity.INFO)
def missing_label(context: Context) -> Iterator[Finding]:
    if not context.settings.label_schema:
        return
    for stage in run_stages(context):
        for name, _ in context.settings.label_schema:
            if name not in stage.config.labels:
                yield context.finding(stage.node, f"Label `{name}` is missing.")
