"""BuildKit reads the file, and refuses to build it.

An image's name that is none, a quote or a brace without its end in a value, a variable in
``COPY --from``: parsers and checks let them pass, and the build fails.

Bad:

    FROM Debian:12.5
    ENV GREETING it's

Bad:

    ARG TOOLS=example.org/tools:1
    FROM debian:12.5
    COPY --from=${TOOLS} /bin/tool /usr/bin/tool

Good:

    FROM debian:12.5
    ENV GREETING="it's"

Good:

    ARG TOOLS=example.org/tools:1
    FROM ${TOOLS} AS tools
    FROM debian:12.5
    COPY --from=tools /bin/tool /usr/bin/tool

Source: dockstrata; the messages are BuildKit's. buildah and podman expand variables in
``COPY --from``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Instruction, Severity, Stage, rule

_PLACED = re.compile(r"line (\d+): (.*)", re.DOTALL)


@rule(code="DS005", name="does-not-build", severity=Severity.ERROR)
def does_not_build(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        nodes = [stage.node, *(item.instruction for item in stage.evaluated)]
        yield from _refused(context, stage, nodes)
        for node in nodes[1:]:
            if node.keyword == "COPY" and "$" in (node.flag("from") or ""):
                message = (
                    "BuildKit expands no variable in `--from`: give the image a name"
                    " (`FROM $NAME AS name`) and copy from that"
                )
                yield context.finding(node, message)


def _refused(context: Context, stage: Stage, nodes: list[Instruction]) -> Iterator[Finding]:
    """What the stage itself says; a problem of its parent is told there."""
    placed = _PLACED.fullmatch(stage.problem or "")
    if placed is None:
        return
    node = next((it for it in nodes if it.start_line == int(placed[1]) and not it.fault), None)
    # What an argument decides may be right in the build that is meant.
    if node is not None and not (node.keyword == "FROM" and "$" in node.rest):
        yield context.finding(node, f"this does not build: {placed[2]}")
