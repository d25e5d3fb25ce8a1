"""A label that is to hold an e-mail address holds none.

Nobody can be asked. Without a schema (``label-schema``) nothing is checked.

Bad:

    # dockstrata.toml
    [lint.label-schema]
    it = "email"
    # Dockerfile
    FROM debian:12.5
    LABEL it="team"

Good:

    # dockstrata.toml
    [lint.label-schema]
    it = "email"
    # Dockerfile
    FROM debian:12.5
    LABEL it="team@example.com"

Source: hadolint DL3058. Values with variables in them are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.instructions.label_values import label_values

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


@rule(code="DL3058", name="invalid-label-email", severity=Severity.WARNING)
def invalid_label_email(context: Context) -> Iterator[Finding]:
    for node, name, value in label_values(context, "email"):
        if not _ADDRESS.fullmatch(value):
            yield context.finding(
                node, f"Label `{name}` is not a valid email format - must conform to RFC5322."
            )
