"""USER is a name, which only the image itself can turn into a number.

Kubernetes refuses to run such an image where ``runAsNonRoot`` is asked for: it cannot see that the
name is not root's.

Bad:

    FROM debian:12.5
    USER app

Good:

    FROM debian:12.5
    USER 1000

Source: hadolint DL3066. A variable that ENV sets counts as its value; one from ARG is no
finding, that of another stage neither: FROM may mean that stage.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Evaluated, Finding, Instruction, Severity, rule
from dockstrata.syntax.words import WordError, expand, symbol


@rule(code="DL3066", name="named-user", severity=Severity.INFO)
def named_user(context: Context) -> Iterator[Finding]:
    arguments = list(context.instructions("ARG"))
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
            if user.startswith(symbol("arg")[:-1]) or (not user and _named_above(arguments, item)):
                continue
            if not user.split(":")[0].isdecimal():
                yield context.finding(
                    node, "Non-numeric user-id may not be resolvable by host system"
                )


def _named_above(arguments: list[Instruction], item: Evaluated) -> bool:
    """Whether what USER names is an argument of any stage above."""
    names = {
        word.partition("=")[0]
        for node in arguments
        if node.span < item.instruction.span
        for word in node.arguments
    }
    return bool(item.uses & names)
