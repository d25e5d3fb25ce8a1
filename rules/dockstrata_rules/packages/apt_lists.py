"""The package lists that ``apt-get update`` fetched stay in the image.

They are tens of megabytes that are old at once. A later RUN that deletes them does not make the
image smaller: delete them in the same RUN, or keep them out with a mount.

Bad:

    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl=7.88.1-10

Good:

    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl=7.88.1-10 && rm -rf /var/lib/apt/lists/*

Fix: unsafe. The image loses files, which is the point; a later RUN may need them.

Source: hadolint DL3009. Stages whose file system no image contains are passed over, and so is a
base that says that only such stages stand on it, as ``apply`` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule
from dockstrata_rules.packages.by_run import appended, by_run, lasting, mounted, removed

_LISTS = "/var/lib/apt/lists"


@rule(code="DL3009", name="apt-lists", severity=Severity.INFO, fix=Fixable.SOMETIMES)
def apt_lists(context: Context) -> Iterator[Finding]:
    for _item, shell, commands in by_run(context, "apt-get", "apt", "aptitude"):
        node = shell.instruction
        if not any("update" in command.values for command in commands):
            continue
        if not lasting(context, node):
            continue
        if mounted(node, _LISTS) or removed(shell, _LISTS):
            continue
        if any({"dist-clean", "distclean"} & set(command.values) for command in commands):
            continue
        yield context.finding(
            node,
            "Delete the apt lists (/var/lib/apt/lists) after installing something",
            fix=appended(context, shell, f"rm -rf {_LISTS}/*"),
        )
