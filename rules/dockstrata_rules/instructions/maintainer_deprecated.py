"""MAINTAINER is deprecated; a label says it better.

MAINTAINER fills one field of the image's configuration that few tools show. A label carries the
same text, can be read with ``docker inspect`` and follows the OCI annotation names.

Bad:

    FROM debian:12.5
    MAINTAINER Jane Doe <jane@example.com>

Good:

    FROM debian:12.5
    LABEL org.opencontainers.image.authors="Jane Doe <jane@example.com>"

Fix: unsafe. The label replaces the ``author`` field, so the image's configuration changes.

Source: hadolint DL4000; BuildKit MaintainerDeprecated.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe


@rule(
    code="DL4000",
    name="maintainer-deprecated",
    severity=Severity.ERROR,
    aliases=("MaintainerDeprecated",),
    fix=Fixable.ALWAYS,
)
def maintainer_deprecated(context: Context) -> Iterator[Finding]:
    for node in context.instructions("MAINTAINER"):
        text = node.rest.strip("\"'").replace("\\", "\\\\").replace('"', '\\"')
        label = f'LABEL org.opencontainers.image.authors="{text}"'
        yield context.finding(
            node,
            "MAINTAINER is deprecated, use a LABEL such as"
            " org.opencontainers.image.authors instead",
            fix=unsafe(context.edit(node.span, label)),
        )
