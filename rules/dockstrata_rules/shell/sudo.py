"""sudo in a build hides who runs what.

The build's user is what USER says, root at first. sudo brings its own environment and a set-uid
program into the image.

Bad:

    FROM debian:12.5
    RUN sudo make install

Good:

    FROM debian:12.5
    USER root
    RUN make install

Source: hadolint DL3004.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.packages.by_run import by_run


@rule(code="DL3004", name="sudo", severity=Severity.ERROR)
def sudo(context: Context) -> Iterator[Finding]:
    for _item, shell, _commands in by_run(context, "sudo"):
        yield context.finding(
            shell.instruction,
            "Do not use sudo as it leads to unpredictable behavior."
            " Use a tool like gosu to enforce root",
        )
