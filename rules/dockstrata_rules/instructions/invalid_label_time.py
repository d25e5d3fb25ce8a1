"""A label that is to hold a time holds none as RFC 3339 writes it.

Programs cannot compare it. Without a schema (``label-schema``) nothing is checked.

Bad:

    # dockstrata.toml
    [lint.label-schema]
    it = "rfc3339"
    # Dockerfile
    FROM debian:12.5
    LABEL it="2024-05-01"

Good:

    # dockstrata.toml
    [lint.label-schema]
    it = "rfc3339"
    # Dockerfile
    FROM debian:12.5
    LABEL it="2024-05-01T10:00:00Z"

Source: hadolint DL3053. Values with variables in them are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.instructions.label_values import label_values

_TIME = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)"
    r"(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
)


@rule(code="DL3053", name="invalid-label-time", severity=Severity.WARNING)
def invalid_label_time(context: Context) -> Iterator[Finding]:
    for node, name, value in label_values(context, "rfc3339"):
        if not _TIME.fullmatch(value):
            yield context.finding(
                node, f"Label `{name}` is not a valid time format - must conform to RFC3339."
            )
