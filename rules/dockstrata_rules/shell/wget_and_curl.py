"""A stage downloads with wget here and with curl there.

One of them is enough; the other is one more package to install and to keep safe.

Bad:

    FROM debian:12.5
    RUN wget -q https://example.com/a
    RUN curl -fsSO https://example.com/b

Good:

    FROM debian:12.5
    RUN curl -fsSO https://example.com/a
    RUN curl -fsSO https://example.com/b

Source: hadolint DL4001.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.packages.by_run import by_run


@rule(code="DL4001", name="wget-and-curl", severity=Severity.WARNING)
def wget_and_curl(context: Context) -> Iterator[Finding]:
    if not ("wget" in context.source.text and "curl" in context.source.text):
        return
    starts = [stage.node.start_line for stage in context.stages]
    seen: dict[int, set[str]] = {}
    for _item, shell, commands in by_run(context, "wget", "curl"):
        stage = sum(start <= shell.instruction.start_line for start in starts)
        names = seen.setdefault(stage, set())
        names.update(command.name for command in commands)
        if len(names) == 2:
            yield context.finding(shell.instruction, "Either use Wget or Curl but not both")
