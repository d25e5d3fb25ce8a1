"""An instruction stands before the first FROM.

Only ARG may: everything else belongs to a stage, and there is none yet.

Bad:

    LABEL stage=test
    FROM debian:12.5

Good:

    ARG RELEASE=12.5
    FROM debian:$RELEASE
    LABEL stage=test

Source: hadolint DL3061.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule


@rule(code="DL3061", name="before-from", severity=Severity.ERROR)
def before_from(context: Context) -> Iterator[Finding]:
    for node in context.document.instructions:
        if node.keyword == "FROM":
            return
        if node.keyword != "ARG":
            yield context.finding(
                node,
                "Invalid instruction order. Dockerfile must begin with `FROM`, `ARG` or comment.",
            )
