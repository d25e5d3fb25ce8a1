"""A comment directly above a stage or ARG does not describe it.

``docker build --call=outline`` shows such a comment as the description where it begins with the
name. Off by default, as in BuildKit: put an empty line below a comment that is meant otherwise.

Bad:

    # the version
    ARG VERSION=1
    FROM debian:12.5

Good:

    # VERSION is the release to build
    ARG VERSION=1

    # anything else

    FROM debian:12.5 AS base

An indented comment describes nothing.

Fix: safe. An empty line goes between the two; not below a comment that silences rules, which would
no longer do so.

Source: BuildKit InvalidDefinitionDescription, which (0.25) reports a comment above an empty line
too, although its message says to put one there.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fix, Fixable, Instruction, Severity, rule, safe
from dockstrata.source import Source, Span
from dockstrata.syntax.nodes import Comment
from dockstrata_rules.comments import IGNORES


@rule(
    code="InvalidDefinitionDescription",
    name="invalid-definition-description",
    severity=Severity.INFO,
    default=False,
    fix=Fixable.SOMETIMES,
)
def invalid_definition_description(context: Context) -> Iterator[Finding]:
    directives = {directive.line for directive in context.document.directives}
    comments = {
        comment.line: _text(context.source, comment)
        for comment in context.document.comments
        if comment.line not in directives
    }
    for node in context.document.instructions:
        what, names = _definition(node)
        text = comments.get(node.start_line - 1, "")
        if names and text and text.split(" ", 1)[0] not in names:
            name = names[0] if len(names) == 1 else "<arg_key>"
            yield context.finding(
                node,
                f"Comment for {what} should follow the format: `# {name} <description>`."
                " If this is not intended to be a description comment,"
                " add an empty line or comment between the instruction and the comment.",
                fix=_apart(context, node, text),
            )


def _text(source: Source, comment: Comment) -> str:
    """The text as BuildKit takes it: the line less its first character, be it the ``#`` or not."""
    line = source.text[source.line_span(comment.line).start : comment.span.end]
    return line.removeprefix("\ufeff")[1:].strip()


def _apart(context: Context, node: Instruction, comment: str) -> Fix | None:
    if IGNORES.search(comment):
        return None
    return safe(context.edit(Span(node.start, node.start), "\n"))


def _definition(node: Instruction) -> tuple[str, list[str]]:
    if node.keyword == "FROM" and len(node.arguments) == 3:
        return "build stage", [node.arguments[2].lower()]
    if node.keyword == "ARG" and node.arguments:
        return "argument", [word.partition("=")[0] for word in node.arguments]
    return "", []
