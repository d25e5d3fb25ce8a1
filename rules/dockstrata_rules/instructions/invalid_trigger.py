"""ONBUILD triggers an instruction that cannot be triggered.

ONBUILD, FROM and MAINTAINER are refused by BuildKit in a trigger.

Bad:

    FROM debian:12.5
    ONBUILD ONBUILD RUN make

Good:

    FROM debian:12.5
    ONBUILD RUN make

Source: hadolint DL3043.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule

_REFUSED = frozenset({"ONBUILD", "FROM", "MAINTAINER"})


@rule(code="DL3043", name="invalid-trigger", severity=Severity.ERROR)
def invalid_trigger(context: Context) -> Iterator[Finding]:
    for node in context.document.instructions:
        if node.trigger is not None and node.trigger.keyword in _REFUSED:
            yield context.finding(
                node,
                "`ONBUILD`, `FROM` or `MAINTAINER` triggered from within `ONBUILD` instruction.",
            )
