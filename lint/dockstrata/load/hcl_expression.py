"""HCL expressions and templates, compiled to functions of a scope.

Source: HCL's native syntax specification, "Expressions" and "Templates".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from dockstrata.load.hcl_functions import FUNCTIONS, Missing, Value, boolean, number, text
from dockstrata.load.hcl_lexer import TOKEN, parts, string_end
from dockstrata.load.wiring import UnknownValueError

if TYPE_CHECKING:
    from dockstrata.load.hcl import Scope

Compiled = Callable[["Scope"], Value]

_TURNS = 10_000
_ITEM = "*"  # what a splat calls its item: no name that a file can use
_OPERATORS = {
    "||": "or",
    "&&": "and",
    "==": "equal",
    "!=": "notequal",
    "<": "lessthan",
    ">": "greaterthan",
    "<=": "lessthanorequalto",
    ">=": "greaterthanorequalto",
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "modulo",
}
_LEVELS = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_FAILURES = (
    TypeError,
    ValueError,
    AttributeError,
    LookupError,
    ArithmeticError,
    StopIteration,
    RecursionError,
    re.error,
)


@lru_cache(maxsize=4096)
def compiled(source: str) -> Compiled:
    """An expression as a function. Raises :class:`UnknownValueError`, as the function may."""
    parser = _Parser(source)
    found = parser.conditional()
    if source[parser.position :].strip():
        raise UnknownValueError(source)
    return found


@lru_cache(maxsize=4096)
def compiled_template(body: str, escapes: bool = True) -> Compiled:
    """A template as a function; ``"${x}"`` alone is ``x``, whatever its type."""
    pieces = list(parts(body, escapes))
    if len(pieces) == 1 and pieces[0][0] == "${":
        return compiled(pieces[0][1])
    template = _Template(pieces)
    found = template.upto()
    if template.at < len(pieces):
        raise UnknownValueError("a template directive")
    return found


def _constant(value: Value) -> Compiled:
    return lambda _scope: value


def _called(name: str, arguments: Sequence[Value]) -> Value:
    try:
        return FUNCTIONS[name](*arguments)
    except _FAILURES:
        raise UnknownValueError(f"{name}()") from None


def _attempt(one: Compiled, scope: Scope) -> tuple[bool, Value]:
    try:
        return True, one(scope)
    except UnknownValueError:
        return False, None


def _turns(names: Sequence[str], items: Value) -> Iterator[dict[str, Value]]:
    """The values of a ``for``'s names, turn by turn."""
    pairs: list[tuple[Value, Value]]
    if isinstance(items, dict):
        pairs = [(key, items[key]) for key in sorted(items)]
    elif isinstance(items, list):
        pairs = list(enumerate(items))
    else:
        raise UnknownValueError("a for over no collection")
    if len(pairs) > _TURNS:
        raise UnknownValueError("a for that is too long")
    for key, value in pairs:
        yield {names[0]: key, names[1]: value} if len(names) == 2 else {names[0]: value}


class _Template:
    """Text, ``${expression}``, and the directives ``%{if}`` and ``%{for}``."""

    def __init__(self, pieces: Sequence[tuple[str, str]]) -> None:
        self.pieces = pieces
        self.at = 0

    def upto(self, *ends: str) -> Compiled:
        """The text up to a directive of ``ends``, which is next."""
        found: list[Compiled] = []
        while self.at < len(self.pieces):
            kind, body = self.pieces[self.at]
            if kind == "%{" and body in ends:
                break
            self.at += 1
            if kind == "%{":
                found.append(self.directive(body))
            else:
                found.append(_constant(body) if kind == "text" else compiled(body))
        return lambda scope: "".join(text(one(scope)) for one in found)

    def directive(self, body: str) -> Compiled:
        word, _, rest = body.partition(" ")
        if word == "if":
            condition, yes = compiled(rest), self.upto("else", "endif")
            no = _constant("")
            if self.end("else", "endif") == "else":
                no = self.upto("endif")
                self.end("endif")
            return lambda scope: (yes if boolean(condition(scope)) else no)(scope)
        listed, found, source = rest.partition(" in ")
        if word != "for" or not found:
            raise UnknownValueError("a template directive")
        names = [name.strip() for name in listed.split(",")]
        items, each = compiled(source), self.upto("endfor")
        self.end("endfor")
        return lambda scope: "".join(
            text(each(scope.with_local(turn))) for turn in _turns(names, items(scope))
        )

    def end(self, *words: str) -> str:
        word = self.pieces[self.at][1] if self.at < len(self.pieces) else ""
        self.at += 1
        if word not in words:
            raise UnknownValueError("a template directive")
        return word


