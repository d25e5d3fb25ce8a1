"""An archive is copied and then unpacked in a RUN.

ADD unpacks it on the way, and the archive itself is not left in a layer.

Bad:

    FROM debian:12.5
    COPY rootfs.tar.gz /tmp/
    RUN tar -xzf /tmp/rootfs.tar.gz -C /

Good:

    FROM debian:12.5
    ADD rootfs.tar.gz /

Source: hadolint DL3010.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Instruction, Severity, rule
from dockstrata.syntax.shell import Command
from dockstrata_rules.instructions.archives import is_archive

_UNPACK = ("tar", "gunzip", "bunzip2", "unlzma", "unxz", "zcat", "zgz", "uncompress")


@rule(code="DL3010", name="unpacked-archive", severity=Severity.INFO)
def unpacked_archive(context: Context) -> Iterator[Finding]:
    copied = [(node, names) for node in context.instructions("COPY") if (names := _archives(node))]
    if not copied:
        return
    starts = [stage.node.start_line for stage in context.stages]
    reported: set[int] = set()
    for _item, shell, command in context.commands(*_UNPACK):
        if not _unpacks(command):
            continue
        line = shell.instruction.start_line
        begin = max((start for start in starts if start <= line), default=0)
        files = {value.rsplit("/", 1)[-1] for value in command.values}
        for node, names in copied:
            between = begin < node.start_line < line
            if between and names & files and node.start_line not in reported:
                reported.add(node.start_line)
                yield context.finding(node, "Use `ADD` for extracting archives into an image")


def _archives(node: Instruction) -> set[str]:
    """The names under which archives that the instruction copies may be found."""
    if node.flag("from") is not None:
        return set()
    *sources, target = node.arguments or ("",)
    names = {source.rsplit("/", 1)[-1] for source in sources if is_archive(source)}
    return names | {target.rsplit("/", 1)[-1]} if names and is_archive(target) else names


def _unpacks(command: Command) -> bool:
    if command.name != "tar":
        return True
    first = command.values[0] if command.values else ""
    return command.has("-x", "--extract", "--get") or ("x" in first and first.isalpha())
