"""The text that a shell gets from an instruction, and where its characters stand in the file."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from dockstrata.source import Span
from dockstrata.syntax.heredoc import parse_opener
from dockstrata.syntax.nodes import Instruction

POSIX = frozenset({"sh", "bash", "ash", "dash", "ksh", "zsh", "busybox"})
OTHER = frozenset({"powershell", "pwsh", "cmd"})

Pieces = tuple[tuple[int, int], ...]
"""(offset in the text, offset in the file); none: as the instruction has them."""


@dataclass(frozen=True, slots=True)
class ShellText:
    """A script as text. ``shebang`` has the words of its own ``#!`` line, in a heredoc."""

    instruction: Instruction
    text: str
    pieces: Pieces = ()
    shebang: tuple[str, ...] = ()

    def span(self, start: int, end: int) -> Span:
        """The file's characters from ``text[start]`` to ``text[end - 1]``."""
        begin = place_of(self.instruction, self.pieces, start)
        if end <= start:
            return Span(begin, begin)
        last = place_of(self.instruction, self.pieces, end - 1)
        return Span(begin, max(begin, last + 1))


def place_of(node: Instruction, pieces: Pieces, index: int) -> int:
    """Where in the file a script's character at ``index`` stands."""
    if not pieces:
        return node.offset(node.arguments_at + index)
    at = bisect_right(pieces, (index, 1 << 62)) - 1
    begin, place = pieces[max(at, 0)]
    return place + index - begin


def command_names(words: Sequence[str]) -> list[str]:
    """``("/usr/bin/env", "Bash.exe")`` → ``["env", "bash"]``."""
    names = [part.replace("\\", "/").rsplit("/", 1)[-1].lower() for part in words]
    return [name.removesuffix(".exe") for name in names]


def kind_of(shell: Sequence[str]) -> str:
    """``posix`` for a shell whose language this is, ``other`` for PowerShell and the like."""
    names = command_names(shell)
    if any(name in POSIX for name in names):
        return "posix"
    return "other" if any(name in OTHER for name in names) else "posix"


def text_of(node: Instruction, shell: Sequence[str]) -> ShellText | None:
    """What a POSIX shell reads of a RUN in shell form, ``None`` where none does.

    ``shell`` is what SHELL said last.
    """
    if kind_of(shell) != "posix" or not node.arguments:
        return None
    text = node.rest
    if kind_of(text.split(None, 1)[:1]) == "other":
        return None
    if not node.heredocs:
        return ShellText(node, text)
    first = node.heredocs[0]
    if parse_opener(node.arguments[0]) is not None:
        shebang = first.content.split("\n", 1)[0] if first.content.startswith("#!") else ""
        if shebang and kind_of(shebang[2:].split()) != "posix":
            return None
        if shebang and not any(name in shebang for name in POSIX):
            return None
        own = tuple(shebang[2:].split())
        return ShellText(node, first.content, ((0, first.span.start),), own)
    pieces = [
        (logical - node.arguments_at, place)
        for logical, place in node.pieces
        if logical > node.arguments_at
    ]
    pieces.insert(0, (0, node.offset(node.arguments_at)))
    for heredoc in node.heredocs:
        pieces.append((len(text) + 1, heredoc.span.start))
        text += f"\n{heredoc.content}{heredoc.name}"
    return ShellText(node, text, tuple(pieces))
