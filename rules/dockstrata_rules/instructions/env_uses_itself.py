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

Source: hadolint DL3044. A variable that was set before is no finding, nor is one in single quotes.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Evaluated, Finding, Severity, rule
from dockstrata.syntax.words import WordError, expand


@rule(code="DL3044", name="env-uses-itself", severity=Severity.ERROR)
def env_uses_itself(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            if node.keyword == "ENV" and len(node.arguments) > 3 and _circular(item):
                yield context.finding(
                    node,
                    "Do not refer to an environment variable within the same `ENV` statement"
                    " where it is defined.",
                )


def _circular(item: Evaluated) -> bool:
    node = item.instruction
    pairs = node.pairs()
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
        if any(name in others and name not in item.before.env for name in used):
            return True
    return False
