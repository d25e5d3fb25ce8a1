"""A stage is called ``scratch`` or ``context``, names that BuildKit keeps for itself.

``FROM scratch`` is the empty image, and ``context`` is the build context of ``--build-context``.

Bad:

    FROM debian:12.5 AS context

Good:

    FROM debian:12.5 AS sources

Source: hadolint DL3063; BuildKit ReservedStageName.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule

_RESERVED = frozenset({"context", "scratch"})


@rule(
    code="DL3063",
    name="reserved-stage-name",
    severity=Severity.WARNING,
    aliases=("ReservedStageName",),
)
def reserved_stage_name(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        if stage.name in _RESERVED:
            yield context.finding(
                stage.node,
                f'Stage name should not use the same name as reserved stage "{stage.name}"',
            )
