"""A pipe's failure is not seen: the step fails only where the pipe's last command does.

``curl … | tar x`` goes on with half a download. With ``pipefail`` the whole pipe fails.

Bad:

    FROM debian:12.5
    RUN curl -fsS https://example.com/x.tar | tar x

Good:

    FROM debian:12.5
    SHELL ["/bin/bash", "-o", "pipefail", "-c"]
    RUN curl -fsS https://example.com/x.tar | tar x

Source: hadolint DL4006. The SHELL of the stage that FROM names is known, and so is
``set -o pipefail`` in the script itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.shell import Script

_HAVE_PIPEFAIL = frozenset({"bash", "ash", "zsh", "ksh", "busybox"})


@rule(code="DL4006", name="pipefail", severity=Severity.WARNING)
def pipefail(context: Context) -> Iterator[Finding]:
    for item, shell in context.shells("|"):
        if not shell.script.pipes or _by_shell(item.before.shell) or _by_set(shell.script):
            continue
        yield context.finding(
            shell.instruction,
            "Set the SHELL option -o pipefail before RUN with a pipe in it. If you are using"
            " /bin/sh in an alpine image or if your shell is symlinked to busybox then consider"
            " explicitly setting your SHELL to /bin/ash, or disable this check",
        )


def _by_shell(shell: Sequence[str]) -> bool:
    name = shell[0].rsplit("/", 1)[-1]
    if name == "env" and len(shell) > 1:
        name = shell[1]
    return name in _HAVE_PIPEFAIL and "pipefail" in shell


def _by_set(script: Script) -> bool:
    first = min((c.start for c in script.commands if c.pipe is not None), default=0)
    return any(
        command.start < first and "pipefail" in command.values for command in script.named("set")
    )
