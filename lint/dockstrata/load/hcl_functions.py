"""The functions that bake files may call, as far as their results are known (docs "Bake standard
library functions"). What depends on the clock, on chance or on the machine is left out."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import math
import posixpath
import re
import urllib.parse
from collections.abc import Callable, Iterable, Mapping

from dockstrata.load.wiring import UnknownValueError


class Missing:
    """An item of a list that is not known; the others are."""


Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"] | Missing
Function = Callable[..., Value]

_LIMIT = 10_000  # items and characters that one call may make
_VERB = re.compile(r"%(?:\[(\d+)\])?([-+0 #]*\d*(?:\.\d+)?)([a-zA-Z%])")
_GO_ONLY = re.compile(r"\[\[:|\\[pPzCQ]|\(\?U|\(\?[a-z]*U")
_REFERENCE = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")


def text(value: Value) -> str:
    """A value inside a template, or as a build argument."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (list, dict, Missing)) or value is None:
        raise UnknownValueError("a value that is no text")
    return str(value)


def number(value: Value) -> int | float:
    """A number, or a string that spells one."""
    if isinstance(value, str):
        return float(value) if re.search(r"[.eE]", value) else int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UnknownValueError("a value that is no number")
    return value


def boolean(value: Value) -> bool:
    if value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise UnknownValueError("a value that is neither true nor false")
    return value


def same(left: Value, right: Value) -> bool:
    """Whether two values are equal; those of different types are not."""
    if isinstance(left, Missing) or isinstance(right, Missing):
        raise UnknownValueError("an item of a list")
    numbers = [isinstance(it, (int, float)) and not isinstance(it, bool) for it in (left, right)]
    return left == right and (all(numbers) or type(left) is type(right))


def _fits(value: Value) -> Value:
    if isinstance(value, (str, list, dict)) and len(value) > _LIMIT:
        raise UnknownValueError("a value that is too long")
    return value


def _format(form: str, *values: Value) -> str:
    left = list(values)

    def one(match: re.Match[str]) -> str:
        place, flags, verb = match.groups()
        if verb == "%":
            return "%"
        value = values[int(place) - 1] if place else left.pop(0)
        if verb == "q":
            return json.dumps(text(value), ensure_ascii=False)
        if verb in "sv":
            return f"%{flags}s" % text(value)
        if verb == "t":
            return text(boolean(value))
        if verb in "dxXoefgEG":
            whole = verb in "dxXo"
            return f"%{flags}{verb}" % (int(number(value)) if whole else number(value))
        raise UnknownValueError(f"%{verb}")

    if re.search(r"[1-9]\d{3}", form):
        raise UnknownValueError("a width")
    return _VERB.sub(one, form)


def _format_list(form: str, *values: Value) -> Value:
    lists = [value for value in values if isinstance(value, list)]
    length = len(lists[0]) if lists else 1
    rows = [value if isinstance(value, list) else [value] * length for value in values]
    return [_format(form, *row) for row in zip(*rows, strict=True)]


def _pattern(pattern: str) -> re.Pattern[str]:
    if _GO_ONLY.search(pattern):
        raise UnknownValueError("a regular expression")
    return re.compile(pattern, re.ASCII)


def _captured(match: re.Match[str]) -> Value:
    if named := match.groupdict():
        return dict(named)
    return list(match.groups()) if match.re.groups else match[0]


def _regex(pattern: str, whole: str) -> Value:
    match = _pattern(pattern).search(whole)
    if match is None:
        raise UnknownValueError("a match")
    return _captured(match)


def _regex_replace(whole: str, pattern: str, new: str) -> Value:
    def put(match: re.Match[str]) -> str:
        def group(reference: re.Match[str]) -> str:
            name = reference[1] or reference[2]
            if name is None:
                return "$"
            key: str | int = int(name) if name.isdecimal() else name
            known = key in match.re.groupindex or (isinstance(key, int) and key <= match.re.groups)
            return (match[key] or "") if known else ""

        return _REFERENCE.sub(group, new)

    return _pattern(pattern).sub(put, whole)


