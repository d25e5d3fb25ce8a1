"""JSON as bake's functions write and read it."""

from __future__ import annotations

import json
from fractions import Fraction

from dockstrata.load.hcl_number import parsed, shown
from dockstrata.load.hcl_types import RefusedError, Value
from dockstrata.load.wiring import UnknownValueError

# Go escapes these, so that a script in HTML may hold the text.
_ESCAPED = str.maketrans(
    {char: f"\\u{ord(char):04x}" for char in ("<", ">", "&", "\u2028", "\u2029")}
)


def encoded(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Fraction)):
        return shown(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).translate(_ESCAPED)
    if isinstance(value, list):
        return f"[{','.join(map(encoded, value))}]"
    if isinstance(value, dict):
        pairs = (f"{encoded(name)}:{encoded(value[name])}" for name in sorted(value))
        return f"{{{','.join(pairs)}}}"
    raise UnknownValueError("a part of a value")


def decoded(source: str) -> Value:
    try:
        found: Value = json.loads(source, parse_int=parsed, parse_float=parsed, parse_constant=_not)
    except ValueError:
        raise RefusedError("not JSON") from None
    return found


def _not(_word: str) -> Value:
    raise ValueError
