"""A label that is to hold an address holds none.

Tools make a link of it. Without a schema (``label-schema``) nothing is checked.

Bad:

    # dockstrata.toml
    [lint.label-schema]
    it = "url"
    # Dockerfile
    FROM debian:12.5
    LABEL it="example"

Good:

    # dockstrata.toml
    [lint.label-schema]
    it = "url"
    # Dockerfile
    FROM debian:12.5
    LABEL it="https://example.com/app"

Source: hadolint DL3052. Values with variables in them are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.instructions.label_values import label_values

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#]+(?:[/?#]\S*)?")


@rule(code="DL3052", name="invalid-label-url", severity=Severity.WARNING)
def invalid_label_url(context: Context) -> Iterator[Finding]:
    for node, name, value in label_values(context, "url"):
        if not _URL.fullmatch(value):
            yield context.finding(node, f"Label `{name}` is not a valid URL.")
