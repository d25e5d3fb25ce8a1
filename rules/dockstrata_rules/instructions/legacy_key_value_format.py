"""ENV and LABEL in the old form without ``=`` take one pair and hide mistakes.

Everything after the first blank is the value, so a second pair on the line silently becomes part
of the first one's value. The form is kept for old files only.

Bad:

    FROM debian:12.5
    ENV APP_HOME /opt/app

Good:

    FROM debian:12.5
    ENV APP_HOME=/opt/app

Fix: safe. The value is quoted where it must be, and is the same value.

Source: BuildKit LegacyKeyValueFormat.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fix, Fixable, Instruction, Severity, rule, safe
from dockstrata.source import Span
from dockstrata.syntax.arguments import split_words
from dockstrata.syntax.words import WordError, expand, symbol


@rule(
    code="LegacyKeyValueFormat",
    name="legacy-key-value-format",
    severity=Severity.WARNING,
    fix=Fixable.SOMETIMES,
)
def legacy_key_value_format(context: Context) -> Iterator[Finding]:
    for node in context.instructions("ENV", "LABEL"):
        if len(node.arguments) == 3 and node.arguments[2] == "":
            yield context.finding(
                node,
                f'"{node.keyword} key=value" should be used instead of legacy'
                f' "{node.keyword} key value" format',
                fix=_fix(context, node),
            )


def _fix(context: Context, node: Instruction) -> Fix | None:
    name, value = node.pairs()[0]
    at = node.line.index(name, node.arguments_at) + len(name)
    begin = node.line.find(value, at)
    if begin < 0 or "=" in name:
        return None
    gap, rest = node.span_of(at, begin), node.span_of(begin, begin + len(value))
    written = context.source.text
    if "#" in written[gap.start : gap.end]:
        return None
    joined = Span(gap.start, rest.start)
    for before, after in (("", ""), ('"', '"'), ("'", "'")):
        if _same(value, before + value + after, node.escape):
            edits = [context.edit(joined, "=" + before)]
            if after:
                edits.append(context.edit(Span(rest.end, rest.end), after))
            return safe(*edits)
    quoted = '"' + value.replace('"', "") + '"'
    if "\n" not in written[rest.start : rest.end] and _same(value, quoted, node.escape):
        return safe(context.edit(Span(gap.start, rest.end), "=" + quoted))
    return None


def _same(old: str, new: str, escape: str) -> bool:
    """Whether ``new`` is one word and expands to what ``old`` does, for every variable."""
    try:
        if split_words(f"x={new}", escape) != [f"x={new}"]:
            return False
        return expand(old, _symbol, escape) == expand(new, _symbol, escape)
    except WordError:
        return False


def _symbol(name: str) -> str:
    return symbol("any", name)
