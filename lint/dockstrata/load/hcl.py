"""What the names in HCL expressions stand for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from dockstrata.load.hcl_expression import Expression
from dockstrata.load.hcl_functions import call
from dockstrata.load.hcl_types import Missing, RefusedError, Value
from dockstrata.load.wiring import UnknownValueError

_DEPTH = 50
_STEPS = 200_000  # turns of loops and values of names that one file may ask for


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the file's own: names of its parameters, of the rest, and its result."""

    parameters: tuple[str, ...]
    result: Expression
    rest: str | None = None


@dataclass(slots=True)
class _Shared:
    """What all scopes of one file share: values found, names that are being evaluated."""

    values: dict[str, Value] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    steps: int = 0

    @contextmanager
    def evaluating(self, name: str) -> Iterator[None]:
        if name in self.busy:
            raise RefusedError(f"'{name}' refers to itself")
        self.busy.add(name)
        try:
            yield
        finally:
            self.busy.discard(name)


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
    shared: _Shared = field(default_factory=_Shared)

    def name(self, name: str) -> Value:
        if name in self.local:
            value = self.local[name]
        elif name in self.unknown:
            raise UnknownValueError(name)
        elif name in self.shared.values:
            value = self.shared.values[name]
        elif name in self.variables:
            value = self.once(name, self.variables[name])
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
        key = f"target.{target}.{name}"
        if key not in self.shared.values:
            with self.shared.evaluating(key):
                self.shared.values[key] = self.targets[target](name, self.inner({}))
        return self.shared.values[key]

    def once(self, name: str, found: Expression | Value) -> Value:
        """A variable's value, which is kept."""
        if isinstance(found, Expression):
            with self.shared.evaluating(name):
                found = found.value(self.inner({}))
        self.shared.values[name] = found
        return found

    def call(self, name: str, arguments: Sequence[Value]) -> Value:
        """A function; one of the file's own sees its parameters and the variables."""
        if name not in self.functions:
            return call(name, arguments)
        own = self.functions[name]
        count = len(own.parameters)
        if len(arguments) < count or (len(arguments) > count and not own.rest):
            raise RefusedError(f"{name}() with {len(arguments)} arguments")
        if None in arguments:
            raise RefusedError(f"{name}() of null")
        local = dict(zip(own.parameters, arguments, strict=False))
        if own.rest:
            local[own.rest] = list(arguments[count:])
        with self.shared.evaluating(f"{name}()"):
            return own.result.value(self.inner(local))

    def inner(self, local: Mapping[str, Value]) -> Scope:
        if self.depth > _DEPTH:
            raise RefusedError("a value that is nested too deep")
        self.shared.steps += 1
        if self.shared.steps > _STEPS:
            raise UnknownValueError("a value that takes too long")
        return Scope(
            self.variables,
            self.functions,
            self.targets,
            self.unknown,
            local,
            self.depth + 1,
            self.shared,
        )

    def with_local(self, more: Mapping[str, Value]) -> Scope:
        return self.inner({**self.local, **more})
