"""The shell in an instruction: its commands and their words, with their places in the file.

Read with tree-sitter's bash grammar, which goes on after what it does not understand. A script is
parsed once however many instructions hold it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from dockstrata.source import Span
from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.shell_text import POSIX, kind_of, place_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

__all__ = ["Command", "Script", "Shell", "Word", "kind_of", "parse_script", "shell_of", "unquote"]

_DECLARE = frozenset({"declaration_command", "unset_command"})
# What stands before a command and is none itself: it runs one, or is a keyword.
_BEFORE = frozenset({"time", "exec", "command", "builtin", "busybox"}) | frozenset(
    {"!", "{", "if", "then", "else", "elif", "while", "until", "do"}
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=")
_REDIRECTS = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command; ``start`` and ``end`` are offsets in the script.

    ``value`` has quotes and escapes removed; variables and substitutions stay as written.
    """

    text: str
    value: str
    start: int
    end: int

    @property
    def literal(self) -> bool:
        """Whether the shell takes it as it stands: nothing in it to expand."""
        return "$" not in self.text and "`" not in self.text


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command: its name, its arguments, and the assignments before it.

    ``pipe`` is its place in a pipeline (from 0), ``None`` outside one.
    """

    words: tuple[Word, ...]
    assignments: tuple[Word, ...]
    start: int
    end: int
    pipe: int | None = None

    @property
    def name(self) -> str:
        """The command's name as written, quotes removed."""
        return self.words[0].value if self.words else ""

    @property
    def arguments(self) -> tuple[Word, ...]:
        return self.words[1:]

    @property
    def values(self) -> tuple[str, ...]:
        """The arguments' values."""
        return tuple(word.value for word in self.words[1:])

    def has(self, *options: str) -> bool:
        """Whether one of the arguments is one of ``options``, short ones also bundled (``-xy``)."""
        return any(_is_option(word.value, option) for word in self.words[1:] for option in options)

    def after(self, subcommand: str) -> tuple[Word, ...]:
        """The arguments behind the first one that is ``subcommand``; empty where none is."""
        for index, word in enumerate(self.words[1:], 2):
            if word.value == subcommand:
                return self.words[index:]
        return ()


@dataclass(frozen=True, slots=True)
class Script:
    """A parsed script. ``commands`` are in the order of the text; ``pipes`` counts pipelines."""

    text: str
    commands: tuple[Command, ...]
    pipes: int
    broken: bool

    def named(self, *names: str) -> Iterator[Command]:
        """The commands with one of these names."""
        return (command for command in self.commands if command.name in names)


@dataclass(frozen=True, slots=True)
class Shell:
    """A script at its place in a file.

    ``pieces`` are (offset in the script, offset in the file); none: as the instruction has them.
    """

    instruction: Instruction
    script: Script
    pieces: tuple[tuple[int, int], ...] = ()

    def offset(self, index: int) -> int:
        """Where in the file the script's character at ``index`` stands."""
        return place_of(self.instruction, self.pieces, index)

    def span(self, item: Word | Command) -> Span:
        """The file's characters of a word or command."""
        start = self.offset(item.start)
        return Span(start, max(start, self.offset(item.end - 1) + 1))


def shell_of(node: Instruction, shell: Sequence[str] = ("/bin/sh", "-c")) -> Shell | None:
    """The script of a RUN (or of CMD, ENTRYPOINT, HEALTHCHECK), ``None`` where it is no such shell.

    ``shell`` is what SHELL said last. Exec form is one command, or the script behind ``sh -c``.
    """
    if node.json:
        return _exec(node)
    found = text_of(node, shell)
    if found is None:
        return None
    return Shell(node, parse_script(found.text), found.pieces)


