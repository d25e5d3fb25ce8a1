"""COPY of several files to a target that does not end in a slash.

BuildKit refuses it: several files need a directory, and the slash says that it is one.

Bad:

    FROM debian:12.5
    COPY a.conf b.conf /etc/app

Good:

    FROM debian:12.5
    COPY a.conf b.conf /etc/app/

Fix: unsafe. The build did not work before.

Source: hadolint DL3021.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe, word_spans
from dockstrata.source import Span


@rule(code="DL3021", name="copy-to-no-directory", severity=Severity.ERROR, fix=Fixable.SOMETIMES)
def copy_to_no_directory(context: Context) -> Iterator[Finding]:
    for node in context.instructions("COPY"):
        if len(node.arguments) < 3 or node.heredocs:
            continue
        target = node.arguments[-1].strip("\"'")
        if target.endswith(("/", "\\", "/.")) or target in (".", ".."):
            continue
        end = word_spans(node)[-1].end
        fixable = not node.json and not node.rest.rstrip().endswith(("'", '"'))
        yield context.finding(
            node,
            "COPY with more than 2 arguments requires the last argument to end with /",
            fix=unsafe(context.edit(Span(end, end), "/")) if fixable else None,
        )
