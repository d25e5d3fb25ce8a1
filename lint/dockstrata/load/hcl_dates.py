"""HCL's ``formatdate`` and ``timeadd`` (go-cty's documentation of ``FormatDate``)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from dockstrata.load.hcl_types import RefusedError

_STAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII
)
_WORD = re.compile(r"'((?:[^']|'')*)'|([a-zA-Z])\2*|[^a-zA-Z']+|(')")
_UNITS = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "μs": Fraction(1, 10**6),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_VERBS: Mapping[str, Callable[[datetime.datetime], str]] = {
    "YYYY": lambda it: f"{it.year:04d}",
    "YY": lambda it: f"{it.year % 100:02d}",
    "MMMM": lambda it: f"{it:%B}",
    "MMM": lambda it: f"{it:%b}",
    "MM": lambda it: f"{it.month:02d}",
    "M": lambda it: str(it.month),
    "DD": lambda it: f"{it.day:02d}",
    "D": lambda it: str(it.day),
    "EEEE": lambda it: f"{it:%A}",
    "EEE": lambda it: f"{it:%a}",
    "hh": lambda it: f"{it.hour:02d}",
    "h": lambda it: str(it.hour),
    "HH": lambda it: f"{(it.hour - 1) % 12 + 1:02d}",
    "H": lambda it: str((it.hour - 1) % 12 + 1),
    "AA": lambda it: "PM" if it.hour >= 12 else "AM",
    "aa": lambda it: "pm" if it.hour >= 12 else "am",
    "mm": lambda it: f"{it.minute:02d}",
    "m": lambda it: str(it.minute),
    "ss": lambda it: f"{it.second:02d}",
    "s": lambda it: str(it.second),
    "ZZZZZ": lambda it: _zone(it, ":"),
    "ZZZZ": lambda it: _zone(it, ""),
    "ZZZ": lambda it: _zone(it, "") if it.utcoffset() else "UTC",
    "Z": lambda it: _zone(it, ":") if it.utcoffset() else "Z",
}


def _zone(stamp: datetime.datetime, colon: str) -> str:
    minutes = int((stamp.utcoffset() or datetime.timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}{colon}{rest:02d}"


def _stamp(source: str) -> datetime.datetime:
    match = _STAMP.fullmatch(source)
    if match is None:
        raise RefusedError(f"'{source}' is no RFC 3339 time")
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    zone = datetime.timedelta()
    if match[7] != "Z":
        zone = datetime.timedelta(hours=int(match[7][1:3]), minutes=int(match[7][4:]))
        zone = -zone if match[7][0] == "-" else zone
    return datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone(zone))


def formatted(form: str, source: str) -> str:
    """A time in another form: ``DD MMM YYYY``."""
    stamp, out = _stamp(source), []
    for match in _WORD.finditer(form):
        if match[1] is not None:
            out.append(match[1].replace("''", "'"))
        elif match[3]:
            raise RefusedError("a quote that does not end")
        elif match[2]:
            if match[0] not in _VERBS:
                raise RefusedError(f"'{match[0]}' is no part of a date")
            out.append(_VERBS[match[0]](stamp))
        else:
            out.append(match[0])
    return "".join(out)


def shifted(source: str, duration: str) -> str:
    """A time that much later: ``1h30m``, ``-10s``."""
    sign = -1 if duration.startswith("-") else 1
    spelled = duration[1:] if duration[:1] in ("-", "+") else duration
    parts = _DURATION.findall(spelled)
    if spelled != "0" and (not parts or "".join(map("".join, parts)) != spelled):
        raise RefusedError(f"'{duration}' is no duration")
    seconds = sum((Fraction(digits) * _UNITS[unit] for digits, unit in parts), Fraction(0))
    fraction = re.search(r"\.\d+", source)
    start = _stamp(source)
    total = sign * seconds + Fraction(f"0{fraction[0]}" if fraction else 0)
    moved = start + datetime.timedelta(seconds=total.numerator // total.denominator)
    shown = f"{moved:%Y-%m-%dT%H:%M:%S}"
    return shown + ("Z" if not moved.utcoffset() else _zone(moved, ":"))
