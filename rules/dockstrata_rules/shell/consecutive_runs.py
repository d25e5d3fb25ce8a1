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

Source: hadolint DL3059, which passes over RUNs of several commands or of other flags.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Instruction, Severity, rule
from dockstrata.syntax.shell import shell_of


@rule(code="DL3059", name="consecutive-runs", severity=Severity.INFO)
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
                    node, "Multiple consecutive `RUN` instructions. Consider consolidation."
                )
            last = node


def _simple(node: Instruction) -> bool:
    if node.rest.lower().startswith(("powershell ", "pwsh ")):
        # A script in quotes is one argument.
        head, quote, _ = node.rest.partition('"')
        return bool(quote) and ";" not in head
    shell = shell_of(node)
    return shell is not None and len(shell.script.commands) <= 1
