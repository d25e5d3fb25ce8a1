"""RUN calls a command that makes no sense while an image is built.

There is no terminal, no init system and no other process; what such a command starts or stops is
gone when the step ends.

Bad:

    FROM debian:12.5
    RUN service nginx start

Good:

    FROM debian:12.5
    CMD ["nginx", "-g", "daemon off;"]

Source: hadolint DL3001.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.packages.by_run import by_run

_COMMANDS = (
    "ssh", "vim", "shutdown", "service", "ps", "free", "top", "kill", "mount", "ifconfig",
)  # fmt: skip


@rule(code="DL3001", name="pointless-command", severity=Severity.INFO)
def pointless_command(context: Context) -> Iterator[Finding]:
    for _item, shell, _commands in by_run(context, *_COMMANDS):
        yield context.finding(
            shell.instruction,
            "For some bash commands it makes no sense running them in a Docker container like"
            " `ssh`, `vim`, `shutdown`, `service`, `ps`, `free`, `top`, `kill`, `mount`,"
            " `ifconfig`",
        )
