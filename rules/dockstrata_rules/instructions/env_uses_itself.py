"""ENV uses a variable that the same ENV sets.

All values of one ENV see the environment before it: the variable is still unset, or has its old
value.

Bad:

    FROM debian:12.5
    ENV APP_HOME=/opt/app APP_CONF=$APP_HOME/conf

Good:

    FROM debian:12.5
    ENV APP_HOME=/opt/app
    ENV APP_CONF=$APP_HOME/conf

Fix: unsafe. The ENV is cut in two before the pair that uses an earlier one: the value becomes what
was meant.

Source: hadolint DL3044. A variable that was set before is no finding, nor is one in single quotes.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import (
    Context,
    Evaluated,
    Finding,
    Fix,
    Fixable,
    Instruction,
    Severity,
    rule,
    unsafe,
)
from dockstrata.source import Span
from dockstrata.syntax.words import WordError, expand


@rule(code="DL3044", name="env-uses-itself", severity=Severity.ERROR, fix=Fixable.SOMETIMES)
def env_uses_itself(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            circular = _circular(item) if node.keyword == "ENV" and len(node.arguments) > 3 else []
            if circular:
                yield context.finding(
                    node,
                    "Do not refer to an environment variable within the same `ENV` statement"
                    " where it is defined.",
                    fix=_cut(context, node, circular),
                )


def _circular(item: Evaluated) -> list[tuple[int, set[str]]]:
    """Which pairs use what others set, and the names."""
    node = item.instruction
    pairs = node.pairs()
    found: list[tuple[int, set[str]]] = []
    for index, (_, value) in enumerate(pairs):
        others = {name for at, (name, _) in enumerate(pairs) if at != index}
        used: set[str] = set()

        def lookup(name: str, used: set[str] = used) -> str | None:
            used.add(name)
            return None

        try:
            expand(value, lookup, node.escape)
        except WordError:
            continue
        names = {name for name in used if name in others and name not in item.before.env}
        if names:
            found.append((index, names))
    return found


def _cut(context: Context, node: Instruction, circular: list[tuple[int, set[str]]]) -> Fix | None:
    """Begin a new ENV at the first of the pairs, where all that it uses is set before it."""
    index, names = circular[0]
    pairs = node.pairs()
    if not names <= {name for name, _ in pairs[:index]} or node.trigger is not None:
        return None
    end = at = node.arguments_at
    for name, value in pairs[: index + 1]:
        before, at = end, node.line.find(f"{name}={value}", end)
        if at < 0:
            return None
        end = at + len(name) + 1 + len(value)
    span = Span(node.span_of(before - 1, before).end, node.offset(at))
    if context.source.text[span.start : span.end].strip(" \t\r\n" + node.escape):
        return None  # a comment stands between the two
    return unsafe(context.edit(span, f"\n{node.written} "))
