"""A package is installed by yum without a version.

What the build gets then depends on the day. A version makes a change of the package visible in the
Dockerfile.

Bad:

    FROM centos:7
    RUN yum install -y curl && yum clean all

Good:

    FROM centos:7
    RUN yum install -y curl-8.6 && yum clean all

Source: hadolint DL3033. Versions in variables, local files and addresses are pins.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.packages.by_run import by_run, places
from dockstrata_rules.packages.yum import loose


@rule(code="DL3033", name="unpinned-yum", severity=Severity.WARNING)
def unpinned_yum(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "yum"):
        found = [(command, words) for command in commands if (words := loose(command))]
        if found:
            yield context.finding(
                shell.instruction,
                "Specify version with `yum install -y <package>-<version>`.",
                related=places(context, shell, found, "no version"),
            )
