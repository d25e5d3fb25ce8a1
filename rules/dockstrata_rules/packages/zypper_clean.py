"""zypper leaves its cache in the image.

The cache is of no use to a running container. A later RUN that deletes it does not make the image
smaller: clean up in the RUN that installs.

Bad:

    FROM opensuse/leap:15.6
    RUN zypper -n install curl=8.6

Good:

    FROM opensuse/leap:15.6
    RUN zypper -n install curl=8.6 && zypper clean

Fix: unsafe. The RUN gets one more command, where it plainly ends in one.

Source: hadolint DL3036.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule
from dockstrata_rules.packages.by_run import appended, by_run, mounted, removed


@rule(code="DL3036", name="zypper-clean", severity=Severity.WARNING, fix=Fixable.SOMETIMES)
def zypper_clean(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "zypper"):
        node = shell.instruction
        if not any({"install", "in"} & set(c.values) for c in commands):
            continue
        if mounted(node, "/var/cache/zypp") or removed(shell, "/var/cache/zypp"):
            continue
        if not any({"clean", "cc"} & set(c.values) for c in commands):
            yield context.finding(
                node,
                "`zypper clean` missing after zypper use.",
                fix=appended(context, shell, "zypper clean"),
            )
