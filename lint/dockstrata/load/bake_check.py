"""What bake refuses in files that it can read: variables, functions, and the types of attributes.

Source: Docker's bake file reference, and what ``docker buildx bake --print`` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dockstrata.load.bake_file import BakeFile, Block, Place, Variable
from dockstrata.load.hcl import Scope
from dockstrata.load.hcl_expression import Expression
from dockstrata.load.hcl_functions import is_known
from dockstrata.load.hcl_types import (
    BOOL,
    STRING,
    STRING_MAP,
    STRINGS,
    Missing,
    RefusedError,
    Type,
    Value,
    converted,
)
from dockstrata.load.wiring import Problem, UnknownValueError

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
TYPES: Mapping[str, Type] = {
    **dict.fromkeys(("pull", "no-cache"), BOOL),
    **dict.fromkeys(
        ("context", "dockerfile", "dockerfile-inline", "target", "network", "shm-size"), STRING
    ),
    **dict.fromkeys(("call", "description"), STRING),
    **dict.fromkeys(("inherits", "tags", "platforms", "no-cache-filter", "ulimits"), STRINGS),
    **dict.fromkeys(("entitlements", "annotations"), STRINGS),
    **dict.fromkeys(("args", "labels", "extra-hosts", "contexts"), STRING_MAP),
}
_WITHOUT_NULL = frozenset({"contexts", *(name for name, it in TYPES.items() if it == STRINGS)})


def is_target_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def refused(place: Place, offset: int, error: RefusedError) -> Problem:
    at = error.offset if error.offset is not None else offset
    return place.problem(f"bake refuses this: {error}", at)


def faults(file: BakeFile, scope: Scope, builtin: frozenset[str]) -> Iterator[Problem]:
    """Problems of variables, functions and groups; ``scope`` is that of an empty environment."""
    yield from file.faults
    yield from _Names(file, builtin).problems()
    for name, variable in {**file.variables, **file.attributes}.items():
        try:
            scope.name(name)
        except UnknownValueError:
            continue
        except RefusedError as error:
            at = variable.default.offset if variable.default else variable.offset
            yield refused(variable.place, at, error)
        for condition in variable.conditions:
            try:
                condition.value(scope)
            except UnknownValueError:
                continue
            except RefusedError as error:
                yield refused(variable.place, condition.offset, error)
    for name, blocks in file.groups.items():
        for block in blocks:
            if not is_target_name(name):
                yield block.place.problem(f"group '{name}': not a name for bake", block.offset)
            yield from _typed(block, {"targets": STRINGS, "description": STRING}, scope)
            if "targets" not in block.body:
                yield block.place.problem(f"group '{name}' has no targets", block.offset)


def target_faults(block: Block, scope: Scope) -> Iterator[Problem]:
    """Problems of a target's attributes."""
    yield from _typed(block, TYPES, scope)


def _typed(block: Block, types: Mapping[str, Type], scope: Scope) -> Iterator[Problem]:
    for name, expression in block.body.items():
        try:
            value = expression.value(scope)
            if name in types:
                value = converted(_known(value), types[name])
                if name in _WITHOUT_NULL or types is not TYPES:
                    _without_null(value)
        except UnknownValueError:
            continue
        except RefusedError as error:
            yield refused(
                block.place, expression.offset, RefusedError(f"{name}: {error}", error.offset)
            )


def _known(value: Value) -> Value:
    """The value without parts that are not known."""
    if isinstance(value, list):
        return [item for item in value if not isinstance(item, Missing)]
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if not isinstance(item, Missing)}
    return value


def _without_null(value: Value) -> None:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if any(item is None for item in items):
        raise RefusedError("null is not allowed")


class _Names:
    """What variables and functions name: it must be there, and not lead back."""

    def __init__(self, file: BakeFile, builtin: frozenset[str]) -> None:
        self.file = file
        self.known = {*file.variables, *file.attributes, *builtin, "target"}
        self.done: set[str] = set()

    def problems(self) -> Iterator[Problem]:
        for name, variable in {**self.file.variables, **self.file.attributes}.items():
            if (problem := self.variable(name, variable, ())) is not None:
                yield problem
        for name in self.file.functions:
            if (problem := self.function(name, ())) is not None:
                yield problem

    def variable(self, name: str, variable: Variable, way: tuple[str, ...]) -> Problem | None:
        if name in self.done or variable.default is None:
            return None
        self.done.add(name)
        return self.uses(variable.default, variable.place, (*way, name), frozenset())

    def function(self, name: str, way: tuple[str, ...]) -> Problem | None:
        if f"{name}()" in self.done:
            return None
        self.done.add(f"{name}()")
        own, block = self.file.functions[name]
        bound = frozenset({*own.parameters, *([own.rest] if own.rest else [])})
        return self.uses(own.result, block.place, (*way, f"{name}()"), bound)

    def uses(
        self, found: Expression, place: Place, way: tuple[str, ...], bound: frozenset[str]
    ) -> Problem | None:
        for name, offset in found.calls.items():
            if f"{name}()" in way:
                return place.problem(f"function '{name}' calls itself", offset)
            if name in self.file.functions:
                if (problem := self.function(name, way)) is not None:
                    return problem
            elif not is_known(name):
                return place.problem(f"there is no function {name}()", offset)
        for name, offset in found.names.items():
            if name in bound:
                continue
            if name in way:
                return place.problem(f"variable '{name}' refers to itself", offset)
            if name not in self.known:
                return place.problem(f"there is no variable '{name}'", offset)
            other = self.file.attributes.get(name) or self.file.variables.get(name)
            if other is not None and (problem := self.variable(name, other, way)) is not None:
                return problem
        return None
