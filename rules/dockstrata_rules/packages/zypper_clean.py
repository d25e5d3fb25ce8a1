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
        filling = [c.start for c in commands if {"install", "in"} & set(c.values)]
        if not filling or mounted(node, "/var/cache/zypp"):
            continue
        last = max(filling)
        if removed(shell, "/var/cache/zypp", after=last):
            continue
        if not any({"clean", "cc"} & set(c.values) for c in commands if c.start >= last):
            yield context.finding(
                node,
                "`zypper clean` missing after zypper use.",
                fix=appended(context, shell, "zypper clean"),
            )
