"""zypper upgrades the whole distribution.

The image is then no longer what FROM says, and each build makes another one of it.

Bad:

    FROM opensuse/leap:15.6
    RUN zypper -n dist-upgrade

Good:

    FROM opensuse/leap:15.6
    RUN zypper -n patch && zypper clean

Source: hadolint DL3035.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.packages.by_run import by_run


@rule(code="DL3035", name="zypper-dist-upgrade", severity=Severity.WARNING)
def zypper_dist_upgrade(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "zypper"):
        if any({"dist-upgrade", "dup"} & set(command.values) for command in commands):
            yield context.finding(shell.instruction, "Do not use `zypper dist-upgrade`.")
