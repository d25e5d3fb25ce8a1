"""Compose files as YAML nodes: mappings with their merge keys, lists, scalars.

No Python object is built: no tag is acted upon, aliases cost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml.nodes import Node  # type: ignore[import-untyped]

_INTEGER = re.compile(r"([-+]?)(0[xXoObB][0-9a-fA-F]+|[0-9]+)")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NEWER = re.compile(r"[-+]?(?:0[oO][0-7]+|0[0-9]*[89][0-9]*|[0-9]+[eE][-+]?[0-9]+)")
"""Numbers that are strings in YAML 1.1."""
_BASES = {"0x": 16, "0o": 8, "0b": 2, "0": 8}
_DEPTH = 20


def entries(node: Node | None, depth: int = 0) -> dict[str, Node]:
    """The entries of a mapping, merge keys (``<<``) included; empty for any other node."""
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    found: dict[str, Node] = {}
    if not isinstance(node, MappingNode) or depth > _DEPTH:
        return found
    own: dict[str, Node] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            continue
        if key.value == "<<" and not key.style:
            merged: list[Node] = value.value if isinstance(value, SequenceNode) else [value]
            for other in reversed(merged):
                found.update(entries(other, depth + 1))
        elif not value.tag.endswith("!reset"):
            own[key.value] = value
    return {**found, **own}


def laid_bare(node: Node | None) -> frozenset[str]:
    """The entries that take away what another file says (``!reset``, ``!override``)."""
    from yaml.nodes import MappingNode

    pairs = node.value if isinstance(node, MappingNode) else ()
    return frozenset(
        key.value for key, value in pairs if value.tag.endswith(("!reset", "!override"))
    )


def line_of(mapping: Node, name: str, value: Node) -> int:
    """The line (from 1) of a key; of its value where the key came by a merge."""
    for key, _ in mapping.value:
        if key.value == name:
            return int(key.start_mark.line) + 1
    return int(value.start_mark.line) + 1


def items(node: Node | None) -> Iterator[str]:
    from yaml.nodes import SequenceNode

    if isinstance(node, SequenceNode):
        for item in node.value:
            if (text := scalar(item)) is not None:
                yield text
    elif (text := scalar(node)) is not None:
        yield text


def pairs(node: Node | None) -> Iterator[tuple[str, str | None]]:
    """``{NAME: value}`` or ``[NAME=value, NAME]``; None is a value of the environment."""
    from yaml.nodes import MappingNode

    if isinstance(node, MappingNode):
        for name, value in entries(node).items():
            yield name, scalar(value)
    else:
        for item in items(node):
            name, equals, value = item.partition("=")
            yield name.strip(), value if equals else None


def scalar(node: Node | None) -> str | None:
    """A scalar as compose hands it on (Go prints numbers: ``3.10`` is ``3.1``); None for null."""
    from yaml.nodes import ScalarNode

    if not isinstance(node, ScalarNode):
        return None
    value: str = node.value
    if node.style or (node.tag == "tag:yaml.org,2002:str" and not _NEWER.fullmatch(value)):
        return value
    if value in ("", "~", "null", "Null", "NULL"):
        return None
    if value in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return value.lower()
    return _number(value)


def _number(value: str) -> str:
    """A scalar as Go prints it where it is a number (yaml.v3's rules), else as it is."""
    plain = value.replace("_", "")
    if match := _INTEGER.fullmatch(plain):
        sign, digits = match[1], match[2].lower()
        for prefix, base in _BASES.items():
            if digits.startswith(prefix) and len(digits) > len(prefix):
                try:
                    return _signed(sign, int(digits.removeprefix(prefix), base))
                except ValueError:
                    break
        if digits.isdecimal() and int(digits) < 1 << 64:
            return _signed(sign, int(digits))
    return _float(float(plain)) if _FLOAT.fullmatch(plain) else value


def _signed(sign: str, number: int) -> str:
    return str(-number if sign == "-" else number)


def _float(number: float) -> str:
    """Go's ``%v``: the fewest digits, with an exponent below 1e-4 and from 1e+06 on."""
    if number == 0 or 1e-4 <= abs(number) < 1e6:
        text = format(Decimal(repr(number)), "f")
        return text.removesuffix(".0")
    digits, _, exponent = format(Decimal(repr(number)).normalize(), "e").partition("e")
    return f"{digits}e{int(exponent):+03d}"
