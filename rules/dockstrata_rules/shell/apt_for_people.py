"""``apt`` is made for people; its output and options may change at any time.

``apt-get`` and ``apt-cache`` are kept stable for scripts.

Bad:

    FROM debian:12.5
    RUN apt update

Good:

    FROM debian:12.5
    RUN apt-get update

Fix: unsafe. The command does the same, but the step's cache key changes.

Source: hadolint DL3027.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe
from dockstrata_rules.packages.by_run import by_run

_CACHE = frozenset({"search", "show", "policy", "depends", "rdepends"})
_NO_COUNTERPART = frozenset({"list", "edit-sources", "full-upgrade"})


@rule(code="DL3027", name="apt-for-people", severity=Severity.WARNING, fix=Fixable.SOMETIMES)
def apt_for_people(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "apt"):
        edits = []
        for command in commands:
            name = "apt-cache" if _CACHE & set(command.values) else "apt-get"
            if not _NO_COUNTERPART & set(command.values):
                edits.append(context.edit(shell.span(command.words[0]), name))
        yield context.finding(
            shell.instruction,
            "Do not use apt as it is meant to be an end-user tool, use apt-get or apt-cache"
            " instead",
            fix=unsafe(*edits) if len(edits) == len(commands) else None,
        )
