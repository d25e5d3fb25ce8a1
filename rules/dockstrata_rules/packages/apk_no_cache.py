"""apk keeps its index in the image.

``--no-cache`` fetches a fresh index and leaves none behind, so neither ``apk update`` nor removing
``/var/cache/apk`` is needed.

Bad:

    FROM alpine:3.20
    RUN apk add curl~=8.9

Good:

    FROM alpine:3.20
    RUN apk add --no-cache curl~=8.9

Fix: unsafe. The command, and with it the cache key of the step, changes.

Source: hadolint DL3019.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata_rules.packages.by_run import by_run, mounted


@rule(code="DL3019", name="apk-no-cache", severity=Severity.INFO, fix=Fixable.ALWAYS)
def apk_no_cache(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "apk"):
        if mounted(shell.instruction, "/var/cache/apk", "/etc/apk/cache"):
            continue
        ends = [
            shell.span(next(word for word in command.words if word.value == "add")).end
            for command in commands
            if "add" in command.values and not command.has("--no-cache")
        ]
        if ends:
            yield context.finding(
                shell.instruction,
                "Use the `--no-cache` switch to avoid the need to use `--update` and remove"
                " `/var/cache/apk/*` when done installing packages",
                fix=unsafe(*(context.edit(Span(end, end), " --no-cache") for end in ends)),
            )
