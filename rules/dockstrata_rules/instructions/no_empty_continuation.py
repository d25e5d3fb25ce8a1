"""An instruction has an empty line inside.

The instruction goes on after the empty line, which is easily overlooked. BuildKit says that it will
become an error.

Bad:

    FROM debian:12.5
    RUN make \\

        install

Good:

    FROM debian:12.5
    RUN make \\
        install

Fix: safe. The empty lines go; the command keeps every other character.

Source: BuildKit NoEmptyContinuation.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, safe


@rule(
    code="NoEmptyContinuation",
    name="no-empty-continuation",
    severity=Severity.WARNING,
    fix=Fixable.ALWAYS,
)
def no_empty_continuation(context: Context) -> Iterator[Finding]:
    source = context.source
    for node in context.document.instructions:
        if not node.empty_continuations:
            continue
        edits = [context.edit(source.line_span(line), "") for line in node.empty_continuations]
        # BuildKit reports the last line that it has read by then: no heredoc's.
        last = source.position(node.head_span.end)[0] if node.heredocs else node.end_line
        yield context.finding(source.line_span(last), "Empty continuation line", fix=safe(*edits))
