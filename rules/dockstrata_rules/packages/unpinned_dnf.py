"""A package is installed by dnf without a version.

What the build gets then depends on the day. A version makes a change of the package visible in the
Dockerfile.

Bad:

    FROM fedora:40
    RUN dnf install -y curl && dnf clean all

Good:

    FROM fedora:40
    RUN dnf install -y curl-8.6 && dnf clean all

Source: hadolint DL3041. Versions in variables, local files and addresses are pins.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.packages.by_run import by_run, places
from dockstrata_rules.packages.yum import loose


@rule(code="DL3041", name="unpinned-dnf", severity=Severity.WARNING)
def unpinned_dnf(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "dnf", "microdnf"):
        found = [(command, words) for command in commands if (words := loose(command))]
        if found:
            yield context.finding(
                shell.instruction,
                "Specify version with `dnf install -y <package>-<version>`.",
                related=places(context, shell, found, "no version"),
            )
