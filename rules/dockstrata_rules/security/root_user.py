"""The image runs as root, because USER says so last.

What breaks out of the process is then root outside as well. Switch back to another user once root
has done its work.

Bad:

    FROM debian:12.5
    USER root

Good:

    FROM debian:12.5
    USER root
    RUN apt-get update
    USER 1000

Source: hadolint DL3002. Stages that the file only builds on or copies from are passed over, and so
are bases that ``apply`` made. The USER of the stage below is known, also where another file of the
set builds it.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Instruction, Severity, Stage, rule
from dockstrata_rules.images.roots import run_stages

_ROOT = frozenset({"root", "0"})


@rule(code="DL3002", name="root-user", severity=Severity.WARNING)
def root_user(context: Context) -> Iterator[Finding]:
    seen: set[int] = set()
    for stage in run_stages(context):
        user = (stage.end.user or "").split(":")[0]
        node = _last_user(context, stage) if user in _ROOT else None
        if node is None and user in _ROOT and stage.base is not None:
            node = stage.node
        if node is not None and node.start_line not in seen:
            seen.add(node.start_line)
            yield context.finding(node, "Last USER should not be root")


def _last_user(context: Context, stage: Stage) -> Instruction | None:
    found = [i.instruction for i in stage.evaluated if i.instruction.keyword == "USER"]
    if found:
        return found[-1]
    return None if stage.parent is None else _last_user(context, context.stages[stage.parent])
