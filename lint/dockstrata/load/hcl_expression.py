"""HCL expressions, compiled to functions of a scope.

Source: HCL's native syntax specification, "Expressions".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockstrata.load import hcl_operations as operations
from dockstrata.load.hcl_lexer import HEREDOC, SPACE, SPACE_AND_LINES, TOKEN
from dockstrata.load.hcl_number import parsed
from dockstrata.load.hcl_pieces import TemplateReader
from dockstrata.load.hcl_template import Compiled, Piece, compiled_template, dedented
from dockstrata.load.hcl_types import RefusedError, Value, parsed_type

if TYPE_CHECKING:
    import re


_DEPTH = 60
_LEVELS = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_ITEM = "*"  # what a splat calls its item: no name that a file can use


@dataclass(slots=True)
class Expression:
    """A value that a scope gives: ``names`` are the variables and ``calls`` the functions that it
    uses, each with its offset in the file; ``source`` is its text, from ``offset``."""

    value: Compiled
    names: Mapping[str, int] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    offset: int = 0


class Parser:
    """Recursive descent over a file's text; ``lines``: an end of line ends the expression."""

    def __init__(self, source: str, position: int = 0) -> None:
        self.source = source
        self.position = position
        self.lines = False
        self.depth = 0
        self.bound: list[str] = []
        self.names: dict[str, int] = {}
        self.calls: dict[str, int] = {}

    def expression(self) -> Expression:
        """The expression that begins here."""
        self.names, self.calls = {}, {}
        self.skip()
        start = self.position
        value = self.conditional()
        return Expression(value, self.names, self.calls, self.source[start : self.position], start)

    def template(self, offset: int) -> Expression:
        """The whole source as a template, as a string in JSON is one; ``offset`` is its place."""
        pieces = self.pieces(len(self.source))
        names, calls = dict.fromkeys(self.names, offset), dict.fromkeys(self.calls, offset)
        return Expression(compiled_template(pieces), names, calls, self.source, offset)

    # Words.

    def skip(self) -> None:
        space = SPACE if self.lines else SPACE_AND_LINES
        if match := space.match(self.source, self.position):
            self.position = match.end()

    def peek(self) -> re.Match[str] | None:
        self.skip()
        return TOKEN.match(self.source, self.position)

    def accept(self, *operators: str) -> str | None:
        token = self.peek()
        if token is None or token["operator"] not in operators:
            return None
        self.position = token.end()
        return token["operator"]

    def expect(self, *operators: str) -> None:
        if self.accept(*operators) is None:
            raise self.refused(f"expected {' or '.join(map(repr, operators))}")

    def refused(self, message: str) -> RefusedError:
        self.skip()
        rest = self.source[self.position : self.position + 20].split("\n")[0]
        return RefusedError(f"{message}, found {rest!r}" if rest else message, self.position)

    def word(self, *words: str) -> str | None:
        token = self.peek()
        if token is None or not token["name"] or (words and token["name"] not in words):
            return None
        self.position = token.end()
        return token["name"]

    def end_of_line(self) -> bool:
        """Whether a line or the file ended here; it is passed over."""
        token = self.peek()
        if token is not None and token["line"]:
            self.position = token.end()
            return True
        return self.position >= len(self.source)

    @contextmanager
    def ending_lines(self, lines: bool) -> Iterator[None]:
        before, self.lines = self.lines, lines
        self.depth += 1
        if self.depth > _DEPTH:
            raise RefusedError("nested too deep", self.position)
        yield
        self.lines = before
        self.depth -= 1

    # Expressions.

    def conditional(self) -> Compiled:
        self.depth += 1
        if self.depth > _DEPTH:
            raise RefusedError("nested too deep", self.position)
        found, start = self.binary(0), self.position
        if self.accept("?"):
            yes = self.conditional()
            self.expect(":")
            found = operations.choice(found, yes, self.conditional(), start)
        self.depth -= 1
        return found

    def binary(self, level: int) -> Compiled:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while operator := self.accept(*_LEVELS[level]):
            at = self.position - len(operator)
            left = operations.binary(operator, left, self.binary(level + 1), at)
        return left

    def unary(self) -> Compiled:
        if operator := self.accept("!", "-"):
            at = self.position - 1
            return operations.unary(operator, self.unary(), at)
        return self.postfix(self.primary())

    def postfix(self, value: Compiled, only_names: bool = False) -> Compiled:
        """What follows a value: ``.name``, ``[index]`` and splats."""
        while True:
            at = self.position
            if self.accept("."):
                if not only_names and self.accept("*"):
                    value = self.splat(value, only_names=True)
                else:
                    value = operations.member(value, self.member(), at)
            elif not only_names and self.accept("["):
                with self.ending_lines(False):
                    if star := self.accept("*"):
                        self.expect("]")
                    else:
                        value = operations.indexed(value, self.conditional(), at)
                        self.expect("]")
                if star:
                    value = self.splat(value, only_names=False)
            else:
                return value

    def member(self) -> str | int:
        token = self.peek()
        if token is not None and token["name"]:
            self.position = token.end()
            return token["name"]
        # `list.0.1` reads as one number: HCL refuses it.
        if token is not None and token["number"] and token["number"].isdecimal():
            self.position = token.end()
            return int(token["number"])
        raise self.refused("expected a name")

    def splat(self, value: Compiled, only_names: bool) -> Compiled:
        """What follows, of every item; a value that is no list is one of one item."""
        each = self.postfix(lambda scope: scope.local[_ITEM], only_names)
        return operations.splat(value, each, _ITEM)

    def primary(self) -> Compiled:
        token = self.peek()
        if token is None:
            raise self.refused("expected an expression")
        start, self.position = self.position, token.end()
        if token["number"]:
            constant: Value = parsed(token["number"])
            return lambda _scope: constant
        if token["string"]:
            pieces = self.pieces()
            return compiled_template(pieces)
        if token["heredoc"]:
            return self.heredoc(start)
        if token["name"]:
            return self.named(token["name"], start)
        if token["operator"] == "(":
            with self.ending_lines(False):
                value = self.conditional()
                self.expect(")")
            return value
        if token["operator"] == "[":
            with self.ending_lines(False):
                if self.word("for"):
                    return self.every_item("]", start)
                return operations.items(self.arguments("]"), lenient=True)
        if token["operator"] == "{":
            with self.ending_lines(False):
                if self.word("for"):
                    return self.every_item("}", start)
            with self.ending_lines(True):
                return self.object()
        self.position = start
        raise self.refused("expected an expression")

    def named(self, name: str, start: int) -> Compiled:
        if name in _CONSTANTS:
            constant = _CONSTANTS[name]
            return lambda _scope: constant
        # No space may be between a function's name and the parenthesis but what is no line.
        if self.accept("("):
            with self.ending_lines(False):
                return self.call(name, start)
        if name not in self.bound:
            self.names.setdefault(name, start)
            if name == "target" and self.accept("."):
                target = str(self.member())
                self.expect(".")
                return operations.of_target(target, str(self.member()), start)
        return operations.variable(name, start)

    def object(self) -> Compiled:
        pairs: list[tuple[Compiled, Compiled]] = []
        while True:
            while self.end_of_line() and self.position < len(self.source):
                pass
            if self.accept("}"):
                return operations.made_object(pairs)
            key = self.key()
            self.expect("=", ":")
            with self.ending_lines(True):
                pairs.append((key, self.conditional()))
            if self.accept(","):
                continue
            token = self.peek()
            if token is None or not (token["line"] or token["operator"] == "}"):
                raise self.refused("expected ',' or the next line")

    def key(self) -> Compiled:
        start = self.position
        name = self.word()
        if name is not None:
            token = self.peek()
            if token is not None and token["operator"] in ("=", ":"):
                return lambda _scope: name
            self.position = start
        return self.conditional()

    def every_item(self, closing: str, start: int) -> Compiled:
        """``[for …]`` and ``{for …}``, from behind the word."""
        names = self.loop_names()
        items = self.conditional()
        self.expect(":")
        with self.binding(names):
            first, key = self.conditional(), None
            if closing == "}":
                self.expect("=>")
                key, first = first, self.conditional()
            grouped = self.accept("...") is not None
            wanted = self.conditional() if self.word("if") else None
        self.expect(closing)
        if grouped and key is None:
            raise RefusedError("'...' belongs to an object", start)
        return operations.loop(names, items, key, first, wanted, grouped, start)

    def loop_names(self) -> tuple[str, ...]:
        names = [self.word()]
        if self.accept(","):
            names.append(self.word())
        if None in names or self.word("in") is None:
            raise self.refused("expected 'NAME in'")
        return tuple(name for name in names if name)

    @contextmanager
    def binding(self, names: Sequence[str]) -> Iterator[None]:
        count = len(self.bound)
        self.bound += names
        yield
        del self.bound[count:]

    def arguments(self, closing: str) -> list[tuple[Compiled, bool]]:
        """Values up to ``closing``, each with whether ``...`` spreads it."""
        found: list[tuple[Compiled, bool]] = []
        while self.accept(closing) is None:
            value = self.conditional()
            spread = closing == ")" and self.accept("...") is not None
            found.append((value, spread))
            if spread or self.accept(",") is None:
                self.expect(closing)
                break
        return found

    def call(self, name: str, start: int) -> Compiled:
        self.calls.setdefault(name, start)
        if name == "convert":
            value = self.conditional()
            self.expect(",")
            begin, names, calls = self.position, dict(self.names), dict(self.calls)
            self.conditional()  # a type, whose words are no variables
            self.names, self.calls = names, calls
            wanted = parsed_type(self.source[begin : self.position])
            self.accept(",")
            self.expect(")")
            return operations.conversion(value, wanted, start)
        arguments = self.arguments(")")
        if name == "can" and len(arguments) != 1:
            raise RefusedError(f"can() with {len(arguments)} arguments", start)
        if name in ("try", "can"):
            return operations.attempt(name, [value for value, _ in arguments], start)
        return operations.call(name, operations.items(arguments), start)

    # Templates.

    def heredoc(self, start: int) -> Compiled:
        match = HEREDOC.match(self.source, start)
        if match is None:
            raise RefusedError("a heredoc without its end", start)
        self.position = match.start(3)
        pieces = self.pieces(match.end(3))
        self.position = match.end()
        if match[1]:
            dedented(pieces)
        return compiled_template(pieces)

    def pieces(self, end: int | None = None) -> list[Piece]:
        """The pieces of a template up to the closing quote, or up to ``end`` without escapes."""
        return TemplateReader(self, end).pieces()
