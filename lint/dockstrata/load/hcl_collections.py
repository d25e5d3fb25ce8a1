"""HCL's functions of lists, sets, maps and objects; arguments come converted."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Callable, Iterable, Mapping

from dockstrata.load.hcl_number import Number, rounded
from dockstrata.load.hcl_operations import item_of
from dockstrata.load.hcl_types import (
    List,
    Map,
    Missing,
    RefusedError,
    Set,
    Type,
    Value,
    converted,
    ordered,
    same,
    text,
    type_of,
    unified,
    whole,
)
from dockstrata.load.wiring import UnknownValueError

_LIMIT = 10_000  # items that one call may make
_RANGE = 1024  # items that bake allows


def _listed(value: Value, sets: bool = True) -> list[Value]:
    if not isinstance(value, list) or (isinstance(value, Set) and not sets):
        raise RefusedError("a list is required")
    return value


def _joined(lists: Iterable[Value]) -> list[Value]:
    return [item for one in lists for item in _listed(one)]


def _flat(value: Value) -> Value:
    found: list[Value] = []
    for item in _listed(value):
        if isinstance(item, list):
            found += _listed(_flat(item))
        else:
            found.append(item)
    return found


def _distinct(items: list[Value]) -> Value:
    found: list[Value] = []
    for item in items:
        if isinstance(item, Missing) or not any(
            same(item, other) for other in found if not isinstance(other, Missing)
        ):
            found.append(item)
    return List(found)


def _common(values: Iterable[Value]) -> Type:
    wanted = unified(map(type_of, values))
    if wanted is None:
        raise RefusedError("all arguments must have one type")
    return wanted


def _coalesce(*items: Value) -> Value:
    wanted = _common(items)
    for item in items:
        if item is not None:
            return converted(item, wanted)
    raise RefusedError("every argument is null")


def _coalesce_list(*lists: Value) -> Value:
    for one in lists:
        if _listed(one, sets=False):
            return one
    raise RefusedError("every list is empty")


def _concat(*lists: Value) -> Value:
    found = _joined(lists)
    return List(found) if lists and all(isinstance(one, List) for one in lists) else found


def _element(items: Value, at: Number) -> Value:
    listed = _listed(items, sets=False)
    if not listed or whole(at) < 0:
        raise RefusedError("an index from 0, and a list that is not empty, are required")
    return listed[whole(at) % len(listed)]


def _index(items: Value, key: Value) -> Value:
    if type(items) is dict:
        raise RefusedError("a list or a map is required, not an object")
    if isinstance(items, list) and isinstance(key, str):
        raise RefusedError("the key of a list is a number")
    return item_of(items, key)


def _has_index(items: Value, key: Value) -> Value:
    if type(items) is dict or not isinstance(items, (list, dict)):
        raise RefusedError("a list or a map is required")
    try:
        _index(items, key)
    except RefusedError:
        return False
    return True


def _index_of(items: Value, wanted: Value) -> Value:
    for at, item in enumerate(_listed(items, sets=False)):
        if same(item, wanted):
            return at
    raise RefusedError("no item is equal to that")


def _length(items: Value) -> Value:
    if type(items) is dict or not isinstance(items, (list, dict)):
        raise RefusedError("a list or a map is required")
    return len(items)


def _lookup(items: Value, key: str, default: Value) -> Value:
    if not isinstance(items, dict):
        raise RefusedError("a map is required")
    if key not in items:
        return default
    return _present(items[key])


def _present(value: Value) -> Value:
    if isinstance(value, Missing):
        raise UnknownValueError("a part of a value")
    return value


def _merge(*maps: Value) -> Value:
    merged: dict[str, Value] = {}
    for one in maps:
        if one is not None and not isinstance(one, dict):
            raise RefusedError("maps are required")
        merged.update(one or {})
    return Map(merged) if maps and all(isinstance(one, Map) for one in maps) else merged


def _mapping(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise RefusedError("a map is required")
    return value


def _keys(value: Value) -> Value:
    names: list[Value] = [*sorted(_mapping(value))]
    return List(names) if isinstance(value, Map) else names


def _values(value: Value) -> Value:
    found = [_mapping(value)[name] for name in sorted(_mapping(value))]
    return List(found) if isinstance(value, Map) else found


def _zipmap(keys: list[Value], values: Value) -> Value:
    listed = _listed(values)
    if len(keys) != len(listed):
        raise RefusedError("as many keys as values are required")
    found = dict(zip(map(text, keys), listed, strict=True))
    return Map(found) if isinstance(values, List) else found


def _chunks(items: list[Value], size: Number) -> Value:
    step = whole(size) or max(len(items), 1)
    if step < 0:
        raise RefusedError("a size from 0 is required")
    return List(List(items[at : at + step]) for at in range(0, len(items), step))


def _product(*lists: Value) -> Value:
    if len(lists) < 2:
        raise RefusedError("at least two lists are required")
    given = [_listed(one) for one in lists]
    if math.prod(map(len, given)) > _LIMIT:
        raise UnknownValueError("a product that is too large")
    even = [[converted(item, _common(one)) for item in one] for one in given]
    rows: list[Value] = [list(row) for row in itertools.product(*even)]
    return Set(rows) if all(isinstance(one, Set) for one in lists) else List(rows)


def _range(*ends: Number) -> Value:
    if not 1 <= len(ends) <= 3:
        raise RefusedError("one to three numbers are required")
    start, end = (rounded(0), ends[0]) if len(ends) == 1 else ends[:2]
    step = ends[2] if len(ends) == 3 else rounded(1 if start <= end else -1)
    if start == end:
        return List()
    if not step or (step < 0) != (end < start):
        raise RefusedError("the step leads away from the end")
    found: list[Value] = []
    while start < end if step > 0 else start > end:
        if len(found) >= _RANGE:
            raise RefusedError(f"more than {_RANGE} numbers")
        found.append(start)
        start = rounded(start + step)
    return List(found)


def _slice(items: Value, start: Number, end: Number) -> Value:
    listed, first, last = _listed(items, sets=False), whole(start), whole(end)
    if not 0 <= first <= last <= len(listed):
        raise RefusedError("the ends do not lie in the list")
    return type(listed)(listed[first:last])


def _reversed(items: Value) -> Value:
    found = _listed(items)[::-1]
    return List(found) if isinstance(items, (List, Set)) else found


def _sorted(items: list[Value]) -> Value:
    found = sorted(map(text, items), key=str.encode)
    return List(found)


def _sets(*sets: Value) -> list[list[Value]]:
    """Sets whose items have one type."""
    wanted = _common(_joined(sets))
    return [[converted(item, wanted) for item in _listed(one)] for one in sets]


def _among(item: Value, items: Iterable[Value]) -> bool:
    return any(same(item, other) for other in items)


def _union(*sets: Value) -> Value:
    return ordered(item for one in _sets(*sets) for item in one)


def _intersection(*sets: Value) -> Value:
    first, *others = _sets(*sets)
    return ordered(item for item in first if all(_among(item, one) for one in others))


def _subtract(left: Value, right: Value) -> Value:
    one, other = _sets(left, right)
    return ordered(item for item in one if not _among(item, other))


def _difference(*sets: Value) -> Value:
    found: list[Value] = []
    for one in _sets(*sets):
        extra = [item for item in one if not _among(item, found)]
        found = [item for item in found if not _among(item, one)] + extra
    return ordered(found)


def _table(source: str) -> Value:
    rows = [row for row in csv.reader(io.StringIO(source, newline=""), strict=True) if row]
    if not rows:
        raise RefusedError("a line with names is required")
    names = rows[0]
    if len(set(names)) < len(names) or any(len(row) != len(names) for row in rows):
        raise RefusedError("lines of one length and names that differ are required")
    return List(dict[str, Value](zip(names, row, strict=True)) for row in rows[1:])


Entry = tuple[str, Callable[..., Value], str | None]
FUNCTIONS: Mapping[str, Entry] = {
    "chunklist": ("list number", _chunks, None),
    "coalesce": ("", _coalesce, "null"),
    "coalescelist": ("", _coalesce_list, "any"),
    "compact": ("texts", lambda items: List(it for it in items if it not in ("", None)), None),
    "concat": ("", _concat, "any"),
    "contains": ("any any", lambda items, item: _among(item, _listed(items)), None),
    "csvdecode": ("text", _table, None),
    "distinct": ("list", _distinct, None),
    "element": ("any number", _element, None),
    "flatten": ("any", _flat, None),
    "hasindex": ("any any", _has_index, None),
    "index": ("any any", _index, None),
    "indexof": ("any any", _index_of, None),
    "keys": ("any", _keys, None),
    "length": ("any", _length, None),
    "lookup": ("any text any", _lookup, None),
    "merge": ("", _merge, "null"),
    "range": ("", _range, "number"),
    "reverselist": ("any", _reversed, None),
    "sethaselement": ("set any", lambda items, item: _among(item, items), None),
    "setintersection": ("set", _intersection, "set"),
    "setproduct": ("", _product, "any"),
    "setsubtract": ("set set", _subtract, None),
    "setsymmetricdifference": ("set", _difference, "set"),
    "setunion": ("set", _union, "set"),
    "slice": ("any number number", _slice, None),
    "sort": ("texts", _sorted, None),
    "values": ("any", _values, None),
    "zipmap": ("texts any", _zipmap, None),
}
