"""Which shell reads a RUN, where SHELL does not say it: what a linter knows and a build does not.

hadolint's comment ``# hadolint shell=bash`` names the shell that a root image has as ``/bin/sh``.
The root images of Windows have cmd.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from dockstrata.meaning.evaluate import Evaluation, Stage

_COMMENT = re.compile(r"[ \t]*#[ \t]*hadolint[ \t]+shell[ \t]*=[ \t]*(\S+)[ \t\r]*")
_WINDOWS = re.compile(r"(?:^|[/:-])(?:windows|windowsservercore|servercore|nanoserver)(?:[/:-]|$)")
_CMD = ("cmd", "/S", "/C")


def apply_shells(evaluation: Evaluation, *, comments: bool = True) -> None:
    """Write these shells into the states of an evaluation that is linted.

    Never into one that is compared: for a build they are nothing. A comment counts for the RUNs
    below it, up to the next SHELL or FROM; one above the first FROM in every stage, until its
    first SHELL.
    """
    for stage in evaluation.stages:
        if _WINDOWS.search(stage.root.lower()):
            _set(stage, stage.node.span.start, (), _CMD)
    if not comments or "hadolint" not in evaluation.document.source.text:
        return
    found = [
        (comment.span.start, (match[1],))
        for comment in evaluation.document.comments
        if (match := _COMMENT.fullmatch(comment.text))
    ]
    if not found or not evaluation.stages:
        return
    first = evaluation.stages[0].node.span.start
    above = [shell for start, shell in found if start < first]
    for stage in evaluation.stages:
        _set(stage, stage.node.span.start, found, above[-1] if above else None)


def _set(
    stage: Stage,
    since: int,
    comments: Sequence[tuple[int, tuple[str, ...]]],
    default: tuple[str, ...] | None,
) -> None:
    starts = [start for start, _ in comments]
    for index, item in enumerate(stage.evaluated):
        at = item.instruction.span.start
        if at < stage.node.span.start:
            continue  # a parent's trigger
        if item.instruction.keyword == "SHELL":
            since, default = at, None
            continue
        last = bisect_right(starts, at) - 1
        if last >= 0 and starts[last] > since:
            shell: tuple[str, ...] | None = comments[last][1]
        else:
            shell = None if item.before.shell_set else default
        if shell is not None:
            before = item.before._replace(shell=shell)
            stage.evaluated[index] = item._replace(before=before)
