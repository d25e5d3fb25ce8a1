"""CMD or ENTRYPOINT in shell form puts a shell between the signals and the program.

``docker stop`` signals the shell, which does not pass it on; the program is killed after the grace
period. The JSON form starts the program itself.

Bad:

    FROM debian:12.5
    CMD serve --port 80

Good:

    FROM debian:12.5
    CMD ["serve", "--port", "80"]

Fix: unsafe, of plain words alone. The program gets the signals, and no shell is there any more.

Source: hadolint DL3025, which wants it of HEALTHCHECK too; BuildKit JSONArgsRecommended, which lets
a stage pass that sets its SHELL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fix, Fixable, Instruction, Severity, rule, unsafe

# Nothing that a shell would expand, quote, join or redirect.
_PLAIN = re.compile(r"[A-Za-z0-9_./:=@%+, \t-]+")
_BUILTINS = frozenset(
    (
        ".", ":", "alias", "break", "cd", "command", "continue", "eval", "exec", "exit", "export",
        "read", "readonly", "return", "set", "shift", "source", "times", "trap", "type", "ulimit",
        "umask", "unset", "wait",
    )
)  # fmt: skip


@rule(
    code="DL3025",
    name="json-args-recommended",
    severity=Severity.WARNING,
    aliases=("JSONArgsRecommended",),
    fix=Fixable.SOMETIMES,
)
def json_args_recommended(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            if node.json or node.fault is not None:
                continue
            if node.keyword in ("CMD", "ENTRYPOINT"):
                aliases = () if item.before.shell_set else None
            elif node.keyword == "HEALTHCHECK" and node.arguments[0].upper() == "CMD":
                aliases = ()
            else:
                continue
            yield context.finding(
                node,
                f"JSON arguments recommended for {node.keyword}"
                " to prevent unintended behavior related to OS signals",
                aliases=aliases,
                fix=_fix(context, node),
            )


def _fix(context: Context, node: Instruction) -> Fix | None:
    """The same words in JSON, where the shell does nothing but split them."""
    start = node.arguments_at
    text = node.rest.rstrip()
    if node.keyword == "HEALTHCHECK":
        skipped = len(text) - len(text[3:].lstrip())
        start, text = start + skipped, text[skipped:]
    words = text.split()
    if not words or node.heredocs or not _PLAIN.fullmatch(text) or words[0] in _BUILTINS:
        return None
    if "=" in words[0]:
        return None
    form = json.dumps(words)
    return unsafe(context.edit(node.span_of(start, start + len(text)), form))
