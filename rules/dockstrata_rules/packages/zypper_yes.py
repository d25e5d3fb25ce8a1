"""zypper asks before it changes anything, and in a build nobody answers.

The step then fails. ``-n`` before the subcommand answers for you.

Bad:

    FROM opensuse/leap:15.6
    RUN zypper install curl=8.6

Good:

    FROM opensuse/leap:15.6
    RUN zypper -n install curl=8.6

Fix: unsafe. The command, and with it the cache key of the step, changes.

Source: hadolint DL3034.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata_rules.packages.by_run import by_run

_CHANGES = {"install", "in", "remove", "rm", "source-install", "si", "patch"}
_YES = ("-n", "--non-interactive", "-y", "--no-confirm")


@rule(code="DL3034", name="zypper-yes", severity=Severity.WARNING, fix=Fixable.ALWAYS)
def zypper_yes(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "zypper"):
        asking = [c for c in commands if _CHANGES & set(c.values) and not c.has(*_YES)]
        if asking:
            ends = [shell.span(c.words[0]).end for c in asking]
            yield context.finding(
                shell.instruction,
                "Non-interactive switch missing from `zypper` command: `zypper install -y`",
                fix=unsafe(*(context.edit(Span(end, end), " --non-interactive") for end in ends)),
            )
