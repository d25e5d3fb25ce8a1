"""Symbolic values as people would write them."""

from __future__ import annotations

import re

from dockstrata.syntax.words import CLOSE, OPEN, is_symbolic

_VALUED = re.compile(
    f"{OPEN}(?:arg|given)\x1f[^\x1f{OPEN}{CLOSE}]*\x1f([^\x1f{OPEN}{CLOSE}]*){CLOSE}"
)


def readable(value: str) -> str:
    """``value`` with each symbol as the variable that it stands for: ``${NAME}``."""
    if OPEN not in value:
        return value
    out: list[str] = []
    depth, start = 0, 0
    for at, char in enumerate(value):
        if char == OPEN:
            if depth == 0:
                start = at
            depth += 1
        elif char == CLOSE:
            depth -= 1
            if depth == 0:
                out.append(_variable(value[start + 1 : at]))
        elif depth == 0:
            out.append(char)
    return "".join(out)


def _variable(inner: str) -> str:
    parts = inner.split("\x1f")
    if parts[0] == "root" and parts[1] == "workdir":
        return "."
    if parts[0] == "root":
        return f"${{{parts[2]}}}"
    if parts[0] in ("arg", "given", "platform"):
        return f"${{{parts[1]}}}"
    if parts[0] == "op":
        rest = inner.split("\x1f", 2)[2]
        return readable(rest.split(CLOSE)[0] + CLOSE) if OPEN in rest else "${…}"
    return "${…}"


def by_default(value: str) -> str | None:
    """``value`` where each argument is what the build gives for it, or else its default.

    ``None`` where something else is in it, or an argument without a default.
    """
    value = as_built(value)
    return None if is_symbolic(value) else value


def as_built(value: str) -> str:
    """``value`` with each argument as the build has it: what it is given, else its default."""
    before = None
    while before != value and is_symbolic(value):
        before, value = value, _VALUED.sub(r"\1", value)
    return value
