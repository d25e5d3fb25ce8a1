"""A stage name has capital letters.

Stage names are looked up without regard to case in some places and with it in others: ``FROM Base``
is not found where ``COPY --from=Base`` is. Small letters work everywhere.

Bad:

    FROM debian:12.5 AS Base

Good:

    FROM debian:12.5 AS base

Fix: safe where the name is used as written or not at all; uses are changed with it.

Source: BuildKit StageNameCasing.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Edit, Finding, Fixable, Severity, rule, safe, word_spans


@rule(
    code="StageNameCasing",
    name="stage-name-casing",
    severity=Severity.WARNING,
    fix=Fixable.ALWAYS,
)
def stage_name_casing(context: Context) -> Iterator[Finding]:
    for node in context.instructions("FROM"):
        if len(node.arguments) != 3 or node.arguments[2] == node.arguments[2].lower():
            continue
        name = node.arguments[2]
        edits = [context.edit(word_spans(node)[2], name.lower()), *_uses(context, name)]
        yield context.finding(node, f"Stage name '{name}' should be lowercase", fix=safe(*edits))


def _uses(context: Context, name: str) -> Iterator[Edit]:
    for node in context.instructions("FROM", "COPY"):
        if node.keyword == "FROM":
            if node.arguments and node.arguments[0] == name:
                yield context.edit(word_spans(node)[0], name.lower())
        elif node.flag("from") == name and (span := node.find(f"--from={name}")):
            yield context.edit(span, f"--from={name.lower()}")
