"""Values of HCL expressions, as far as they can be known without running a builder.

Input are the strings that python-hcl2 (8) gives: ``'"text ${x}"'`` for a template, ``'${…}'`` for
an expression, a bare name for a variable, ``'"<<EOT…"'`` for a heredoc.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockstrata.load.hcl_expression import compiled, compiled_template
from dockstrata.load.hcl_functions import Missing, Value, text
from dockstrata.load.hcl_lexer import HEREDOC, dedent
from dockstrata.load.wiring import UnknownValueError

__all__ = ["Function", "Scope", "Template", "Value", "evaluate", "text", "unquote"]

_DEPTH = 50


class Template(str):
    """A template without quotes and escapes, as a string in JSON is one."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the file's own: names of its parameters, of the rest, and its result."""

    parameters: tuple[str, ...]
    result: object
    rest: str | None = None


@dataclass(slots=True)
class Scope:
    """What names stand for: variables as python-hcl2 gives them, and values known already.

    ``targets`` are the attributes that ``target.NAME.ATTRIBUTE`` means.
    """

    variables: Mapping[str, object]
    functions: Mapping[str, Function] = field(default_factory=dict)
    local: Mapping[str, Value] = field(default_factory=dict)
    depth: int = 0
    targets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def name(self, name: str) -> Value:
        if name in self.local:
            return self.local[name]
        if name not in self.variables:
            raise UnknownValueError(name)
        return evaluate(self.variables[name], self.inner({}))

    def attribute(self, target: str, attribute: str) -> Value:
        body = self.targets.get(target, {})
        if attribute not in body:
            raise UnknownValueError(f"target.{target}.{attribute}")
        return evaluate(body[attribute], self.inner({}))

    def call(self, name: str, arguments: Sequence[Value]) -> Value:
        """One of the file's own functions; it sees its parameters and the variables."""
        own = self.functions[name]
        count = len(own.parameters)
        if len(arguments) < count or (len(arguments) > count and not own.rest):
            raise UnknownValueError(f"{name}()")
        local = dict(zip(own.parameters, arguments, strict=False))
        if own.rest:
            local[own.rest] = list(arguments[count:])
        return evaluate(own.result, self.inner(local))

    def inner(self, local: Mapping[str, Value]) -> Scope:
        if self.depth > _DEPTH:
            raise UnknownValueError("a value that refers to itself")
        return Scope(self.variables, self.functions, local, self.depth + 1, self.targets)

    def with_local(self, more: Mapping[str, Value]) -> Scope:
        return self.inner({**self.local, **more})


def evaluate(raw: object, scope: Scope) -> Value:
    """The value of what python-hcl2 gives. Raises :class:`UnknownValueError`."""
    if raw is None or isinstance(raw, (bool, int, float)):
        return raw
    if isinstance(raw, list):
        return [_item(item, scope) for item in raw]
    if isinstance(raw, dict):
        return {
            key_of(key, scope): evaluate(value, scope)
            for key, value in raw.items()
            if not key.startswith("__")
        }
    if isinstance(raw, Template):
        return compiled_template(str(raw), escapes=False)(scope)
    if not isinstance(raw, str):
        raise UnknownValueError(str(raw))
    if raw.startswith('"') and raw.endswith('"') and len(raw) > 1:
        body = raw[1:-1]
        if heredoc := HEREDOC.fullmatch(body):
            body = dedent(heredoc[3]) if heredoc[1] else heredoc[3]
            return text(compiled_template(body, escapes=False)(scope)) + "\n"
        return compiled_template(body)(scope)
    if raw.startswith("${") and raw.endswith("}"):
        raw = raw[2:-1]
    return compiled(raw)(scope)


def _item(raw: object, scope: Scope) -> Value:
    try:
        return evaluate(raw, scope)
    except UnknownValueError:
        return Missing()


def key_of(key: str, scope: Scope) -> str:
    """The key of an object: a name, a string, or an expression in parentheses."""
    if key.startswith(("${", '"')) and len(key) > 1:
        return text(evaluate(key, scope))
    return key


def unquote(key: str) -> str:
    return key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