def _flat(items: Iterable[Value]) -> list[Value]:
    found: list[Value] = []
    for item in items:
        found += _flat(item) if isinstance(item, list) else [item]
    return found


def _distinct(items: list[Value]) -> Value:
    found: list[Value] = []
    for item in items:
        if isinstance(item, Missing) or not any(
            same(item, other) for other in found if not isinstance(other, Missing)
        ):
            found.append(item)
    return found


def _coalesce(*items: Value) -> Value:
    return next(item for item in items if item is not None)


def _join(glue: str, *lists: list[Value]) -> Value:
    return glue.join(text(item) for one in lists for item in one)


def _index(items: Value, key: Value) -> Value:
    if isinstance(items, dict) and isinstance(key, str) and key in items:
        return items[key]
    if isinstance(items, list) and not isinstance(key, bool) and int(number(key)) >= 0:
        return items[int(number(key))]
    raise UnknownValueError(str(key))


def _has_index(items: Value, key: Value) -> Value:
    try:
        _index(items, key)
    except (UnknownValueError, IndexError, ValueError):
        return False
    return True


def _lookup(items: dict[str, Value], key: str, default: Value) -> Value:
    return items.get(key, default)


def _merge(*maps: dict[str, Value] | None) -> Value:
    merged: dict[str, Value] = {}
    for one in maps:
        merged.update(one or {})
    return merged


def _product(*lists: list[Value]) -> Value:
    if math.prod(map(len, lists)) > _LIMIT:
        raise UnknownValueError("a product that is too large")
    return [list(row) for row in itertools.product(*lists)]


def _range(*ends: Value) -> Value:
    numbers = [int(number(end)) for end in ends]
    start, end = (0, numbers[0]) if len(numbers) == 1 else numbers[:2]
    step = numbers[2] if len(numbers) > 2 else (1 if start <= end else -1)
    return list(range(start, end, step))


def _slice(items: list[Value], start: Value, end: Value) -> Value:
    first, last = int(number(start)), int(number(end))
    if not 0 <= first <= last <= len(items):
        raise UnknownValueError("a slice")
    return items[first:last]


def _substr(whole: str, start: Value, size: Value) -> Value:
    first, length = int(number(start)), int(number(size))
    first = max(len(whole) + first, 0) if first < 0 else first
    return whole[first:] if length < 0 else whole[first : first + length]


def _split(glue: str, whole: str) -> Value:
    return list(whole.split(glue) if glue else whole)


def _divide(left: Value, right: Value) -> Value:
    quotient = number(left) / number(right)
    return int(quotient) if quotient.is_integer() else quotient


def _modulo(left: Value, right: Value) -> Value:
    value = math.fmod(number(left), number(right))
    return int(value) if value.is_integer() else value


def _digest(name: str) -> Function:
    return lambda whole: hashlib.new(name, whole.encode(), usedforsecurity=False).hexdigest()


