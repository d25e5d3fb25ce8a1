"""What BuildKit refuses in a single instruction once it has read the file.

Source: the messages of BuildKit's instruction parser, as a build shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dockstrata.syntax.nodes import KEYWORDS, Instruction

_STAGE_NAME = re.compile(r"^[a-z][a-z0-9\-_.]*$")
_DURATION = re.compile(r"^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$")

_VALUE_FLAGS = {
    "ADD": {"chown", "chmod", "checksum", "exclude"},
    "COPY": {"chown", "chmod", "from", "exclude"},
    "FROM": {"platform"},
    "RUN": {"mount", "network", "security", "device"},
    "HEALTHCHECK": {"interval", "timeout", "start-period", "start-interval", "retries"},
}
_SWITCHES = {"ADD": {"link", "keep-git-dir", "unpack"}, "COPY": {"link", "parents"}}
_REPEATABLE = frozenset({"mount", "exclude", "device"})
_TRUTH = frozenset(
    {"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"}
)


def refusal(node: Instruction) -> str | None:
    """BuildKit's message where it refuses ``node``, else ``None``."""
    if node.keyword not in KEYWORDS:
        return f"unknown instruction: {node.written}{_suggestion(node.written)}"
    check = _CHECKS.get(node.keyword)
    return (check(node) if check else None) or _bad_flag(node)


def _suggestion(word: str) -> str:
    from rapidfuzz.distance import Levenshtein

    best = min(sorted(KEYWORDS), key=lambda keyword: Levenshtein.distance(word.upper(), keyword))
    near = Levenshtein.distance(word.upper(), best) <= 2 < len(word)
    return f" (did you mean {best}?)" if near else ""


def _bad_flag(node: Instruction) -> str | None:
    if not node.flags:
        return None
    values = _VALUE_FLAGS.get(node.keyword, set())
    switches = _SWITCHES.get(node.keyword, set())
    seen: set[str] = set()
    for flag in node.flags:
        name, equals, value = flag[2:].partition("=")
        if name not in values and name not in switches:
            return f"unknown flag: --{name}"
        if name in seen and name not in _REPEATABLE:
            return f"duplicate flag specified: {name}"
        seen.add(name)
        if name in switches:
            if equals and value.lower() not in ("true", "false"):
                return f"expecting boolean value for flag {name}, not: {value}"
        elif not equals:
            return f"missing a value on flag: {name}"
    return None


def _exactly_one(node: Instruction) -> str | None:
    return None if len(node.arguments) == 1 else f"{node.keyword} requires exactly one argument"


def _at_least_one(node: Instruction) -> str | None:
    return None if node.arguments else f"{node.keyword} requires at least one argument"


def _pairs(node: Instruction) -> str | None:
    if not node.arguments:
        return _at_least_one(node)
    blank = any(not name for name, _value in node.pairs())
    return f"{node.keyword} names can not be blank" if blank else None


def _arg(node: Instruction) -> str | None:
    if any(word.startswith("=") for word in node.arguments):
        return "ARG names can not be blank"
    return _at_least_one(node)


def _from(node: Instruction) -> str | None:
    words = node.arguments
    if len(words) == 3 and words[1].lower() == "as":
        if _STAGE_NAME.match(words[2].lower()):
            return None
        return (
            f'invalid name for build stage: "{words[2]}", '
            "name can't start with a number or contain symbols"
        )
    return None if len(words) == 1 else "FROM requires either one or three arguments"


def _copy(node: Instruction) -> str | None:
    if len(node.arguments) >= 2:
        return None
    return (
        f"{node.keyword} requires at least two arguments, but only one was provided."
        " Destination could not be determined."
    )


def _shell(node: Instruction) -> str | None:
    if not node.json:
        return "SHELL requires the arguments to be in JSON form"
    return _at_least_one(node)


def _volume(node: Instruction) -> str | None:
    if any(not volume.strip() for volume in node.arguments):
        return "VOLUME specified can not be an empty string"
    return _at_least_one(node)


def _onbuild(node: Instruction) -> str | None:
    trigger = node.trigger
    if trigger is None:
        return "ONBUILD requires at least one argument"
    if trigger.keyword == "ONBUILD":
        return "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
    if trigger.keyword in ("MAINTAINER", "FROM"):
        return f"{trigger.keyword} isn't allowed as an ONBUILD trigger"
    return None


def _healthcheck(node: Instruction) -> str | None:
    if not node.arguments:
        return "HEALTHCHECK requires at least one argument"
    kind = node.arguments[0].upper()
    if kind == "NONE":
        return "HEALTHCHECK NONE takes no arguments" if len(node.arguments) > 1 else None
    if kind != "CMD":
        return f'Unknown type "{kind}" in HEALTHCHECK (try CMD)'
    if len(node.arguments) < 2:
        return "Missing command after HEALTHCHECK CMD"
    for flag in node.flags:
        name, _, value = flag[2:].partition("=")
        if name in ("interval", "timeout", "start-period", "start-interval") and value:
            if not _DURATION.match(value):
                return f'time: invalid duration "{value}"'
        elif name == "retries" and value and not re.fullmatch(r"[+-]?\d+", value):
            return f'strconv.ParseInt: parsing "{value}": invalid syntax'
    return None


_CHECKS: dict[str, Callable[[Instruction], str | None]] = {
    "ADD": _copy,
    "ARG": _arg,
    "COPY": _copy,
    "ENV": _pairs,
    "EXPOSE": _at_least_one,
    "FROM": _from,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _pairs,
    "MAINTAINER": _exactly_one,
    "ONBUILD": _onbuild,
    "SHELL": _shell,
    "STOPSIGNAL": _exactly_one,
    "USER": _exactly_one,
    "VOLUME": _volume,
    "WORKDIR": _exactly_one,
}
