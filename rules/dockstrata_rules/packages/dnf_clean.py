"""dnf leaves its cache in the image.

The cache is of no use to a running container. A later RUN that deletes it does not make the image
smaller: clean up in the RUN that installs.

Bad:

    FROM fedora:40
    RUN dnf install -y curl-8.6

Good:

    FROM fedora:40
    RUN dnf install -y curl-8.6 && dnf clean all

Fix: unsafe. The RUN gets one more command, where it plainly ends in one.

Source: hadolint DL3040.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule
from dockstrata_rules.packages.by_run import appended, by_run, mounted
from dockstrata_rules.packages.yum import cleaned, installs

_UPDATES = {"update", "upgrade"}
_CACHES = ("/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum")


@rule(code="DL3040", name="dnf-clean", severity=Severity.WARNING, fix=Fixable.SOMETIMES)
def dnf_clean(context: Context) -> Iterator[Finding]:
    for name in ("dnf", "microdnf"):
        yield from _unclean(context, name)


def _unclean(context: Context, name: str) -> Iterator[Finding]:
    # The two have caches of their own: neither cleans the other's.
    for _item, shell, commands in by_run(context, name):
        node = shell.instruction
        filling = [c for c in commands if installs(c) or _UPDATES & set(c.values)]
        if not filling or mounted(node, *_CACHES):
            continue
        if not cleaned(shell, commands, filling, *_CACHES):
            yield context.finding(
                node,
                "`dnf clean all` missing after dnf command.",
                fix=appended(context, shell, f"{name} clean all"),
            )
