"""``/bin/sh`` is linked to another shell, to change what RUN uses.

Everything in the image that calls ``sh`` is changed with it. SHELL changes RUN alone.

Bad:

    FROM debian:12.5
    RUN ln -sf /bin/bash /bin/sh

Good:

    FROM debian:12.5
    SHELL ["/bin/bash", "-c"]

Fix: unsafe, for a RUN that does nothing else. ``sh`` stays what it was for what runs in the image.

Source: hadolint DL4005.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fix, Fixable, Severity, rule, unsafe
from dockstrata.syntax.shell import Shell
from dockstrata_rules.packages.by_run import by_run

_SHELL = re.compile(r"/[a-z/]*/(?:ash|bash|dash|ksh|zsh)")


@rule(code="DL4005", name="link-to-sh", severity=Severity.WARNING, fix=Fixable.SOMETIMES)
def link_to_sh(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "ln"):
        if any("/bin/sh" in command.values for command in commands):
            yield context.finding(
                shell.instruction,
                "Use SHELL to change the default shell",
                fix=_fix(context, shell),
            )


def _fix(context: Context, shell: Shell) -> Fix | None:
    """SHELL instead of `ln`, where before it at most the old link is removed."""
    node, script = shell.instruction, shell.script
    *before, last = script.commands
    plain = not (node.json or node.flags or node.heredocs or node.trigger or script.broken)
    paths = [value for value in last.values if not value.startswith("-")]
    if not plain or last.name != "ln" or len(paths) != 2 or paths[1] != "/bin/sh":
        return None
    removes = all(it.name == "rm" and it.values[-1:] == ("/bin/sh",) for it in before)
    path = paths[0] if paths[0].startswith("/") else f"/bin/{paths[0]}"
    if not removes or not _SHELL.fullmatch(path) or node not in context.document.instructions:
        return None
    return unsafe(context.edit(node.span, f'SHELL ["{path}", "-c"]'))
