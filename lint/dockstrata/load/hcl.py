"""Values of HCL expressions, as far as they can be known without running a builder.

Input are the strings that python-hcl2 (8) gives: ``'"text ${x}"'`` for a template, ``'${…}'`` for
an expression, a bare name for a variable, ``'"<<EOT…"'`` for a heredoc.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dockstrata.load.wiring import UnknownValueError

Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<string>")
    |(?P<operator>==|!=|<=|>=|&&|\|\||[?:.,()\[\]{}!<>+*/%=-]))""",
    re.VERBOSE,
)
_HEREDOC = re.compile(r"<<(-?)(\w+)\n(.*?)\n?[ \t]*\2\s*", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_DEPTH = 50


@dataclass(slots=True)
class Scope:
    """What names stand for: variables as python-hcl2 gives them, and values known already."""

    variables: Mapping[str, object]
    functions: Mapping[str, tuple[list[str], object]] = field(default_factory=dict)
    local: Mapping[str, Value] = field(default_factory=dict)
    depth: int = 0

    def name(self, name: str) -> Value:
        if name in self.local:
            return self.local[name]
        if name not in self.variables:
            raise UnknownValueError(name)
        return evaluate(self.variables[name], self.inner())

    def inner(self, local: Mapping[str, Value] | None = None) -> Scope:
        if self.depth > _DEPTH:
            raise UnknownValueError("a value that refers to itself")
        return Scope(self.variables, self.functions, local or {}, self.depth + 1)


def evaluate(raw: object, scope: Scope) -> Value:
    """The value of what python-hcl2 gives. Raises :class:`UnknownValueError`."""
    if raw is None or isinstance(raw, (bool, int, float)):
        return raw
    if isinstance(raw, list):
        return [evaluate(item, scope) for item in raw]
    if isinstance(raw, dict):
        return {
            unquote(key): evaluate(value, scope)
            for key, value in raw.items()
            if not key.startswith("__")
        }
    if not isinstance(raw, str):
        raise UnknownValueError(str(raw))
    if raw.startswith('"') and raw.endswith('"') and len(raw) > 1:
        body = raw[1:-1]
        if heredoc := _HEREDOC.fullmatch(body):
            return _template(_dedent(heredoc[3]) if heredoc[1] else heredoc[3], scope, False) + "\n"
        return _template(body, scope, True)
    if raw.startswith("${") and raw.endswith("}"):
        raw = raw[2:-1]
    return _Expression(raw, scope).whole()


def unquote(key: str) -> str:
    return key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key


def text(value: Value) -> str:
    """A value inside a template, or as a build argument."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (list, dict)) or value is None:
        raise UnknownValueError("a value that is no text")
    return str(value)


def _dedent(body: str) -> str:
    lines = body.split("\n")
    margin = min((len(it) - len(it.lstrip()) for it in lines if it.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)


def _template(body: str, scope: Scope, escapes: bool) -> str:
    out: list[str] = []
    position = 0
    while position < len(body):
        char = body[position]
        if body.startswith(("$${", "%%{"), position):
            out.append(char + "{")
            position += 3
        elif body.startswith("${", position):
            end = _closing(body, position + 2)
            out.append(text(_Expression(body[position + 2 : end], scope).whole()))
            position = end + 1
        elif body.startswith("%{", position):
            raise UnknownValueError("a template directive")
        elif char == "\\" and escapes and position + 1 < len(body):
            out.append(_ESCAPES.get(body[position + 1], body[position : position + 2]))
            position += 2
        else:
            out.append(char)
            position += 1
    return "".join(out)


def _closing(body: str, position: int) -> int:
    """Where the brace closes that opened before ``position``; strings inside are passed over."""
    level, quoted = 1, False
    while position < len(body):
        char = body[position]
        if char == "\\":
            position += 1
        elif char == '"':
            quoted = not quoted
        elif char == "{" and not quoted:
            level += 1
        elif char == "}" and not quoted:
            level -= 1
            if level == 0:
                return position
        position += 1
    raise UnknownValueError(body)


class _Expression:
    """Recursive descent over one expression: conditionals, operators, calls, indexes, lists."""

    def __init__(self, source: str, scope: Scope) -> None:
        self.source = source
        self.scope = scope.inner(scope.local)
        self.position = 0

    def whole(self) -> Value:
        value = self.conditional()
        if self.source[self.position :].strip():
            raise UnknownValueError(self.source)
        return value

    def peek(self) -> re.Match[str] | None:
        return _TOKEN.match(self.source, self.position)

    def accept(self, *operators: str) -> str | None:
        token = self.peek()
        if token is None or token["operator"] not in operators:
            return None
        self.position = token.end()
        return token["operator"]

    def expect(self, operator: str) -> None:
        if self.accept(operator) is None:
            raise UnknownValueError(self.source)

    def conditional(self) -> Value:
        condition = self.binary(0)
        if self.accept("?") is None:
            return condition
        yes = self.conditional()
        self.expect(":")
        no = self.conditional()
        if not isinstance(condition, bool):
            raise UnknownValueError(self.source)
        return yes if condition else no

    _LEVELS = (("||",), ("&&",), ("==", "!="), ("+", "-"), ("*", "/", "%"))

    def binary(self, level: int) -> Value:
        if level == len(self._LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while operator := self.accept(*self._LEVELS[level]):
            left = _apply(operator, left, self.binary(level + 1))
        return left

    def unary(self) -> Value:
        if self.accept("!"):
            value = self.unary()
            if not isinstance(value, bool):
                raise UnknownValueError(self.source)
            return not value
        return self.postfix(self.primary())

    def postfix(self, value: Value) -> Value:
        while True:
            if self.accept("."):
                token = self.peek()
                if token is None or not token["name"]:
                    raise UnknownValueError(self.source)
                self.position = token.end()
                value = _item(value, token["name"])
            elif self.accept("["):
                value = _item(value, self.conditional())
                self.expect("]")
            else:
                return value

    def primary(self) -> Value:
        token = self.peek()
        if token is None:
            raise UnknownValueError(self.source)
        self.position = token.end()
        if number := token["number"]:
            return float(number) if "." in number else int(number)
        if token["string"]:
            return self.string()
        if name := token["name"]:
            if name in ("true", "false", "null"):
                return {"true": True, "false": False, "null": None}[name]
            if self.accept("("):
                return self.call(name)
            return self.scope.name(name)
        if token["operator"] == "(":
            value = self.conditional()
            self.expect(")")
            return value
        if token["operator"] == "[":
            return self.arguments("]")
        raise UnknownValueError(self.source)

    def string(self) -> str:
        start = self.position
        while self.position < len(self.source):
            char = self.source[self.position]
            if self.source.startswith("${", self.position):
                self.position = _closing(self.source, self.position + 2)
            elif char == "\\":
                self.position += 1
            elif char == '"':
                self.position += 1
                return _template(self.source[start : self.position - 1], self.scope, True)
            self.position += 1
        raise UnknownValueError(self.source)

    def arguments(self, closing: str) -> list[Value]:
        values: list[Value] = []
        while self.accept(closing) is None:
            values.append(self.conditional())
            if self.accept(",") is None:
                self.expect(closing)
                break
        return values

    def call(self, name: str) -> Value:
        arguments = self.arguments(")")
        if name in self.scope.functions:
            parameters, result = self.scope.functions[name]
            if len(parameters) == len(arguments):
                local = dict(zip(parameters, arguments, strict=True))
                return evaluate(result, self.scope.inner(local))
        elif function := _FUNCTIONS.get(name):
            try:
                return function(*arguments)
            except (TypeError, ValueError, AttributeError):
                pass
        raise UnknownValueError(f"{name}()")


def _apply(operator: str, left: Value, right: Value) -> Value:
    if operator == "==":
        return left == right and type(left) is type(right)
    if operator == "!=":
        return not (left == right and type(left) is type(right))
    if isinstance(left, bool) and isinstance(right, bool):
        if operator == "&&":
            return left and right
        if operator == "||":
            return left or right
    elif isinstance(left, (int, float)) and isinstance(right, (int, float)):
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        if operator == "*":
            return left * right
    raise UnknownValueError(f"'{operator}'")


def _item(value: Value, key: Value) -> Value:
    if isinstance(value, dict) and isinstance(key, str) and key in value:
        return value[key]
    if isinstance(value, list) and type(key) is int and 0 <= key < len(value):
        return value[key]
    raise UnknownValueError(str(key))


def _replace(whole: str, old: str, new: str) -> str:
    if len(old) > 1 and old[0] == old[-1] == "/":
        raise ValueError("a regular expression of Go")
    return whole.replace(old, new)


def _flat(*lists: list[Value]) -> Value:
    return [item for one in lists for item in one]


# Those that bake files use to name targets and tags (HCL's and bake's standard library).
_FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "upper": str.upper,
    "lower": str.lower,
    "trimspace": str.strip,
    "trimprefix": lambda whole, prefix: whole.removeprefix(prefix),
    "trimsuffix": lambda whole, suffix: whole.removesuffix(suffix),
    "replace": _replace,
    "join": lambda glue, items: glue.join(text(item) for item in items),
    "split": lambda glue, whole: whole.split(glue),
    "concat": _flat,
    "equal": lambda left, right: _apply("==", left, right),
    "notequal": lambda left, right: _apply("!=", left, right),
    "and": lambda left, right: _apply("&&", left, right),
    "or": lambda left, right: _apply("||", left, right),
    "length": len,
    "strlen": len,
    "substr": lambda whole, start, size: whole[start:] if size < 0 else whole[start : start + size],
    "contains": lambda items, item: item in items,
    "coalesce": lambda *items: next(item for item in items if item is not None),
    "tostring": text,
}
