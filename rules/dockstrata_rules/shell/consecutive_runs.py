"""Simple RUNs follow each other; one would do.

Each is a layer of its own. Whether joining helps depends on the cache: what changes often should
stay apart.

Bad:

    FROM debian:12.5
    RUN make
    RUN make install

Good:

    FROM debian:12.5
    RUN make && make install

Fix: unsafe. The RUNs are joined by ``&&``: other layers, the same files. There is none where the
first changes the shell itself (``cd``, ``export``), as that would now reach the second.

Source: hadolint DL3059, which passes over RUNs of several commands or of other flags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockstrata.rule import (
    Context,
    Evaluated,
    Finding,
    Fix,
    Fixable,
    Instruction,
    Severity,
    rule,
    unsafe,
)
from dockstrata.source import Span
from dockstrata.syntax.gotext import SPACE
from dockstrata.syntax.shell import Shell, shell_of
from dockstrata_rules.comments import IGNORES

_LASTING = frozenset(
    {
        ".",
        "alias",
        "cd",
        "declare",
        "eval",
        "exec",
        "exit",
        "export",
        "hash",
        "let",
        "popd",
        "pushd",
        "read",
        "readonly",
        "set",
        "shopt",
        "source",
        "trap",
        "typeset",
        "ulimit",
        "umask",
        "unalias",
        "unset",
    }
)
"""What changes the shell that runs it, and so what comes after it."""


@rule(code="DL3059", name="consecutive-runs", severity=Severity.INFO, fix=Fixable.SOMETIMES)
def consecutive_runs(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        last: Instruction | None = None
        for item in stage.evaluated:
            node = item.instruction
            if node.keyword != "RUN":
                last = None
                continue
            if last is not None and last.flags == node.flags and _simple(last) and _simple(node):
                yield context.finding(
                    node,
                    "Multiple consecutive `RUN` instructions. Consider consolidation.",
                    fix=_joined(context, last, item),
                )
            last = node


def _simple(node: Instruction) -> bool:
    if node.rest.lower().startswith(("powershell ", "pwsh ")):
        # A script in quotes is one argument.
        head, quote, _ = node.rest.partition('"')
        return bool(quote) and ";" not in head
    shell = shell_of(node)
    if shell is None:
        return False
    # hadolint: a condition in brackets is no command.
    return sum(command.name not in ("[", "[[") for command in shell.script.commands) <= 1


def _joined(context: Context, above: Instruction, item: Evaluated) -> Fix | None:
    node, shell = item.instruction, item.before.shell
    first, second = _command(above, shell), _command(node, shell)
    if first is None or second is None or first.script.commands[0].words[0].value in _LASTING:
        return None
    end = above.offset(len(above.line.rstrip(SPACE)) - 1) + 1
    between = context.source.text[end : node.start].split("\n")[1:]
    comments = [line for line in between if line.strip()]
    # Behind the first RUN on its own line something may stand that is no part of it.
    if context.source.text[end : node.start].split("\n")[0].strip() or not all(
        line.lstrip().startswith("#") and not IGNORES.search(line) for line in comments
    ):
        return None
    text = "\n".join([f" && {node.escape}", *comments, "    "])
    return unsafe(context.edit(Span(end, node.offset(node.arguments_at)), text))


def _command(node: Instruction, shell: Sequence[str]) -> Shell | None:
    """The RUN's one command where another can plainly be joined to it."""
    found = None if node.json or node.heredocs else shell_of(node, shell)
    if found is None or found.script.broken or len(found.script.commands) != 1:
        return None
    text = found.script.text.rstrip()
    return None if "#" in text or text.endswith(("&", ";", "|", "\\")) else found
