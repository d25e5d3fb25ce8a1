"""A label of the schema is empty.

Who reads it learns nothing. Without a schema (``label-schema``) nothing is checked.

Bad:

    # dockstrata.toml
    [lint.label-schema]
    it = "text"
    # Dockerfile
    FROM debian:12.5
    LABEL it=""

Good:

    # dockstrata.toml
    [lint.label-schema]
    it = "text"
    # Dockerfile
    FROM debian:12.5
    LABEL it="platform team"

Source: hadolint DL3051. Values with variables in them are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.instructions.label_values import label_values


@rule(code="DL3051", name="empty-label", severity=Severity.WARNING)
def empty_label(context: Context) -> Iterator[Finding]:
    for node, name, value in label_values(context):
        if not value.strip():
            yield context.finding(node, f"label `{name}` is empty.")
