"""The functions that bake files may call (docs "Bake standard library functions"), and how their
arguments are converted. What depends on the clock, on chance or on the machine has no result."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dockstrata.load import hcl_collections as collections
from dockstrata.load import hcl_strings as strings
from dockstrata.load.hcl_number import Number, parsed, rounded
from dockstrata.load.hcl_operations import quotient, remainder
from dockstrata.load.hcl_types import (
    ANY,
    BOOL,
    NUMBER,
    STRING,
    STRINGS,
    Missing,
    RefusedError,
    Type,
    Value,
    converted,
    same,
    whole,
)
from dockstrata.load.wiring import UnknownValueError

_TYPES = {
    "any": ANY,
    "null": ANY,  # any, and null is a value
    "text": STRING,
    "number": NUMBER,
    "bool": BOOL,
    "texts": STRINGS,
    "list": Type("list", (ANY,)),
    "set": Type("set", (ANY,)),
}
_FAILURES = (
    *(TypeError, ValueError, AttributeError, LookupError, ArithmeticError, StopIteration),
    *(RecursionError, re.error),
)
# Known by name alone: the clock, chance, keys, the machine; and what is younger than our judge.
OPEN = frozenset(
    {
        *("bcrypt", "bytesslice", "byteslen", "formattimestamp", "homedir", "rfc3339parse"),
        *("rsadecrypt", "timestamp", "unixtimestampparse", "uuidv4"),
    }
)


@dataclass(frozen=True, slots=True)
class _Function:
    """``kinds`` are the types of the parameters, ``rest`` that of further arguments."""

    work: Callable[..., Value]
    kinds: tuple[str, ...]
    rest: str | None = None


def is_known(name: str) -> bool:
    return name in FUNCTIONS or name in OPEN or name in ("try", "can", "convert")


def call(name: str, given: Sequence[Value]) -> Value:
    """The result of a function. Raises :class:`RefusedError`, :class:`UnknownValueError`."""
    if name in OPEN:
        raise UnknownValueError(f"{name}()")
    if name not in FUNCTIONS:
        raise RefusedError(f"there is no function {name}()")
    function = FUNCTIONS[name]
    missing = len(given) < len(function.kinds)
    if missing or (len(given) > len(function.kinds) and function.rest is None):
        raise RefusedError(f"{name}() with {len(given)} arguments")
    kinds = [*function.kinds, *[function.rest or ""] * (len(given) - len(function.kinds))]
    arguments: list[Value] = []
    for kind, value in zip(kinds, given, strict=True):
        if isinstance(value, Missing):
            raise UnknownValueError(f"an argument of {name}()")
        if value is None and kind != "null":
            raise RefusedError(f"{name}() of null")
        arguments.append(converted(value, _TYPES[kind]))
    try:
        return function.work(*arguments)
    except RefusedError as error:
        raise RefusedError(f"{name}(): {error}") from None
    except _FAILURES:
        raise RefusedError(f"{name}() has no result for these arguments") from None


def _power(base: Number, exponent: Number) -> Value:
    return _measured(math.pow(base, exponent))


def _logarithm(value: Number, base: Number) -> Value:
    if not value or base == 1:
        raise UnknownValueError("an infinite number")
    return _measured(math.log(value) / math.log(base))


def _measured(found: float) -> Value:
    if not math.isfinite(found):
        raise UnknownValueError("an infinite number")
    return parsed(repr(found))  # as many digits as tell it from others of 53 bits


def _parsed(whole_text: Value, base: Number) -> Value:
    if not isinstance(whole_text, str) or not 2 <= whole(base) <= 62:
        raise RefusedError("a text and a base from 2 to 62 are required")
    digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    sign = -1 if whole_text.startswith("-") else 1
    spelled = whole_text[(whole_text[:1] in ("-", "+") and 1) or 0 :]
    spelled = spelled.lower() if whole(base) <= 36 else spelled
    if not spelled or any(digits.find(it) not in range(whole(base)) for it in spelled):
        raise RefusedError(f"'{whole_text}' is no number")
    found = 0
    for digit in spelled:
        found = found * whole(base) + digits.index(digit)
    return rounded(sign * found)


def _sign(value: Number) -> int:
    found = whole(value)
    return (found > 0) - (found < 0)


def _extreme(name: str, choose: Callable[..., Number]) -> Callable[..., Value]:
    def found(*values: Number) -> Value:
        if not values:
            raise RefusedError("at least one number is required")
        return choose(values)

    return found


def _of(kinds: str, work: Callable[..., Value], rest: str | None = None) -> _Function:
    return _Function(work, tuple(kinds.split()), rest)


_NUMBERS: Mapping[str, _Function] = {
    "absolute": _of("number", abs),
    "add": _of("number number", lambda left, right: rounded(left + right)),
    "ceil": _of("number", math.ceil),
    "divide": _of("number number", quotient),
    "floor": _of("number", math.floor),
    "greaterthan": _of("number number", lambda left, right: left > right),
    "greaterthanorequalto": _of("number number", lambda left, right: left >= right),
    "int": _of("number", int),
    "lessthan": _of("number number", lambda left, right: left < right),
    "lessthanorequalto": _of("number number", lambda left, right: left <= right),
    "log": _of("number number", _logarithm),
    "max": _of("", _extreme("max", max), "number"),
    "min": _of("", _extreme("min", min), "number"),
    "modulo": _of("number number", remainder),
    "multiply": _of("number number", lambda left, right: rounded(left * right)),
    "negate": _of("number", lambda value: -value),
    "parseint": _of("any number", _parsed),
    "pow": _of("number number", _power),
    "signum": _of("number", _sign),
    "subtract": _of("number number", lambda left, right: rounded(left - right)),
}
_TRUTHS: Mapping[str, _Function] = {
    "and": _of("bool bool", lambda left, right: left and right),
    "equal": _of("null null", same),
    "not": _of("bool", lambda value: not value),
    "notequal": _of("null null", lambda left, right: not same(left, right)),
    "or": _of("bool bool", lambda left, right: left or right),
}
FUNCTIONS: Mapping[str, _Function] = {
    **_NUMBERS,
    **_TRUTHS,
    **{name: _of(kinds, work, rest) for name, (kinds, work, rest) in strings.FUNCTIONS.items()},
    **{name: _of(kinds, work, rest) for name, (kinds, work, rest) in collections.FUNCTIONS.items()},
}
