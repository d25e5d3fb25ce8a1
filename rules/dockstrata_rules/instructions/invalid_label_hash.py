"""A label that is to hold a commit holds no git hash.

The image cannot be traced to its source. Without a schema (``label-schema``) nothing is checked.

Bad:

    # dockstrata.toml
    [lint.label-schema]
    it = "hash"
    # Dockerfile
    FROM debian:12.5
    LABEL it="main"

Good:

    # dockstrata.toml
    [lint.label-schema]
    it = "hash"
    # Dockerfile
    FROM debian:12.5
    LABEL it="48d2a1b"

Source: hadolint DL3055. Values with variables in them are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.instructions.label_values import label_values

_HASH = re.compile(r"[0-9a-f]{7}|[0-9a-f]{40}")


@rule(code="DL3055", name="invalid-label-hash", severity=Severity.WARNING)
def invalid_label_hash(context: Context) -> Iterator[Finding]:
    for node, name, value in label_values(context, "hash"):
        if not _HASH.fullmatch(value):
            yield context.finding(node, f"Label `{name}` is not a valid git hash.")
