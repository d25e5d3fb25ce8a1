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

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, safe, word_spans


@rule(
    code="ExposeProtoCasing",
    name="expose-proto-casing",
    severity=Severity.WARNING,
    fix=Fixable.ALWAYS,
)
def expose_proto_casing(context: Context) -> Iterator[Finding]:
    for node in context.instructions("EXPOSE"):
        for word, span in zip(node.arguments, word_spans(node), strict=False):
            port, slash, protocol = word.partition("/")
            if "$" in protocol or protocol == protocol.lower():
                continue
            yield context.finding(
                node,
                f"Defined protocol '{word}' in EXPOSE instruction should be lowercase",
                fix=safe(context.edit(span, port + slash + protocol.lower())),
            )
