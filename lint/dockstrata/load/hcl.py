"""What the names in HCL expressions stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dockstrata.load.hcl_expression import Expression
from dockstrata.load.hcl_functions import call
from dockstrata.load.hcl_types import Missing, RefusedError, Value
from dockstrata.load.wiring import UnknownValueError

_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the file's own: names of its parameters, of the rest, and its result."""

    parameters: tuple[str, ...]
    result: Expression
    rest: str | None = None


@dataclass(slots=True)
class Scope:
    """What names stand for. A variable is an expression, or a value that is known already;
    those in ``unknown`` are for the builder's environment to tell.

    ``targets`` give the attributes that ``target.NAME.ATTRIBUTE`` means.
    """

    variables: Mapping[str, Expression | Value]
    functions: Mapping[str, Function] = field(default_factory=dict)
    targets: Mapping[str, Callable[[str, Scope], Value]] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    local: Mapping[str, Value] = field(default_factory=dict)
    depth: int = 0
    values: dict[str, Value] = field(default_factory=dict)

    def name(self, name: str) -> Value:
        if name in self.local:
            value = self.local[name]
        elif name in self.unknown:
            raise UnknownValueError(name)
        elif name in self.values:
            value = self.values[name]
        elif name in self.variables:
            found = self.variables[name]
            value = found.value(self.inner({})) if isinstance(found, Expression) else found
            self.values[name] = value
        elif name == "target":
            raise UnknownValueError("the targets as one value")
        else:
            raise RefusedError(f"there is no variable '{name}'")
        if isinstance(value, Missing):
            raise UnknownValueError(name)
        return value

    def attribute(self, target: str, name: str) -> Value:
        """What a target says itself; null where it says nothing."""
        if target not in self.targets:
            raise RefusedError(f"there is no target '{target}'")
        return self.targets[target](name, self.inner({}))

    def call(self, name: str, arguments: Sequence[Value]) -> Value:
        """A function; one of the file's own sees its parameters and the variables."""
        if name not in self.functions:
            return call(name, arguments)
        own = self.functions[name]
        count = len(own.parameters)
        if len(arguments) < count or (len(arguments) > count and not own.rest):
            raise RefusedError(f"{name}() with {len(arguments)} arguments")
        local = dict(zip(own.parameters, arguments, strict=False))
        if own.rest:
            local[own.rest] = list(arguments[count:])
        return own.result.value(self.inner(local))

    def inner(self, local: Mapping[str, Value]) -> Scope:
        if self.depth > _DEPTH:
            raise RefusedError("a value that refers to itself")
        return Scope(
            self.variables,
            self.functions,
            self.targets,
            self.unknown,
            local,
            self.depth + 1,
            self.values,
        )

    def with_local(self, more: Mapping[str, Value]) -> Scope:
        return self.inner({**self.local, **more})
