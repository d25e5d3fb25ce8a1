"""A label that the schema does not name, where ``strict-labels`` wants no others.

Bad:

    # dockstrata.toml
    [lint]
    strict-labels = true
    label-schema = { maintainer = "text" }
    # Dockerfile
    FROM debian:12.5
    LABEL maintainer="platform team" colour="blue"

Good:

    # dockstrata.toml
    [lint]
    strict-labels = true
    label-schema = { maintainer = "text" }
    # Dockerfile
    FROM debian:12.5
    LABEL maintainer="platform team"

Source: hadolint DL3050.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.shell import unquote


@rule(code="DL3050", name="superfluous-label", severity=Severity.INFO)
def superfluous_label(context: Context) -> Iterator[Finding]:
    if not context.settings.strict_labels:
        return
    known = {name for name, _ in context.settings.label_schema}
    for node in context.instructions("LABEL"):
        if node.fault is None and any(unquote(key) not in known for key, _ in node.pairs()):
            yield context.finding(node, "Superfluous label(s) present.")
