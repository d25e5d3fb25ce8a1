"""hadolint's ignore comments are used, where a project wants none.

Off by default. A rule that is ignored here and there is better ignored in the configuration, where
everybody sees it; or the finding is mended.

Bad:

    # hadolint ignore=DL3007
    FROM debian:latest

Good:

    FROM debian:12.5

Source: hadolint DL1001, off there too. Our own comments are not meant: ``--require-reason`` asks
them for a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule

_IGNORE = re.compile(r"[ \t]*#[ \t]*hadolint[ \t]+(?:global[ \t]+)?ignore[ \t]*=[ \t]*[A-Z]+\d")


@rule(code="DL1001", name="hadolint-ignore", severity=Severity.INFO, default=False)
def hadolint_ignore(context: Context) -> Iterator[Finding]:
    for comment in context.document.comments:
        if _IGNORE.match(comment.text):
            yield context.finding(
                comment.span,
                "Please refrain from using inline ignore pragmas `# hadolint ignore`.",
            )
