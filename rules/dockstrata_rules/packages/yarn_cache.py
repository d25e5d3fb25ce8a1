"""yarn keeps what it downloaded in the image.

The cache is of use only to a later yarn in the same image. Clean it in the same RUN, or keep it out
with a mount.

Bad:

    FROM node:22.1
    RUN yarn install

Good:

    FROM node:22.1
    RUN yarn install && yarn cache clean

Fix: unsafe. The RUN gets one more command, where it plainly ends in one.

Source: hadolint DL3060.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule
from dockstrata.syntax.shell import Command
from dockstrata_rules.packages.by_run import (
    appended,
    by_run,
    lasting,
    mounted,
    operands,
    removed,
)

_VALUED = frozenset({"--cwd", "--cache-folder", "--modules-folder", "--network-timeout"})
_CACHES = ("/usr/local/share/.cache/yarn", "/root/.cache/yarn", "/usr/local/share/.cache/v6")


@rule(code="DL3060", name="yarn-cache", severity=Severity.INFO, fix=Fixable.SOMETIMES)
def yarn_cache(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "yarn"):
        node = shell.instruction
        filling = [command.start for command in commands if _verb(command) == "install"]
        if not filling or mounted(node, *_CACHES) or not lasting(context, node):
            continue
        behind = [command for command in commands if command.start >= max(filling)]
        if any(_verb(command) == "cache" and "clean" in command.values for command in behind):
            continue
        if not removed(shell, *_CACHES, after=max(filling)):
            yield context.finding(
                node,
                "`yarn cache clean` missing after `yarn install` was run.",
                fix=appended(context, shell, "yarn cache clean"),
            )


def _verb(command: Command) -> str:
    words = operands(command.arguments, _VALUED)
    return words[0].value if words else ""
