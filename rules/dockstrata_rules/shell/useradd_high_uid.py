"""useradd with a high user number makes a huge file.

``/var/log/lastlog`` has a place for every number up to the highest; it is sparse on disk, but not
in an image layer. ``-l`` leaves it alone.

Bad:

    FROM debian:12.5
    RUN useradd -u 1000000 app

Good:

    FROM debian:12.5
    RUN useradd -l -u 1000000 app

Fix: unsafe. The command, and with it the cache key of the step, changes.

Source: hadolint DL3046.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata.syntax.shell import Command
from dockstrata_rules.packages.by_run import by_run

_DIGITS = 5


@rule(code="DL3046", name="useradd-high-uid", severity=Severity.WARNING, fix=Fixable.ALWAYS)
def useradd_high_uid(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "useradd"):
        high = [c for c in commands if _high(c) and not c.has("-l", "--no-log-init")]
        if high:
            ends = [shell.span(command.words[0]).end for command in high]
            yield context.finding(
                shell.instruction,
                "`useradd` without flag `-l` and high UID will result in excessively large Image.",
                fix=unsafe(*(context.edit(Span(end, end), " -l") for end in ends)),
            )


def _high(command: Command) -> bool:
    values = command.values
    for index, value in enumerate(values):
        number = value.partition("=")[2] if value.startswith("--uid=") else ""
        bundle = value.startswith("-") and value[1:2] != "-" and value.endswith("u")
        if value == "--uid" or bundle:
            number = values[index + 1] if index + 1 < len(values) else ""
        if number.isdecimal() and len(number) > _DIGITS:
            return True
    return False