def _exec(node: Instruction) -> Shell | None:
    words = node.arguments
    name = words[0].rsplit("/", 1)[-1] if words else ""
    at = ((0, node.offset(node.arguments_at)),)
    if name in POSIX and len(words) > 2 and words[1].startswith("-") and words[1].endswith("c"):
        # JSON's escapes move what follows them; where there are none the places are exact.
        place = node.line.find(words[2], node.arguments_at)
        start = node.offset(place) if place >= 0 else at[0][1]
        return Shell(node, parse_script(words[2]), ((0, start),))
    found, position = [], node.arguments_at
    for word in words:
        place = node.line.find(word, position)
        place = place if place >= 0 else position
        position = place + len(word)
        begin = place - node.arguments_at
        found.append(Word(word, word, begin, begin + len(word)))
    if not found:
        return None
    command = Command(tuple(found), (), found[0].start, found[-1].end)
    return Shell(node, Script(node.rest, (command,), 0, False))


_REMARK = re.compile(r"(?:^|(?<=[\s;&|(]))#")
_ENDS = re.compile(r"(?:^|[;&|(\n])[ \t]*\Z")
_BEGINS = re.compile(r"\s*(?:[;&|)]|\Z)")


def _without_remarks(text: str) -> str:
    """The script without the comments that a closing backquote ends, its length as before.

    People write them among arguments; the grammar would read on to the end of the line.
    """
    parts = text.split("`")
    for index in range(1, len(parts) - 1, 2):
        part = parts[index]
        found = _REMARK.search(part)
        if found and "\n" not in part[found.start() :]:
            head = part[: found.start()].rstrip()
            mark = "`" if head else " "
            if not head and _ENDS.search(parts[index - 1]) and _BEGINS.match(parts[index + 1]):
                head = ":"  # it was the whole command
            parts[index] = mark + head.ljust(len(part)) + mark
        else:
            parts[index] = f"`{part}`"
    # What stands between: parts 0, 2, …; an odd one that is left over has lost its backquote.
    rest = "`" + parts.pop() if len(parts) % 2 == 0 else ""
    return "".join(parts) + rest


@lru_cache(maxsize=1 << 13)
def parse_script(text: str) -> Script:
    """Parse a script; what cannot be read is passed over, and ``broken`` says so."""
    data = text.encode("utf-8", "replace")
    root = _parser().parse(data).root_node
    read = text
    if root.has_error and "`" in text and "#" in text:
        plain = _without_remarks(text)
        other = _parser().parse(plain.encode("utf-8", "replace"))
        if not other.root_node.has_error:
            read, data, root = plain, plain.encode("utf-8", "replace"), other.root_node
    reader = _Reader(data, read)
    reader.visit(root, None)
    commands = tuple(sorted(reader.commands, key=lambda command: command.start))
    return Script(text, commands, reader.pipes, root.has_error)


@lru_cache(maxsize=1)
def _parser() -> Parser:
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


