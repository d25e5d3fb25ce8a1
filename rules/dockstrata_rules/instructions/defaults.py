"""The environment of an instruction where nobody gives build arguments: what BuildKit checks."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockstrata.syntax.words import CLOSE, OPEN

# ARG's symbol: its name, and the default or what was set before, as ``symbol`` joins them.
_ARGUMENT = re.compile(
    rf"{OPEN}arg\x1f[^\x1f{OPEN}{CLOSE}]*(?:\x1felse)?(\x1f[^\x1f{OPEN}{CLOSE}]*)?{CLOSE}"
)


def with_defaults(env: Mapping[str, str]) -> dict[str, str]:
    """``env`` with arguments at their defaults, those without one left out.

    What is unknown for another reason stays a symbol.
    """
    result = {}
    for name, value in env.items():
        if OPEN in value:
            if (match := _ARGUMENT.fullmatch(value)) and match[1] is None:
                continue
            # Inner symbols first: a default may hold arguments itself.
            while (replaced := _ARGUMENT.sub(_default, value)) != value:
                value = replaced
        result[name] = value
    return result


def _default(match: re.Match[str]) -> str:
    return (match[1] or "")[1:]