_PLAIN: Mapping[str, Function] = {
    "absolute": lambda value: abs(number(value)),
    "add": lambda left, right: number(left) + number(right),
    "and": lambda left, right: boolean(left) and boolean(right),
    "base64decode": lambda whole: base64.b64decode(whole, validate=True).decode(),
    "base64encode": lambda whole: base64.b64encode(whole.encode()).decode(),
    "basename": lambda path: posixpath.basename(path.rstrip("/")),
    "ceil": lambda value: math.ceil(number(value)),
    "chomp": lambda whole: whole.rstrip("\r\n"),
    "chunklist": lambda items, size: [
        items[at : at + int(size)] for at in range(0, len(items), int(size))
    ],
    "coalesce": _coalesce,
    "coalescelist": lambda *lists: next(one for one in lists if one),
    "compact": lambda items: [item for item in items if item != ""],
    "concat": lambda *lists: [item for one in lists for item in one],
    "contains": lambda items, item: any(same(item, other) for other in items),
    "dirname": lambda path: posixpath.dirname(path) or ".",
    "distinct": _distinct,
    "divide": _divide,
    "element": lambda items, at: items[int(number(at)) % len(items)],
    "equal": same,
    "flatten": _flat,
    "floor": lambda value: math.floor(number(value)),
    "format": _format,
    "formatlist": _format_list,
    "greaterthan": lambda left, right: number(left) > number(right),
    "greaterthanorequalto": lambda left, right: number(left) >= number(right),
    "hasindex": _has_index,
    "indent": lambda spaces, whole: whole.replace("\n", "\n" + " " * int(number(spaces))),
    "index": _index,
    "indexof": lambda items, item: next(n for n, it in enumerate(items) if same(it, item)),
    "int": lambda value: int(number(value)),
    "join": _join,
    "jsondecode": json.loads,
    "jsonencode": lambda value: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
    "keys": sorted,
    "length": len,
    "lessthan": lambda left, right: number(left) < number(right),
    "lessthanorequalto": lambda left, right: number(left) <= number(right),
    "lookup": _lookup,
    "lower": str.lower,
    "max": lambda *values: max(map(number, values)),
    "md5": _digest("md5"),
    "merge": _merge,
    "min": lambda *values: min(map(number, values)),
    "modulo": _modulo,
    "multiply": lambda left, right: number(left) * number(right),
    "negate": lambda value: -number(value),
    "not": lambda value: not boolean(value),
    "notequal": lambda left, right: not same(left, right),
    "or": lambda left, right: boolean(left) or boolean(right),
    "parseint": lambda whole, base: int(whole, int(number(base))),
    "range": _range,
    "regex": _regex,
    "regex_replace": _regex_replace,
    "regexall": lambda pattern, whole: [
        _captured(match) for match in _pattern(pattern).finditer(whole)
    ],
    "replace": lambda whole, old, new: _fits(whole.replace(old, new)),
    "reverse": lambda whole: whole[::-1],
    "reverselist": lambda items: items[::-1],
    "sanitize": lambda whole: re.sub(r"[^a-zA-Z0-9_-]", "_", whole),
    "setproduct": _product,
    "sha1": _digest("sha1"),
    "sha256": _digest("sha256"),
    "sha512": _digest("sha512"),
    "signum": lambda value: (number(value) > 0) - (number(value) < 0),
    "slice": _slice,
    "sort": lambda items: [*sorted(map(text, items))],
    "split": _split,
    "strlen": len,
    "substr": _substr,
    "subtract": lambda left, right: number(left) - number(right),
    "title": lambda whole: re.sub(r"(?<!\w)[a-z]", lambda it: it[0].upper(), whole),
    "trim": lambda whole, characters: whole.strip(characters),
    "trimprefix": lambda whole, prefix: whole.removeprefix(prefix),
    "trimspace": str.strip,
    "trimsuffix": lambda whole, suffix: whole.removesuffix(suffix),
    "upper": str.upper,
    "urlencode": urllib.parse.quote_plus,
    "values": lambda items: [items[key] for key in sorted(items)],
    "zipmap": lambda keys, values: dict(zip(keys, values, strict=True)),
}
# A number that is given where text belongs is written out.
_OF_TEXT = """basename chomp dirname lower md5 regex_replace replace reverse sanitize sha1 sha256
sha512 split strlen title trim trimprefix trimspace trimsuffix upper urlencode base64encode"""


def _of_text(function: Function) -> Function:
    return lambda *values: function(*map(text, values))


FUNCTIONS: Mapping[str, Function] = {
    **_PLAIN,
    **{name: _of_text(_PLAIN[name]) for name in _OF_TEXT.split()},
}
