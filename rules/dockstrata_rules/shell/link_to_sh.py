"""``/bin/sh`` is linked to another shell, to change what RUN uses.

Everything in the image that calls ``sh`` is changed with it. SHELL changes RUN alone.

Bad:

    FROM debian:12.5
    RUN ln -sf /bin/bash /bin/sh

Good:

    FROM debian:12.5
    SHELL ["/bin/bash", "-c"]

Source: hadolint DL4005.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.packages.by_run import by_run


@rule(code="DL4005", name="link-to-sh", severity=Severity.WARNING)
def link_to_sh(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "ln"):
        if any("/bin/sh" in command.values for command in commands):
            yield context.finding(shell.instruction, "Use SHELL to change the default shell")
