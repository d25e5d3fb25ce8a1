"""wget draws a progress bar into the build's log.

Without a terminal it writes a line for every 50 KB. ``-nv`` is quiet but for errors,
``--progress=dot:giga`` writes a line for every 32 MB.

Bad:

    FROM debian:12.5
    RUN wget https://example.com/x.tar

Good:

    FROM debian:12.5
    RUN wget -nv https://example.com/x.tar

Fix: unsafe. Only the log changes, but the command and with it the step's cache key does too.

Source: hadolint DL3047.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata_rules.packages.by_run import by_run

_QUIET = (
    "-q", "--quiet", "-nv", "--no-verbose", "--progress", "-o", "--output-file", "-a",
    "--append-output",
)  # fmt: skip


@rule(code="DL3047", name="wget-progress", severity=Severity.INFO, fix=Fixable.ALWAYS)
def wget_progress(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "wget"):
        loud = [command for command in commands if not command.has(*_QUIET)]
        if loud:
            ends = [shell.span(command.words[0]).end for command in loud]
            yield context.finding(
                shell.instruction,
                "Avoid use of wget without progress bar. Use `wget --progress=dot:giga <url>`."
                " Or consider using `-q` or `-nv` (shorthands for `--quiet` or `--no-verbose`).",
                fix=unsafe(*(context.edit(Span(end, end), " --progress=dot:giga") for end in ends)),
            )
