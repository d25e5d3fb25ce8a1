"""FROM and AS are written in different case.

One line reads as two conventions. The build is the same either way.

Bad:

    FROM debian:12.5 as base

Good:

    FROM debian:12.5 AS base

Fix: safe. Only the keyword's case changes.

Source: BuildKit FromAsCasing.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, safe, word_spans


@rule(code="FromAsCasing", name="from-as-casing", severity=Severity.WARNING, fix=Fixable.ALWAYS)
def from_as_casing(context: Context) -> Iterator[Finding]:
    for node in context.instructions("FROM"):
        if len(node.arguments) != 3:
            continue
        word, command = node.arguments[1], node.written
        # A keyword of mixed case is another rule's business.
        if command not in (command.lower(), command.upper()):
            continue
        wanted = word.lower() if command == command.lower() else word.upper()
        if word != wanted:
            yield context.finding(
                node,
                f"'{word}' and '{command}' keywords' casing do not match",
                fix=safe(context.edit(word_spans(node)[1], wanted)),
            )
