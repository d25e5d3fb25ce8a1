"""Symbolic values as people would write them."""

from __future__ import annotations

from dockstrata.syntax.words import CLOSE, OPEN


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
    if parts[0] in ("arg", "platform"):
        return f"${{{parts[1]}}}"
    if parts[0] == "op":
        rest = inner.split("\x1f", 2)[2]
        return readable(rest.split(CLOSE)[0] + CLOSE) if OPEN in rest else "${…}"
    return "${…}"
