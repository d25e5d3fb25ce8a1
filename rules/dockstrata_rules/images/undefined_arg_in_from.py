"""FROM uses a build argument that is not declared before the first FROM.

Only an ARG above the first FROM can be seen there. An undeclared one is empty, whatever the build
passes.

Bad:

    FROM debian:${RELEASE}

Good:

    ARG RELEASE=12.5
    FROM debian:${RELEASE}

Source: BuildKit UndefinedArgInFrom.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.meaning.evaluate import PLATFORM_ARGUMENTS
from dockstrata.rule import Context, Finding, Instruction, Severity, rule
from dockstrata.syntax.words import WordError, expand


@rule(code="UndefinedArgInFrom", name="undefined-arg-in-from", severity=Severity.WARNING)
def undefined_arg_in_from(context: Context) -> Iterator[Finding]:
    known = context.evaluation.global_values.keys() | PLATFORM_ARGUMENTS
    for stage in context.stages:
        for name in _used(stage.node):
            if name not in known:
                yield context.finding(stage.node, f"FROM argument '{name}' is not declared")


def _used(node: Instruction) -> list[str]:
    found: dict[str, None] = {}

    def lookup(name: str) -> str | None:
        found[name] = None
        return None

    for word in (*node.arguments[:1], node.flag("platform") or ""):
        try:
            expand(word, lookup, node.escape)
        except WordError:
            continue
    return list(found)
