"""Values of HCL expressions and their types: conversion, unification, equality.

A tuple is a ``list``, an object a ``dict``; what functions and type constraints make of these is
marked (``List``, ``Set``, ``Map``). Source: go-cty's documentation, "Types" and "Conversions".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from dockstrata.load.hcl_lexer import without_comments
from dockstrata.load.hcl_number import Number, parsed, shown
from dockstrata.load.wiring import UnknownValueError


class RefusedError(Exception):
    """What bake refuses; ``offset`` is where in the file's text, if that is known."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


class Missing:
    """A value inside a list or an object that is not known; the others are."""


Value = str | int | Fraction | bool | None | list["Value"] | dict[str, "Value"] | Missing


class List(list[Value]):
    """A list whose items have one type."""


class Set(list[Value]):
    """A set, in cty's order."""


class Map(dict[str, Value]):
    """A map, whose values have one type."""


@dataclass(frozen=True, slots=True)
class Type:
    """``items`` are what a list, a set or a map holds, the items of a tuple, or an object's
    attributes in the order of ``names``, of which those in ``optional`` may be missing."""

    kind: str
    items: tuple[Type, ...] = ()
    names: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()


ANY, STRING, NUMBER, BOOL = map(Type, ("any", "string", "number", "bool"))
STRINGS = Type("list", (STRING,))
STRING_MAP = Type("map", (STRING,))
_SIMPLE = {one.kind: one for one in (ANY, STRING, NUMBER, BOOL)}