class _Reader:
    """Walks the syntax tree and gathers its commands."""

    def __init__(self, data: bytes, text: str) -> None:
        self.data = data
        self.text = text
        self.ascii = len(data) == len(text)
        self.commands: list[Command] = []
        self.pipes = 0

    def at(self, offset: int) -> int:
        """A byte's offset as a character's."""
        return offset if self.ascii else len(self.data[:offset].decode("utf-8", "replace"))

    def visit(self, node: Node, pipe: int | None) -> None:
        kind = node.type
        if kind == "command" or kind in _DECLARE:
            self.command(node, (), pipe)
        elif kind == "test_command":
            word = self.word(node.children[0]) if node.children else None
            if word is not None:
                end = self.at(node.end_byte)
                self.commands.append(Command((word,), (), word.start, end, pipe))
            self.inside(node)
        elif kind == "pipeline":
            self.pipes += 1
            place = 0
            for child in node.children:
                if child.is_named:
                    self.visit(child, place)
                    place += 1
        elif kind == "redirected_statement":
            body = node.child_by_field_name("body")
            extra: list[Word] = []
            for child in node.children:
                if child.type in _REDIRECTS:
                    extra += self.redirect(child)
            if body is not None and (body.type == "command" or body.type in _DECLARE):
                self.command(body, extra, pipe)
            elif body is not None:
                self.visit(body, pipe)
                self.extend(extra)
        elif kind not in ("word", "raw_string", "comment", "heredoc_start", "heredoc_end"):
            for child in node.children:
                if child.is_named:
                    # A pipe's member that is a list or group: its commands are not members.
                    self.visit(child, pipe if kind == "negated_command" else None)

    def extend(self, extra: Sequence[Word]) -> None:
        """Words behind a redirection that the grammar gives to a whole list: its last command's."""
        if not extra:
            return
        before = [c for c in self.commands if c.end <= extra[0].start]
        if before:
            last = max(before, key=lambda command: command.end)
            place = self.commands.index(last)
            self.commands[place] = replace(
                last, words=(*last.words, *extra), end=max(last.end, extra[-1].end)
            )

    def inside(self, node: Node) -> None:
        """Look for commands in a word: substitutions."""
        for child in node.children:
            if child.is_named:
                self.visit(child, None)

    def redirect(self, node: Node) -> list[Word]:
        """A redirection's target is no argument; the grammar gives it the words after it too."""
        targets = node.children_by_field_name("destination")
        for child in node.children:
            if child.is_named and child.type not in ("file_descriptor", "word"):
                self.visit(child, None)
        extra = [self.word(target) for target in targets[1:]]
        for argument in node.children_by_field_name("argument"):
            extra.append(self.word(argument))
        return extra

    def command(self, node: Node, extra: Sequence[Word], pipe: int | None) -> None:
        words: list[Word] = []
        assignments: list[Word] = []
        for child in node.children:
            kind = child.type
            if kind in _REDIRECTS:
                words += self.redirect(child)
            elif kind == "variable_assignment" and not words:
                assignments.append(self.word(child))
                self.inside(child)
            else:
                words.append(self.word(child))
                if child.children:
                    self.inside(child)
        words += extra
        words.sort(key=lambda word: word.start)
        words = _meant(words)
        if words:
            start = (assignments or words)[0].start
            end = max(self.at(node.end_byte), words[-1].end)
            self.commands.append(Command(tuple(words), tuple(assignments), start, end, pipe))

    def word(self, node: Node) -> Word:
        start, end = self.at(node.start_byte), self.at(node.end_byte)
        text = self.text[start:end]
        if text.startswith(" "):
            # The grammar counts a blank before a quote to the string.
            start += len(text) - len(text.lstrip(" "))
            text = self.text[start:end]
        return Word(text, unquote(text), start, end)


def _meant(words: Sequence[Word]) -> list[Word]:
    """The command that ``time``, ``exec``, ``command`` or ``builtin`` runs, where they run one.

    Behind ``!`` and ``time`` the grammar takes a keyword for a command's name.
    """
    while words and words[0].value in _BEFORE:
        runner, rest = words[0].value, words[1:]
        while rest and rest[0].value.startswith("-") and runner != "busybox":
            if runner == "command" and rest[0].value != "-p":
                return list(words)
            rest = rest[2:] if runner == "exec" and rest[0].value.endswith("a") else rest[1:]
        if runner == "time":
            while rest and _ASSIGNMENT.match(rest[0].text):
                rest = rest[1:]
        if not rest or rest[0].value.startswith("-"):
            break
        words = rest
    return list(words)


def unquote(text: str) -> str:
    """A word without its quotes and escapes; what the shell would expand stays as written."""
    if "'" not in text and '"' not in text and "\\" not in text:
        return text
    out: list[str] = []
    position, quote = 0, ""
    while position < len(text):
        char = text[position]
        position += 1
        if quote == "'":
            if char == "'":
                quote = ""
            else:
                out.append(char)
        elif char == "\\" and position < len(text):
            following = text[position]
            position += 1
            if quote and following not in '"\\$`':
                out.append(char)
            if following != "\n":
                out.append(following)
        elif char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            out.append(char)
    return "".join(out)


def _is_option(word: str, option: str) -> bool:
    if option.startswith("--"):
        return word == option or word.startswith(option + "=")
    if word == option:
        return True
    # ``-y`` is in ``-qy``.
    return (
        len(option) == 2
        and len(word) > 2
        and word[0] == "-"
        and word[1] != "-"
        and option[1] in word[1:].partition("=")[0]
    )
