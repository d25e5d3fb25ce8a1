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
from dockstrata.rule import Context, Evaluated, Finding, Severity, rule


@rule(code="DL3045", name="copy-without-workdir", severity=Severity.WARNING)
def copy_without_workdir(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            if node.keyword != "COPY" or len(node.arguments) < 2 or node.span < stage.node.span:
                continue
            if _unset(item) and _relative(node.arguments[-1].strip("\"'")):
                yield context.finding(
                    node, "`COPY` to a relative destination without `WORKDIR` set."
                )


def _unset(item: Evaluated) -> bool:
    # From scratch it is the root directory, which nobody said.
    return item.before.workdir in (ROOT_DIRECTORY, "/")


def _relative(target: str) -> bool:
    return not target.startswith(("/", "\\", "$")) and target[1:2] != ":"
