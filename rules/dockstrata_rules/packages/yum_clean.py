"""yum leaves its cache in the image.

The cache is of no use to a running container. A later RUN that deletes it does not make the image
smaller: clean up in the RUN that installs.

Bad:

    FROM centos:7
    RUN yum install -y curl-8.6

Good:

    FROM centos:7
    RUN yum install -y curl-8.6 && yum clean all

Fix: unsafe. The RUN gets one more command, where it plainly ends in one.

Source: hadolint DL3032.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule
from dockstrata_rules.packages.by_run import appended, by_run, mounted
from dockstrata_rules.packages.yum import cleaned, installs


@rule(code="DL3032", name="yum-clean", severity=Severity.WARNING, fix=Fixable.SOMETIMES)
def yum_clean(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "yum"):
        node = shell.instruction
        filling = [c for c in commands if installs(c)]
        if not filling or mounted(node, "/var/cache/yum"):
            continue
        if not cleaned(shell, commands, filling, "/var/cache/yum"):
            yield context.finding(
                node,
                "`yum clean all` missing after yum command.",
                fix=appended(context, shell, "yum clean all"),
            )
