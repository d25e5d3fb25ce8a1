"""A label that is to hold a version holds none as semver.org writes it.

Programs cannot compare it. Without a schema (``label-schema``) nothing is checked.

Bad:

    # dockstrata.toml
    [lint.label-schema]
    it = "semver"
    # Dockerfile
    FROM debian:12.5
    LABEL it="v1.2.3"

Good:

    # dockstrata.toml
    [lint.label-schema]
    it = "semver"
    # Dockerfile
    FROM debian:12.5
    LABEL it="1.2.3"

Source: hadolint DL3056. Values with variables in them are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.instructions.label_values import label_values

_NUMBER = r"(?:0|[1-9]\d*)"
_PART = rf"(?:{_NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_PART}(?:\.{_PART})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


@rule(code="DL3056", name="invalid-label-version", severity=Severity.WARNING)
def invalid_label_version(context: Context) -> Iterator[Finding]:
    for node, name, value in label_values(context, "semver"):
        if not _VERSION.fullmatch(value):
            yield context.finding(node, f"Label `{name}` does not conform to semantic versioning.")
