"""What operators, members, loops and calls of HCL do, as functions of a scope.

Each takes the compiled parts and the offset that an error names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from dockstrata.load.hcl_number import Number, rounded
from dockstrata.load.hcl_template import Compiled, turns
from dockstrata.load.hcl_types import (
    Missing,
    RefusedError,
    Set,
    Type,
    Value,
    boolean,
    converted,
    number,
    same,
    text,
    type_of,
    unified,
    whole,
)
from dockstrata.load.wiring import UnknownValueError

if TYPE_CHECKING:
    from dockstrata.load.hcl import Scope


def quotient(left: Number, right: Number) -> Number:
    if right == 0:
        if left == 0:
            raise RefusedError("zero divided by zero")
        raise UnknownValueError("an infinite number")
    return rounded(Fraction(left) / Fraction(right))


def remainder(left: Number, right: Number) -> Number:
    if right == 0:
        return left
    return rounded(left - rounded(right * int(quotient(left, right))))


_NUMBERS: dict[str, Callable[[Number, Number], Value]] = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
    "+": lambda left, right: rounded(left + right),
    "-": lambda left, right: rounded(left - right),
    "*": lambda left, right: rounded(left * right),
    "/": quotient,
    "%": remainder,
}


def _placed(found: Compiled, offset: int) -> Compiled:
    """The same, whose errors say where."""

    def value(scope: Scope) -> Value:
        try:
            return found(scope)
        except RefusedError as error:
            if error.offset is None:
                error.offset = offset
            raise

    return value


def binary(operator: str, left: Compiled, right: Compiled, offset: int) -> Compiled:
    if operator in ("==", "!="):
        wanted = operator == "=="
        return _placed(lambda scope: same(left(scope), right(scope)) == wanted, offset)
    if operator == "&&":
        return _placed(lambda scope: both(left, right, scope, stops=False), offset)
    if operator == "||":
        return _placed(lambda scope: both(left, right, scope, stops=True), offset)
    work = _NUMBERS[operator]
    return _placed(lambda scope: work(number(left(scope)), number(right(scope))), offset)


def both(left: Compiled, right: Compiled, scope: Scope, stops: bool) -> bool:
    """``&&``, ``||``: where one side decides, the other may be unknown."""
    unknown: UnknownValueError | None = None
    found = not stops
    for side in (left, right):
        try:
            one = boolean(side(scope))
        except UnknownValueError as error:
            unknown = error
            continue
        if one == stops:
            found = stops
            if side is left:
                break
    if unknown is not None and found != stops:
        raise unknown
    return found


def unary(operator: str, operand: Compiled, offset: int) -> Compiled:
    if operator == "!":
        return _placed(lambda scope: not boolean(operand(scope)), offset)
    return _placed(lambda scope: -number(operand(scope)), offset)


def choice(asked: Compiled, yes: Compiled, no: Compiled, offset: int) -> Compiled:
    """``asked ? yes : no``: both have one type, which the value gets."""

    def value(scope: Scope) -> Value:
        chosen, other = (yes, no) if boolean(asked(scope)) else (no, yes)
        found = chosen(scope)
        try:
            beside = other(scope)
        except (RefusedError, UnknownValueError):
            return found
        wanted = unified([type_of(found), type_of(beside)])
        if wanted is None:
            raise RefusedError("the two results of a condition have different types")
        return converted(found, wanted)

    return _placed(value, offset)


def variable(name: str, offset: int) -> Compiled:
    return _placed(lambda scope: scope.name(name), offset)


def of_target(target: str, name: str, offset: int) -> Compiled:
    return _placed(lambda scope: scope.attribute(target, name), offset)


def member(value: Compiled, name: str | int, offset: int) -> Compiled:
    return _placed(lambda scope: item_of(value(scope), name), offset)


def indexed(value: Compiled, key: Compiled, offset: int) -> Compiled:
    return _placed(lambda scope: item_of(value(scope), key(scope)), offset)


def item_of(items: Value, key: Value) -> Value:
    """An attribute of an object, an item of a list."""
    if isinstance(items, Missing) or isinstance(key, Missing):
        raise UnknownValueError("a part of a value")
    found: Value = None
    if isinstance(items, dict) and key is not None:
        name = text(key)
        if name not in items:
            raise RefusedError(f"there is no '{name}'")
        found = items[name]
    elif isinstance(items, list) and not isinstance(items, Set) and not isinstance(key, bool):
        at = whole(key)
        if not 0 <= at < len(items):
            raise RefusedError(f"there is no item {at}")
        found = items[at]
    else:
        raise RefusedError(f"{type_of(items).kind} has no '{key}'")
    if isinstance(found, Missing):
        raise UnknownValueError(f"'{key}' of a value")
    return found


def splat(value: Compiled, each: Compiled, name: str) -> Compiled:
    def every(scope: Scope) -> Value:
        items = value(scope)
        listed = items if isinstance(items, list) else [] if items is None else [items]
        return [each(scope.with_local({name: item})) for item in listed]

    return every


def _known(one: Compiled, scope: Scope) -> Value:
    try:
        return one(scope)
    except UnknownValueError:
        return Missing()


def items(
    found: Sequence[tuple[Compiled, bool]], lenient: bool = False
) -> Callable[[Scope], list[Value]]:
    """A list of values; ``lenient``: one that is not known leaves the others."""

    def values(scope: Scope) -> list[Value]:
        given: list[Value] = []
        for one, spread in found:
            value = _known(one, scope) if lenient else one(scope)
            if not spread:
                given.append(value)
            elif isinstance(value, list):
                given += value
            else:
                raise RefusedError("'...' needs a list")
        return given

    return values


def made_object(pairs: Sequence[tuple[Compiled, Compiled]]) -> Compiled:
    return lambda scope: {text(key(scope)): _known(value, scope) for key, value in pairs}


def loop(
    names: Sequence[str],
    over: Compiled,
    key: Compiled | None,
    value: Compiled,
    wanted: Compiled | None,
    grouped: bool,
    offset: int,
) -> Compiled:
    def every(scope: Scope) -> Value:
        listed: list[Value] = []
        mapped: dict[str, Value] = {}
        groups: dict[str, list[Value]] = {}
        for turn in turns(names, over(scope)):
            local = scope.with_local(turn)
            if wanted is not None and not boolean(wanted(local)):
                continue
            if key is None:
                listed.append(_known(value, local))
                continue
            name, item = text(key(local)), _known(value, local)
            if grouped:
                groups.setdefault(name, []).append(item)
            elif name in mapped:
                raise RefusedError(f"the key '{name}' twice")
            else:
                mapped[name] = item
        return listed if key is None else {**groups, **mapped}

    return _placed(every, offset)


def call(name: str, arguments: Callable[[Scope], list[Value]], offset: int) -> Compiled:
    return _placed(lambda scope: scope.call(name, arguments(scope)), offset)


def attempt(name: str, found: Sequence[Compiled], offset: int) -> Compiled:
    """``try(…)``: the first argument that is no error; ``can(…)``: whether it is none."""

    def value(scope: Scope) -> Value:
        for one in found:
            try:
                result = one(scope)
            except RefusedError:
                if name == "can":
                    return False
            else:
                return True if name == "can" else result
        raise RefusedError(f"no argument of {name}() has a value")

    return _placed(value, offset)


def conversion(value: Compiled, wanted: Type, offset: int) -> Compiled:
    return _placed(lambda scope: converted(value(scope), wanted), offset)
