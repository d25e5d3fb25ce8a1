"""A label that is to hold a license holds no SPDX license expression.

Tools that check licenses cannot read it. Without a schema (``label-schema``) nothing is checked.

Bad:

    # dockstrata.toml
    [lint.label-schema]
    it = "spdx"
    # Dockerfile
    FROM debian:12.5
    LABEL it="Apache License 2.0"

Good:

    # dockstrata.toml
    [lint.label-schema]
    it = "spdx"
    # Dockerfile
    FROM debian:12.5
    LABEL it="Apache-2.0"

Good:

    # dockstrata.toml
    [lint.label-schema]
    it = "spdx"
    # Dockerfile
    FROM debian:12.5
    LABEL it="(MIT OR Apache-2.0) AND LicenseRef-Example"

Source: hadolint DL3054, which takes a single identifier alone, in the list's own capitals and not
deprecated. Here all counts that the SPDX specification (annex "SPDX license expressions") takes,
as the OCI annotation ``org.opencontainers.image.licenses`` asks for: AND, OR, WITH, ``+``,
LicenseRef, any case, identifiers that are deprecated. Values with variables in them are passed
over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.instructions.label_values import label_values

# A license of another SPDX document; what is left is a license reference of this one.
_OTHER_DOCUMENT = re.compile(r"\bDocumentRef-[A-Za-z0-9.-]+:(?=LicenseRef-)")


@rule(code="DL3054", name="invalid-label-license", severity=Severity.WARNING)
def invalid_label_license(context: Context) -> Iterator[Finding]:
    for node, name, value in label_values(context, "spdx"):
        if not _is_expression(value):
            yield context.finding(
                node, f"Label `{name}` is not a valid SPDX license expression: `{value}`."
            )


def _is_expression(text: str) -> bool:
    # The list of licenses is loaded where a schema asks for it.
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        canonicalize_license_expression(_OTHER_DOCUMENT.sub("", text))
    except InvalidLicenseExpression:
        return False
    return True
