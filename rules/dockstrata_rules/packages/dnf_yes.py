"""dnf asks before it installs, and in a build nobody answers.

The step then fails. ``-y`` answers for you.

Bad:

    FROM fedora:40
    RUN dnf install curl-8.6

Good:

    FROM fedora:40
    RUN dnf install -y curl-8.6

Fix: unsafe. The command, and with it the cache key of the step, changes.

Source: hadolint DL3038.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata_rules.packages.by_run import by_run
from dockstrata_rules.packages.yum import installs


@rule(code="DL3038", name="dnf-yes", severity=Severity.WARNING, fix=Fixable.ALWAYS)
def dnf_yes(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "dnf", "microdnf"):
        asking = [c for c in commands if installs(c) and not c.has("-y", "--assumeyes")]
        if asking:
            ends = [shell.span(c.words[0]).end for c in asking]
            yield context.finding(
                shell.instruction,
                "Use the -y switch to avoid manual input `dnf install -y <package>`",
                fix=unsafe(*(context.edit(Span(end, end), " -y") for end in ends)),
            )
