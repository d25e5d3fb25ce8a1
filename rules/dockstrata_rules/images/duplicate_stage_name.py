"""Two stages have one name.

A later ``FROM name`` or ``--from=name`` means the last stage of that name before it; which one that
is depends on where it stands.

Bad:

    FROM debian:12.5 AS base
    FROM alpine:3.20 AS base

Good:

    FROM debian:12.5 AS base
    FROM alpine:3.20 AS final

Source: hadolint DL3024; BuildKit DuplicateStageName.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Related, Severity, rule


@rule(
    code="DL3024",
    name="duplicate-stage-name",
    severity=Severity.ERROR,
    aliases=("DuplicateStageName",),
)
def duplicate_stage_name(context: Context) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for stage in context.stages:
        if stage.name is None:
            continue
        if stage.name in first:
            line = first[stage.name]
            yield context.finding(
                stage.node,
                f'Duplicate stage name "{stage.name}", stage names should be unique',
                related=[Related(context.document.path, line, "the name is first given here")],
            )
        else:
            first[stage.name] = stage.node.start_line
