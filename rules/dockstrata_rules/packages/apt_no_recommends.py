"""apt-get installs recommended packages too.

They are often as large as what was asked for, and nobody asked for them.

Bad:

    FROM debian:12.5
    RUN apt-get install -y curl=7.88.1-10

Good:

    FROM debian:12.5
    RUN apt-get install -y --no-install-recommends curl=7.88.1-10

Fix: unsafe. Fewer packages are installed, and something may rely on one of them.

Source: hadolint DL3015.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata.syntax.shell import Command
from dockstrata_rules.packages.by_run import by_run


@rule(code="DL3015", name="apt-no-recommends", severity=Severity.INFO, fix=Fixable.ALWAYS)
def apt_no_recommends(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "apt-get"):
        missing = [command for command in commands if _recommends(command)]
        if not missing:
            continue
        ends = [
            shell.span(next(word for word in command.words if word.value == "install")).end
            for command in missing
        ]
        edits = [context.edit(Span(end, end), " --no-install-recommends") for end in ends]
        yield context.finding(
            shell.instruction,
            "Avoid additional packages by specifying `--no-install-recommends`",
            fix=unsafe(*edits),
        )


def _recommends(command: Command) -> bool:
    if "install" not in command.values or command.has("--no-install-recommends"):
        return False
    return not any("Install-Recommends" in value for value in command.values)