class _Parser:
    """Recursive descent over one expression."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.depth = 0

    def peek(self) -> re.Match[str] | None:
        return TOKEN.match(self.source, self.position)

    def accept(self, *operators: str) -> str | None:
        token = self.peek()
        if token is None or token["operator"] not in operators:
            return None
        self.position = token.end()
        return token["operator"]

    def expect(self, *operators: str) -> None:
        if self.accept(*operators) is None:
            raise UnknownValueError(self.source)

    def word(self, *words: str) -> str | None:
        token = self.peek()
        if token is None or not token["name"] or (words and token["name"] not in words):
            return None
        self.position = token.end()
        return token["name"]

    def conditional(self) -> Compiled:
        self.depth += 1
        if self.depth > 50:
            raise UnknownValueError("an expression that is nested too deep")
        condition = self.binary(0)
        if self.accept("?"):
            yes = self.conditional()
            self.expect(":")
            no, asked = self.conditional(), condition
            condition = lambda scope: (yes if boolean(asked(scope)) else no)(scope)  # noqa: E731
        self.depth -= 1
        return condition

    def binary(self, level: int) -> Compiled:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while operator := self.accept(*_LEVELS[level]):
            left = _joined(_OPERATORS[operator], left, self.binary(level + 1))
        return left

    def unary(self) -> Compiled:
        if operator := self.accept("!", "-"):
            operand, name = self.unary(), "not" if operator == "!" else "negate"
            return lambda scope: _called(name, [operand(scope)])
        return self.postfix(self.primary())

    def postfix(self, value: Compiled) -> Compiled:
        while True:
            if self.accept("."):
                if self.accept("*"):
                    return self.splat(value)
                value = _joined("index", value, _constant(self.member()))
            elif self.accept("["):
                if self.accept("*"):
                    self.expect("]")
                    return self.splat(value)
                value = _joined("index", value, self.conditional())
                self.expect("]")
            else:
                return value

    def member(self) -> str | int:
        token = self.peek()
        if token is None or not (token["name"] or (token["number"] or "").isdecimal()):
            raise UnknownValueError(self.source)
        self.position = token.end()
        return token["name"] or int(token["number"])

    def splat(self, value: Compiled) -> Compiled:
        """What follows, of every item; a value that is no list is one of one item."""
        each = self.postfix(lambda scope: scope.local[_ITEM])

        def every(scope: Scope) -> Value:
            items = value(scope)
            listed = items if isinstance(items, list) else [] if items is None else [items]
            return [each(scope.with_local({_ITEM: item})) for item in listed]

        return every

    def primary(self) -> Compiled:
        token = self.peek()
        if token is None:
            raise UnknownValueError(self.source)
        self.position = token.end()
        if digits := token["number"]:
            return _constant(number(digits))
        if token["string"]:
            start = self.position
            end = string_end(self.source, start)
            self.position = end + 1
            return compiled_template(self.source[start:end])
        if name := token["name"]:
            return self.named(name)
        if token["operator"] == "(":
            value = self.conditional()
            self.expect(")")
            return value
        if token["operator"] == "[":
            if self.word("for"):
                return self.every_item("]")
            return self.arguments("]", lenient=True)
        if token["operator"] == "{":
            return self.every_item("}") if self.word("for") else self.object()
        raise UnknownValueError(self.source)

    def named(self, name: str) -> Compiled:
        if name in _CONSTANTS:
            return _constant(_CONSTANTS[name])
        if self.accept("("):
            return self.call(name)
        if name == "target" and self.accept("."):
            target = str(self.member())
            self.expect(".")
            attribute = str(self.member())
            return lambda scope: scope.attribute(target, attribute)
        return lambda scope: scope.name(name)

    def object(self) -> Compiled:
        found: list[tuple[Compiled, Compiled]] = []
        while self.accept("}") is None:
            name = self.word()
            key = self.conditional() if name is None else _constant(name)
            self.expect("=", ":")
            found.append((key, self.conditional()))
            self.accept(",")
        return lambda scope: {text(key(scope)): value(scope) for key, value in found}

    def every_item(self, closing: str) -> Compiled:
        """``[for …]`` and ``{for …}``, from behind the word."""
        names = [self.word() or ""]
        if self.accept(","):
            names.append(self.word() or "")
        if self.word("in") is None:
            raise UnknownValueError(self.source)
        items = self.conditional()
        self.expect(":")
        first, key = self.conditional(), None
        if closing == "}":
            self.expect("=>")
            key, first = first, self.conditional()
        value, grouped = first, self.accept("...") is not None
        wanted = self.conditional() if self.word("if") else _constant(True)
        self.expect(closing)

        def every(scope: Scope) -> Value:
            listed: list[Value] = []
            mapped: dict[str, Value] = {}
            groups: dict[str, list[Value]] = {}
            for turn in _turns(names, items(scope)):
                local = scope.with_local(turn)
                if not boolean(wanted(local)):
                    continue
                if key is None:
                    listed.append(value(local))
                elif grouped:
                    groups.setdefault(text(key(local)), []).append(value(local))
                else:
                    mapped[text(key(local))] = value(local)
            return listed if key is None else {**groups, **mapped}

        return every

    def arguments(self, closing: str, lenient: bool = False) -> Callable[[Scope], list[Value]]:
        """Values up to ``closing``; ``lenient``: one that is not known leaves the others."""
        found: list[tuple[Compiled, bool]] = []
        while self.accept(closing) is None:
            found.append((self.conditional(), self.accept("...") is not None))
            if self.accept(",") is None:
                self.expect(closing)
                break

        def values(scope: Scope) -> list[Value]:
            given: list[Value] = []
            for one, spread in found:
                good, value = _attempt(one, scope) if lenient else (True, one(scope))
                if not good:
                    given.append(Missing())
                elif not spread:
                    given.append(value)
                elif isinstance(value, list):
                    given += value
                else:
                    raise UnknownValueError(self.source)
            return given

        return values

    def call(self, name: str) -> Compiled:
        if name in ("try", "can"):
            return self.attempt(name)
        arguments = self.arguments(")")

        def value(scope: Scope) -> Value:
            if name in scope.functions:
                return scope.call(name, arguments(scope))
            return _called(name, arguments(scope))

        return value

    def attempt(self, name: str) -> Compiled:
        """``try(…)``: the first argument that is no error; ``can(…)``: whether it is none."""
        found: list[Compiled] = []
        while self.accept(")") is None:
            found.append(self.conditional())
            if self.accept(",") is None:
                self.expect(")")
                break

        def value(scope: Scope) -> Value:
            for one in found:
                good, result = _attempt(one, scope)
                if good or name == "can":
                    return good if name == "can" else result
            raise UnknownValueError(f"{name}()")

        return value


def _joined(name: str, left: Compiled, right: Compiled) -> Compiled:
    # The right side may be an error where it does not count.
    if name == "and":
        return lambda scope: boolean(left(scope)) and boolean(right(scope))
    if name == "or":
        return lambda scope: boolean(left(scope)) or boolean(right(scope))
    return lambda scope: _called(name, [left(scope), right(scope)])
