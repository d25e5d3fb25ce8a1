"""Which flags each instruction takes, and which of their values BuildKit refuses.

Source: BuildKit's instruction parser; the messages are its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dockstrata.syntax.gotext import quote
from dockstrata.syntax.nodes import Instruction

_INTERVALS = ("interval", "timeout", "start-period", "start-interval")
_VALUE_FLAGS = {
    "ADD": frozenset({"chown", "chmod", "checksum", "exclude"}),
    "COPY": frozenset({"chown", "chmod", "from", "exclude"}),
    "FROM": frozenset({"platform"}),
    "RUN": frozenset({"mount", "network", "security", "device"}),
    "HEALTHCHECK": frozenset({*_INTERVALS, "retries"}),
}
_SWITCHES = {
    "ADD": frozenset({"link", "keep-git-dir", "unpack"}),
    "COPY": frozenset({"link", "parents"}),
}
_REPEATABLE = frozenset({"mount", "exclude", "device"})
_NONE: frozenset[str] = frozenset()

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "\u00b5s": 10**3,
    "\u03bcs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_AMOUNT = re.compile(r"([0-9]*)(\.[0-9]*)?([^0-9.]*)")
_SHORTEST = 10**6


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The first option less than three edits away from ``word``; none if it is one of them."""
    from rapidfuzz.distance import Levenshtein

    best, least = None, 3
    for option in sorted(options):
        distance = Levenshtein.distance(word, option, score_cutoff=2)
        if distance == 0:
            return None
        if distance < least:
            best, least = option, distance
    return best


def bad_flag(node: Instruction) -> str | None:
    """The message for the first flag that ``node`` does not take as it is given."""
    if not node.flags:
        return None
    values = _VALUE_FLAGS.get(node.keyword, _NONE)
    switches = _SWITCHES.get(node.keyword, _NONE)
    seen: set[str] = set()
    for flag in node.flags:
        name, equals, value = flag[2:].partition("=")
        if name not in values and name not in switches:
            near = nearest(name, values | switches)
            return f"unknown flag: --{name}" + (f" (did you mean {near}?)" if near else "")
        if name in seen and name not in _REPEATABLE:
            return f"duplicate flag specified: --{name}"
        seen.add(name)
        if name in values:
            if not equals:
                return f"missing a value on flag: --{name}"
        elif equals and not value:
            return f"missing a value on flag: --{name}"
        elif equals and value.lower() not in ("true", "false"):
            return f"expecting boolean value for flag --{name}, not: {value}"
    return None


def bad_run_value(node: Instruction) -> str | None:
    """What is wrong with the values of RUN's flags, looked at by kind and not by place."""
    for value in node.all_flags("device"):
        if message := _bad_device(value):
            return message
    for value in node.all_flags("mount"):
        if message := _bad_mount(value):
            return message
    network, security = node.flag("network"), node.flag("security")
    if network is not None and network not in ("default", "none", "host"):
        return f"invalid network mode {quote(network)}"
    if security is not None and security not in ("sandbox", "insecure"):
        return f"security {quote(security)} is not valid"
    return None


def _bad_mount(value: str) -> str | None:
    try:
        fields = csv_fields(value)
    except ValueError as error:
        return f"failed to parse csv mounts: {error}"
    for field in fields:
        key, equals, given = field.partition("=")
        if equals and key.lower() == "from" and re.search(r"\$.", given):
            return "'from' doesn't support variable expansion, define alias stage instead"
    return None


def _bad_device(value: str) -> str | None:
    try:
        fields = csv_fields(value)
    except ValueError as error:
        return f"failed to parse csv devices: {error}"
    for number, field in enumerate(fields):
        key, equals, given = field.partition("=")
        key = key.lower()
        if not equals:
            if number and key != "required":
                return f"invalid field '{field}' must be a key=value pair"
        elif key == "required":
            if given not in _TRUTHS:
                return f"invalid value for {key}: {given}"
        elif number and key != "name":
            return f"unexpected key '{key}' in '{field}'"
    return None


_TRUTHS = frozenset(
    ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"]
)


def csv_fields(text: str) -> list[str]:
    """The fields of a line of CSV; raises ``ValueError`` with BuildKit's message."""
    if not text:
        raise ValueError("EOF")
    fields: list[str] = []
    position = 0
    while position <= len(text):
        if text.startswith('"', position):
            field, position = _quoted_field(text, position + 1)
        else:
            end = text.find(",", position)
            end = len(text) if end < 0 else end
            field = text[position:end]
            if '"' in field:
                column = position + field.index('"') + 1
                raise ValueError(
                    f'parse error on line 1, column {column}: bare " in non-quoted-field'
                )
            position = end
        fields.append(field)
        position += 1
    return fields


def _quoted_field(text: str, start: int) -> tuple[str, int]:
    """The field whose opening quote ends at ``start``, and where the comma or the end is."""
    field, position = "", start
    while (end := text.find('"', position)) >= 0:
        field += text[position:end]
        if text.startswith('"', end + 1):
            field += '"'
            position = end + 2
        elif end + 1 == len(text) or text[end + 1] == ",":
            return field, end + 1
        else:
            position = end
            break
    raise ValueError(
        f'parse error on line 1, column {position + 1}: extraneous or missing " in quoted-field'
    )


def bad_health_value(node: Instruction) -> str | None:
    """What is wrong with the values of HEALTHCHECK's flags."""
    for name in _INTERVALS:
        value = node.flag(name)
        if not value:
            continue
        try:
            duration = _nanoseconds(value)
        except ValueError as error:
            return f"time: {error}"
        if duration and duration < _SHORTEST:
            return f'Interval "{name}" cannot be less than 1ms'
    retries = node.flag("retries")
    if not retries:
        return None
    if not re.fullmatch(r"[+-]?[0-9]+", retries):
        return f"strconv.ParseInt: parsing {quote(retries)}: invalid syntax"
    digits = retries.lstrip("+-").lstrip("0")
    number = int(digits[:11] or "0") * (-1 if retries[0] == "-" else 1)
    if not -(2**31) <= number < 2**31:
        return f"strconv.ParseInt: parsing {quote(retries)}: value out of range"
    return f"--retries cannot be negative ({number})" if number < 0 else None


def _nanoseconds(text: str) -> int:
    """A Go duration; raises ``ValueError`` with Go's message."""
    shown = _shown(text)
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    if not rest:
        raise ValueError(f"invalid duration {shown}")
    total = position = 0
    while position < len(rest):
        match = _AMOUNT.match(rest, position)
        assert match is not None
        whole, fraction, unit = match[1], (match[2] or "")[1:], match[3]
        if not whole and not fraction:
            raise ValueError(f"invalid duration {shown}")
        if not unit:
            raise ValueError(f"missing unit in duration {shown}")
        if unit not in _UNITS:
            raise ValueError(f"unknown unit {_shown(unit)} in duration {shown}")
        size = _UNITS[unit]
        # Digits beyond these change nothing: the number is too large, or the part too small.
        total += int(whole.lstrip("0")[:20] or "0") * size
        total += int(fraction[:18] or "0") * size // 10 ** len(fraction[:18])
        if total > 2**63 - (text[0] != "-"):
            raise ValueError(f"invalid duration {shown}")
        position = match.end()
    return -total if text[0] == "-" else total


def _shown(text: str) -> str:
    """As Go's time package quotes: bytes that are not ASCII by number."""
    shown = ""
    for char in text:
        if char in '"\\':
            shown += "\\" + char
        elif char < " " or char >= "\x80":
            shown += "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "replace"))
        else:
            shown += char
    return f'"{shown}"'
