"""EXPOSE names an address or a port of the host.

What an image exposes is the container's own port. Addresses and host ports belong to
``docker run -p``; here they are dropped.

Bad:

    FROM debian:12.5
    EXPOSE 127.0.0.1:8080:80

Good:

    FROM debian:12.5
    EXPOSE 80

Fix: safe. What is dropped had no effect.

Source: BuildKit ExposeInvalidFormat.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, safe
from dockstrata_rules.instructions.ports import ports


@rule(
    code="ExposeInvalidFormat",
    name="expose-invalid-format",
    severity=Severity.WARNING,
    fix=Fixable.SOMETIMES,
)
def expose_invalid_format(context: Context) -> Iterator[Finding]:
    for node, span, word, value in ports(context):
        if not value.rpartition(":")[0].strip(":"):
            continue
        port = word.rpartition(":")[2]
        yield context.finding(
            node,
            "EXPOSE instruction should not define an IP address or host-port mapping,"
            f" found '{word}'",
            fix=safe(context.edit(span, port)) if "$" not in word else None,
        )
