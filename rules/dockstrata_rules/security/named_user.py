"""USER is a name, which only the image itself can turn into a number.

Kubernetes refuses to run such an image where ``runAsNonRoot`` is asked for: it cannot see that the
name is not root's.

Bad:

    FROM debian:12.5
    USER app

Good:

    FROM debian:12.5
    USER 1000

Source: hadolint DL3066. A variable that ENV sets counts as its value; one from ARG is no finding.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.words import WordError, expand, symbol


@rule(code="DL3066", name="named-user", severity=Severity.INFO)
def named_user(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            if node.keyword != "USER" or node.fault is not None or node.span < stage.node.span:
                continue
            try:
                user = expand(node.rest, item.before.env.get, node.escape)
            except WordError:
                continue
            # What a build argument will be is for the build to say.
            if user.startswith(symbol("arg")[:-1]):
                continue
            if not user.split(":")[0].isdecimal():
                yield context.finding(
                    node, "Non-numeric user-id may not be resolvable by host system"
                )
