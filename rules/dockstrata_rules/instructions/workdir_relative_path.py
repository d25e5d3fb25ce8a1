"""WORKDIR is relative.

Where no absolute one came before, the place depends on the root image's own working directory.
After an absolute one it is sure, but the reader has to look for it.

Bad:

    FROM debian:12.5
    WORKDIR app

Good:

    FROM debian:12.5
    WORKDIR /app

Fix: safe where an absolute WORKDIR came before: the directory is the same, written in full.

Source: hadolint DL3000; BuildKit WorkdirRelativePath, which reports the first case alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.meaning.evaluate import Evaluated
from dockstrata.meaning.paths import resolve
from dockstrata.rule import Context, Finding, Fix, Fixable, Severity, rule, safe
from dockstrata.syntax.words import WordError, expand, is_symbolic
from dockstrata_rules.instructions.defaults import with_defaults


@rule(
    code="DL3000",
    name="workdir-relative-path",
    severity=Severity.ERROR,
    aliases=("WorkdirRelativePath",),
    fix=Fixable.SOMETIMES,
)
def workdir_relative_path(context: Context) -> Iterator[Finding]:
    # The stages that have a WORKDIR, of their own or inherited.
    done: set[int] = set()
    for stage in context.stages:
        if stage.parent in done:
            done.add(stage.index)
        for item in stage.evaluated:
            node = item.instruction
            if node.keyword != "WORKDIR" or node.fault is not None:
                continue
            first = stage.index not in done
            done.add(stage.index)
            try:
                path = expand(node.rest, with_defaults(item.before.env).get, node.escape)
            except WordError:
                continue
            if _absolute(path) or is_symbolic(path[:1]):
                continue
            # To hadolint a variable may be absolute; BuildKit knows its value.
            variable = node.rest.strip("\"'").startswith("$")
            # BuildKit reports the first of a chain: it is the one to mend.
            if first:
                yield context.finding(
                    node,
                    f'Relative workdir "{path}" can have unexpected results'
                    " if the base image changes",
                )
            elif not variable:
                yield context.finding(
                    node, "Use absolute WORKDIR", aliases=(), fix=_fix(context, item)
                )


def _absolute(path: str) -> bool:
    return path.startswith(("/", "\\")) or path[1:2] == ":"


def _fix(context: Context, item: Evaluated) -> Fix | None:
    node, directory = item.instruction, item.before.workdir
    if is_symbolic(directory) or not node.rest.isascii() or set(node.rest) & set("$\\`'\" "):
        return None
    span = node.span_of(node.arguments_at, node.arguments_at + len(node.rest))
    return safe(context.edit(span, resolve(directory, node.rest)))