def text(value: Value) -> str:
    """A value as a string. Raises :class:`RefusedError`, :class:`UnknownValueError`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Fraction)):
        return shown(value)
    raise _wrong("string", value)


def number(value: Value) -> Number:
    """A number, or a string that spells one."""
    if isinstance(value, str):
        try:
            return parsed(value)
        except ValueError:
            raise RefusedError("a number is required") from None
    if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
        raise _wrong("number", value)
    return value


def whole(value: Value) -> int:
    found = number(value)
    if not isinstance(found, int) or not -(2**63) <= found < 2**63:
        raise RefusedError("a whole number is required")
    return found


def boolean(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in ("true", "false", "1", "0"):
        return value in ("true", "1")
    raise _wrong("bool", value)


def _wrong(wanted: str, value: Value) -> Exception:
    if isinstance(value, Missing):
        return UnknownValueError("a part of a value")
    found = "null" if value is None else type_of(value).kind
    return RefusedError(f"{wanted} required, not {found}")


def type_of(value: Value) -> Type:
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, str):
        return STRING
    if isinstance(value, (int, Fraction)):
        return NUMBER
    if isinstance(value, (List, Set)):
        item = unified(map(type_of, value)) or ANY
        return Type("list" if isinstance(value, List) else "set", (item,))
    if isinstance(value, Map):
        return Type("map", (unified(map(type_of, value.values())) or ANY,))
    if isinstance(value, list):
        return Type("tuple", tuple(map(type_of, value)))
    if isinstance(value, dict):
        names = sorted(value)
        return Type("object", tuple(type_of(value[name]) for name in names), tuple(names))
    return ANY


def unified(types: Iterable[Type]) -> Type | None:
    """The type to which all convert; ``None`` where there is none. Nulls fit anywhere."""
    found = [one for one in dict.fromkeys(types) if one != ANY]
    if len(found) <= 1:
        return found[0] if found else ANY
    if all(one.kind in _SIMPLE for one in found):
        return STRING if STRING in found else None
    kinds = {one.kind for one in found}
    shapes = {(one.names, len(one.items)) for one in found}
    if len(kinds) == 1 and len(shapes) == 1:
        columns = [unified(column) for column in zip(*(one.items for one in found), strict=True)]
        items = tuple(column for column in columns if column is not None)
        complete = len(items) == len(columns)
        return Type(found[0].kind, items, found[0].names) if complete else None
    inner = unified(item for one in found for item in one.items)
    if inner is None:
        return None
    if kinds <= {"object", "map"}:
        return Type("map", (inner,))
    if kinds <= {"tuple", "list", "set"}:
        return Type("set" if "set" in kinds else "list", (inner,))
    return None


def converted(value: Value, wanted: Type) -> Value:
    """A value of that type. Raises :class:`RefusedError`, :class:`UnknownValueError`."""
    if value is None or wanted == ANY or isinstance(value, Missing):
        return value
    if wanted == STRING:
        return text(value)
    if wanted == NUMBER:
        return number(value)
    if wanted == BOOL:
        return boolean(value)
    if isinstance(value, dict):
        if wanted.kind == "object":
            return _object(value, wanted)
        if wanted.kind == "map":
            item = _item(wanted, value.values())
            return Map({name: converted(one, item) for name, one in value.items()})
    if isinstance(value, list):
        if wanted.kind == "tuple" and type(value) is list and len(value) == len(wanted.items):
            return [converted(one, it) for one, it in zip(value, wanted.items, strict=True)]
        if wanted.kind in ("list", "set"):
            item = _item(wanted, value)
            items = [converted(one, item) for one in value]
            return List(items) if wanted.kind == "list" else ordered(items)
    raise _wrong(wanted.kind, value)


def _item(wanted: Type, values: Iterable[Value]) -> Type:
    """The type of the items of a collection."""
    item = wanted.items[0]
    if item == ANY and (item := unified(map(type_of, values)) or ANY) == ANY:
        kinds = {type_of(value) for value in values} - {ANY}
        if kinds:
            raise RefusedError("all items must have one type")
    return item


def _object(value: dict[str, Value], wanted: Type) -> Value:
    for name in wanted.names:
        if name not in value and name not in wanted.optional:
            raise RefusedError(f"attribute '{name}' is required")
    pairs = zip(wanted.names, wanted.items, strict=True)
    return {name: converted(value.get(name), one) for name, one in pairs}


def ordered(items: Iterable[Value]) -> Set:
    """A set of items of one type."""
    found: list[Value] = []
    for item in items:
        if not any(same(item, other) for other in found):
            found.append(item)
    if all(isinstance(item, str) for item in found):
        found.sort(key=lambda item: text(item).encode())
    elif all(isinstance(item, (int, Fraction)) for item in found):
        found.sort(key=lambda item: int(item) if isinstance(item, bool) else number(item))
    return Set(found)


def same(left: Value, right: Value) -> bool:
    """Whether two values are equal; those of different types are not."""
    if isinstance(left, Missing) or isinstance(right, Missing):
        raise UnknownValueError("a part of a value")
    if isinstance(left, list) and isinstance(right, list):
        return (
            type(left) is type(right)
            and len(left) == len(right)
            and all(same(one, other) for one, other in zip(left, right, strict=True))
        )
    if isinstance(left, dict) and isinstance(right, dict):
        return (
            type(left) is type(right)
            and left.keys() == right.keys()
            and all(same(left[name], right[name]) for name in left)
        )
    return left == right and type_of(left) == type_of(right)


_TYPE_WORD = re.compile(r"\s*([A-Za-z_][\w-]*|[()\[\]{},=:]|\"[^\"]*\")")


def parsed_type(source: str) -> Type:
    """A type constraint: ``string``, ``list(number)``, ``object({a = string})``.

    Raises :class:`RefusedError`. Source: HCL's extension ``typeexpr``.
    """
    source = without_comments(source)
    words = _TYPE_WORD.findall(source)
    if "".join(words) != re.sub(r"\s+", "", source):
        raise RefusedError("not a type")
    found = _type(words)
    if words:
        raise RefusedError("not a type")
    return found


def _type(words: list[str]) -> Type:
    word = words.pop(0) if words else ""
    if word in _SIMPLE:
        return _SIMPLE[word]
    if word not in ("list", "set", "map", "tuple", "object"):
        raise RefusedError(f"'{word}' is no type")
    _take(words, "(")
    if word == "tuple":
        found = Type(word, tuple(_each(words)))
    elif word == "object":
        found = _attributes(words)
    else:
        found = Type(word, (_type(words),))
    _take(words, ")")
    return found


def _each(words: list[str]) -> list[Type]:
    _take(words, "[")
    found: list[Type] = []
    while words and words[0] != "]":
        found.append(_type(words))
        if words and words[0] == ",":
            words.pop(0)
    _take(words, "]")
    return found


def _attributes(words: list[str]) -> Type:
    _take(words, "{")
    names: list[str] = []
    items: list[Type] = []
    optional: set[str] = set()
    while words and words[0] != "}":
        name = words.pop(0).strip('"')
        _take(words, "=", ":")
        if words[:2] == ["optional", "("]:
            del words[:2]
            optional.add(name)
        names.append(name)
        items.append(_type(words))
        if name in optional:
            _take(words, ")")
        if words and words[0] == ",":
            words.pop(0)
    _take(words, "}")
    return Type("object", tuple(items), tuple(names), frozenset(optional))


def _take(words: list[str], *wanted: str) -> None:
    if not words or words.pop(0) not in wanted:
        raise RefusedError("not a type")
