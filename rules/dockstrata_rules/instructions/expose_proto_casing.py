"""EXPOSE names a protocol in capital letters.

Protocols are written ``tcp``, ``udp`` and ``sctp``; some tools compare them as text.

Bad:

    FROM debian:12.5
    EXPOSE 53/UDP

Good:

    FROM debian:12.5
    EXPOSE 53/udp

Fix: safe. The image's configuration has the small letters either way.

Source: BuildKit ExposeProtoCasing.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, safe
from dockstrata_rules.instructions.ports import ports


@rule(
    code="ExposeProtoCasing",
    name="expose-proto-casing",
    severity=Severity.WARNING,
    fix=Fixable.SOMETIMES,
)
def expose_proto_casing(context: Context) -> Iterator[Finding]:
    for node, span, word, value in ports(context):
        protocol = value.partition("/")[2]
        if protocol == protocol.lower():
            continue
        head, slash, written = word.rpartition("/")
        edit = context.edit(span, head + slash + written.lower())
        yield context.finding(
            node,
            f"Defined protocol '{word}' in EXPOSE instruction should be lowercase",
            fix=safe(edit) if written == protocol else None,
        )
