"""What the rules about package managers share: commands by RUN, operands, mounts."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence

from dockstrata.rule import Context, Evaluated, Fix, Instruction, Related, unsafe
from dockstrata.source import Span
from dockstrata.syntax.shell import Command, Shell, Word


def by_run(context: Context, *names: str) -> Iterator[tuple[Evaluated, Shell, list[Command]]]:
    """The RUNs that have commands of these names, with those commands."""
    for item, shell in context.shells(*names):
        if commands := list(shell.script.named(*names)):
            yield item, shell, commands


def operands(words: Iterable[Word], valued: Collection[str] = ()) -> list[Word]:
    """The words that are no options, nor the values of the options ``valued``."""
    found: list[Word] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.value.startswith("-") and len(word.value) > 1:
            skip = word.value in valued
        else:
            found.append(word)
    return found


def places(
    context: Context, shell: Shell, found: Sequence[tuple[Command, Sequence[Word]]], what: str
) -> list[Related]:
    """Where in a long RUN the words stand that a finding is about."""
    related = []
    for command, words in found:
        line, _ = context.source.position(shell.span(command).start)
        names = ", ".join(word.value for word in words)
        related.append(Related(context.document.path, line, f"{what}: {names}"))
    return related


def mounted(node: Instruction, *directories: str) -> bool:
    """Whether a cache or tmpfs mount keeps one of these directories out of the image."""
    for mount in node.all_flags("mount"):
        options = dict(part.partition("=")[::2] for part in mount.split(","))
        target = options.get("target") or options.get("dst") or options.get("destination") or ""
        target = posixpath.normpath(target) if target else ""
        if options.get("type") in ("cache", "tmpfs") and any(
            directory == target or directory.startswith(target + "/")
            for directory in directories
            if target
        ):
            return True
    return False


def lasting(context: Context, node: Instruction) -> bool:
    """Whether the instruction's stage is the last one, or one that another is built on.

    What other stages leave behind ends up in no image, nor what a base of theirs does.
    """
    if context.is_for_builders:
        return False
    stages = context.stages
    index = sum(stage.node.start_line <= node.start_line for stage in stages) - 1
    return index == len(stages) - 1 or any(stage.parent == index for stage in stages)


def removed(shell: Shell, *directories: str, after: int = 0) -> bool:
    """Whether the script removes one of these directories, or what is in it, at ``after`` or later.

    A cache that is removed before it is filled is there again.
    """
    return any(
        any(
            value.startswith(directory) or directory.startswith(value.rstrip("/*") + "/")
            for value in command.values
            if value.startswith("/")
            for directory in directories
        )
        for command in shell.script.named("rm")
        if command.start >= after
    )


def appended(context: Context, shell: Shell, command: str) -> Fix | None:
    """A fix that runs one more command, where the script plainly ends in a command's last word."""
    node, script = shell.instruction, shell.script
    if node.json or node.heredocs or script.broken or not script.commands:
        return None
    last = script.commands[-1]
    # Behind `|`, `||` or `&` an appended command would run at another time, or not at all.
    if script.text[last.end :].strip() or last.pipe is not None or "||" in script.text:
        return None
    end = shell.span(last).end
    return unsafe(context.edit(Span(end, end), f" && {command}"))
