"""COPY to a relative target where no WORKDIR was set.

Where the files end up depends on the root image's working directory, which may change.

Bad:

    FROM debian:12.5
    COPY app.jar lib/

Good:

    FROM debian:12.5
    WORKDIR /app
    COPY app.jar lib/

Source: hadolint DL3045. The WORKDIR of the stage that FROM names is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.meaning.paths import ROOT_DIRECTORY
from dockstrata.rule import Context, Evaluated, Finding, Severity, Stage, rule


@rule(code="DL3045", name="copy-without-workdir", severity=Severity.WARNING)
def copy_without_workdir(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        said = _says(context, stage)
        for item in stage.evaluated:
            node = item.instruction
            said = said or node.keyword == "WORKDIR"
            if node.keyword != "COPY" or len(node.arguments) < 2 or node.span < stage.node.span:
                continue
            if _unset(item, said) and _relative(node.arguments[-1].strip("\"'")):
                yield context.finding(
                    node, "`COPY` to a relative destination without `WORKDIR` set."
                )


def _says(context: Context, stage: Stage) -> bool:
    """Whether a stage below has a WORKDIR."""
    below = [] if stage.base is None else [stage.base]
    while stage.parent is not None:
        stage = context.stages[stage.parent]
        below.append(stage)
    return any(item.instruction.keyword == "WORKDIR" for one in below for item in one.evaluated)


def _unset(item: Evaluated, said: bool) -> bool:
    # From scratch it is the root directory, where nobody said so.
    return item.before.workdir == ROOT_DIRECTORY or (item.before.workdir == "/" and not said)


def _relative(target: str) -> bool:
    return not target.startswith(("/", "\\", "$")) and target[1:2] != ":"
