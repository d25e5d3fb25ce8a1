"""RUN changes directory with ``cd``, which lasts for that RUN alone.

WORKDIR says for the rest of the stage where things happen, and creates the directory.

Bad:

    FROM debian:12.5
    RUN cd /src && make

Good:

    FROM debian:12.5
    WORKDIR /src
    RUN make

Source: hadolint DL3003.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.packages.by_run import by_run


@rule(code="DL3003", name="cd-in-run", severity=Severity.WARNING)
def cd_in_run(context: Context) -> Iterator[Finding]:
    for _item, shell, _commands in by_run(context, "cd"):
        yield context.finding(shell.instruction, "Use WORKDIR to switch to a directory")
