"""The package lists that ``apt-get update`` fetched stay in the image.

They are tens of megabytes that are old at once. A later RUN that deletes them does not make the
image smaller: delete them in the same RUN, or keep them out with a mount.

Bad:

    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl=7.88.1-10

Good:

    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl=7.88.1-10 && rm -rf /var/lib/apt/lists/*

Fix: unsafe. The image loses files, which is the point; an image on this one may need them. There is
no fix where a later RUN of the file installs from these lists, without an ``update`` of its own.

Source: hadolint DL3009. Stages whose file system no image contains are passed over, and so is a
base that says that only such stages stand on it, as ``apply`` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockstrata.rule import Context, Finding, Fixable, Instruction, Severity, rule
from dockstrata.syntax.shell import Command
from dockstrata_rules.packages.by_run import appended, by_run, lasting, mounted, removed

_LISTS = "/var/lib/apt/lists"
_READERS = frozenset(
    {
        "build-dep",
        "download",
        "dist-upgrade",
        "full-upgrade",
        "install",
        "reinstall",
        "safe-upgrade",
        "satisfy",
        "source",
        "upgrade",
    }
)
"""Subcommands that fail or do nothing without the lists."""


@rule(code="DL3009", name="apt-lists", severity=Severity.INFO, fix=Fixable.SOMETIMES)
def apt_lists(context: Context) -> Iterator[Finding]:
    runs = [
        (shell, commands)
        for _item, shell, commands in by_run(context, "apt-get", "apt", "aptitude")
    ]
    for position, (shell, commands) in enumerate(runs):
        node = shell.instruction
        if not any(_updates(command) for command in commands):
            continue
        if not lasting(context, node):
            continue
        if mounted(node, _LISTS) or removed(shell, _LISTS):
            continue
        if any({"dist-clean", "distclean"} & set(command.values) for command in commands):
            continue
        later = ((other.instruction, theirs) for other, theirs in runs[position + 1 :])
        yield context.finding(
            node,
            "Delete the apt lists (/var/lib/apt/lists) after installing something",
            fix=None
            if _needed(context, node, later)
            else appended(context, shell, f"rm -rf {_LISTS}/*"),
        )


def _updates(command: Command) -> bool:
    return "update" in command.values


def _needed(
    context: Context, node: Instruction, later: Iterable[tuple[Instruction, list[Command]]]
) -> bool:
    """Whether a later RUN, in the stage or in one on it, reads the lists that ``node`` left."""
    having = {_stage_of(context, node)}  # the stages that have the lists, as far as we have come
    for stage in context.stages:
        if stage.parent in having:
            having.add(stage.index)
    fetched: set[int] = set()
    for other, commands in later:
        index = _stage_of(context, other)
        if index not in having or index in fetched:
            continue
        first = next((c for c in commands if _updates(c) or _READERS & set(c.values)), None)
        if first is not None and not _updates(first):
            return True
        if first is not None:
            fetched.add(index)
    return False


def _stage_of(context: Context, node: Instruction) -> int:
    return sum(stage.node.start_line <= node.start_line for stage in context.stages) - 1
