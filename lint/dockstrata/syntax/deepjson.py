"""Whether a text is JSON, for texts that nest too deeply for Python's recursive decoder."""

from __future__ import annotations

import re
from math import isinf

MAX_DEPTH = 10_000
"""How deep Go's decoder lets arrays and objects nest."""

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
        (?P<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")
      | (?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<word>true|false|null)
      | (?P<mark>[\[\]{},:])
      | (?P<end>\Z)
    )""",
    re.VERBOSE,
)


def is_valid(text: str) -> bool:
    """Whether ``text`` is one JSON value and nothing else."""
    open_: list[str] = []
    wanted = "value"
    position = 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        kind = match.lastgroup or ""
        token = match[kind]
        if kind == "end":
            return wanted == "end"
        if token in ("]", "}"):
            if not _closes(open_, token, wanted):
                return False
            open_.pop()
        elif wanted in ("key", "first key"):
            if kind != "string":
                return False
            wanted = "colon"
            continue
        elif wanted in ("comma", "colon"):
            if token != {"comma": ",", "colon": ":"}[wanted]:
                return False
            wanted = "value" if wanted == "colon" or open_[-1] == "[" else "key"
            continue
        elif token in ("[", "{"):
            open_.append(token)
            if len(open_) > MAX_DEPTH:
                return False
            wanted = "first value" if token == "[" else "first key"
            continue
        elif wanted == "end" or kind == "mark" or (kind == "number" and isinf(float(token))):
            return False
        wanted = "comma" if open_ else "end"
    return False


def _closes(open_: list[str], token: str, wanted: str) -> bool:
    if not open_ or open_[-1] != {"]": "[", "}": "{"}[token]:
        return False
    return wanted == "comma" or wanted == ("first value" if token == "]" else "first key")
