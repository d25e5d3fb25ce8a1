"""apt-get asks before it installs, and in a build nobody answers.

Bad:

    FROM debian:12.5
    RUN apt-get install curl=7.88.1-10

Good:

    FROM debian:12.5
    RUN apt-get install -y curl=7.88.1-10

Fix: unsafe. The command, and with it the cache key of the step, changes.

Source: hadolint DL3014.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata.syntax.shell import Command
from dockstrata_rules.packages.by_run import by_run


@rule(code="DL3014", name="apt-yes", severity=Severity.WARNING, fix=Fixable.ALWAYS)
def apt_yes(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "apt-get"):
        asking = [command for command in commands if _asks(command)]
        if not asking:
            continue
        ends = [
            shell.span(next(word for word in command.words if word.value == "install")).end
            for command in asking
        ]
        yield context.finding(
            shell.instruction,
            "Use the `-y` switch to avoid manual input `apt-get -y install <package>`",
            fix=unsafe(*(context.edit(Span(end, end), " -y") for end in ends)),
        )


def _asks(command: Command) -> bool:
    if "install" not in command.values:
        return False
    # Two levels of quiet imply yes.
    quiet = sum(
        value.count("q") if value[1:2] != "-" else value == "--quiet"
        for value in command.values
        if value.startswith("-")
    )
    return not (
        command.has("-y", "--yes", "--assume-yes", "--allow", "-q=2", "--quiet=2")
        or quiet >= 2
        or any("Assume-Yes" in value for value in command.values)
    )
