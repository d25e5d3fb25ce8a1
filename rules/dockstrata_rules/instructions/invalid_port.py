"""EXPOSE names a port that does not exist.

Ports range from 0 to 65535.

Bad:

    FROM debian:12.5
    EXPOSE 80000

Good:

    FROM debian:12.5
    EXPOSE 8000

Source: hadolint DL3011.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule

_LAST = 65535


@rule(code="DL3011", name="invalid-port", severity=Severity.ERROR)
def invalid_port(context: Context) -> Iterator[Finding]:
    for node in context.instructions("EXPOSE"):
        if any(_beyond(word) for word in node.arguments):
            yield context.finding(node, "Valid UNIX ports range from 0 to 65535")


def _beyond(word: str) -> bool:
    ports = word.partition("/")[0].rsplit(":", 1)[-1].split("-")
    return any(port.isdecimal() and int(port) > _LAST for port in ports)
