"""What BuildKit refuses in a single instruction once it has read the file.

Source: the messages of BuildKit's instruction parser, as a build shows them, and the order in
which it looks at an instruction's arguments and flags.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dockstrata.syntax.flags import bad_flag, bad_health_value, bad_run_value, nearest
from dockstrata.syntax.gotext import SPACE, lower, quote
from dockstrata.syntax.heredoc import parse_opener
from dockstrata.syntax.nodes import KEYWORDS, Instruction
from dockstrata.syntax.words import WordError

_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")


def refusal(node: Instruction) -> str | None:
    """BuildKit's message where it refuses ``node``, else ``None``."""
    check = _CHECKS.get(node.keyword)
    return _unknown(node.written) if check is None else check(node)


def _unknown(word: str) -> str:
    near = nearest(lower(word), map(str.lower, KEYWORDS))
    if near is None:
        return f"unknown instruction: {word}"
    # Go's upper case of a letter is one letter: those that Python makes two of stay.
    upper = all(len(char.upper()) > 1 or char == char.upper() for char in word)
    shown = near.upper() if upper else near
    return f"unknown instruction: {word} (did you mean {shown}?)"


def _flags_only(node: Instruction) -> str | None:
    return bad_flag(node) if node.flags else None


def _run(node: Instruction) -> str | None:
    return (bad_flag(node) or bad_run_value(node)) if node.flags else None


def _exactly_one(node: Instruction) -> str | None:
    if len(node.arguments) == 1:
        return bad_flag(node)
    return f"{node.keyword} requires exactly one argument"


def _at_least_one(node: Instruction) -> str | None:
    return bad_flag(node) if node.arguments else _none_given(node)


def _none_given(node: Instruction) -> str:
    return f"{node.keyword} requires at least one argument"


def _pairs(node: Instruction) -> str | None:
    if node.flags:
        return bad_flag(node)
    if not node.arguments:
        return _none_given(node)
    blank = "" in node.arguments[::3]
    return f"{node.keyword} names can not be blank" if blank else None


def _arg(node: Instruction) -> str | None:
    """ARG's flags are overlooked."""
    if not node.arguments:
        return _none_given(node)
    blank = any(word.startswith("=") for word in node.arguments)
    return "ARG names can not be blank" if blank else None


def _from(node: Instruction) -> str | None:
    words = node.arguments
    if len(words) == 3 and lower(words[1]) == "as":
        if not _STAGE_NAME.fullmatch(lower(words[2])):
            return (
                f"invalid name for build stage: {quote(words[2])}, "
                "name can't start with a number or contain symbols"
            )
    elif len(words) != 1:
        return "FROM requires either one or three arguments"
    return bad_flag(node)


def _copy(node: Instruction) -> str | None:
    if len(node.arguments) < 2:
        return (
            f"{node.keyword} requires at least two arguments, but only one was provided."
            " Destination could not be determined"
        )
    if message := bad_flag(node):
        return message
    if "<<" in node.arguments[-1] and _opens_heredoc(node.arguments[-1]):
        return f"{node.keyword} cannot accept a heredoc as a destination"
    return None


def _opens_heredoc(word: str) -> bool:
    try:
        return parse_opener(word) is not None
    except WordError:
        return False


def _shell(node: Instruction) -> str | None:
    if node.flags:
        return bad_flag(node)
    if node.arguments and not node.json:
        return "SHELL requires the arguments to be in JSON form"
    return None if node.arguments else _none_given(node)


def _volume(node: Instruction) -> str | None:
    if message := _at_least_one(node):
        return message
    if any(not volume.strip(SPACE) for volume in node.arguments):
        return "VOLUME specified can not be an empty string"
    return None


def _stopsignal(node: Instruction) -> str | None:
    """STOPSIGNAL's flags are overlooked."""
    return None if len(node.arguments) == 1 else "STOPSIGNAL requires exactly one argument"


def _onbuild(node: Instruction) -> str | None:
    trigger = node.trigger
    if trigger is None:
        return _none_given(node)
    if node.flags:
        return bad_flag(node)
    if trigger.keyword == "ONBUILD":
        return "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
    if trigger.keyword in ("MAINTAINER", "FROM"):
        return f"{trigger.keyword} isn't allowed as an ONBUILD trigger"
    return None


def _healthcheck(node: Instruction) -> str | None:
    if not node.arguments:
        return _none_given(node)
    kind = node.arguments[0].upper()
    if kind == "NONE":
        return "HEALTHCHECK NONE takes no arguments" if len(node.arguments) > 1 else None
    if message := bad_flag(node):
        return message
    if kind != "CMD":
        return f"Unknown type {quote(kind)} in HEALTHCHECK (try CMD)"
    if len(node.arguments) < 2:
        return "Missing command after HEALTHCHECK CMD"
    return bad_health_value(node)


_CHECKS: dict[str, Callable[[Instruction], str | None]] = {
    "ADD": _copy,
    "ARG": _arg,
    "CMD": _flags_only,
    "COPY": _copy,
    "ENTRYPOINT": _flags_only,
    "ENV": _pairs,
    "EXPOSE": _at_least_one,
    "FROM": _from,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _pairs,
    "MAINTAINER": _exactly_one,
    "ONBUILD": _onbuild,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _stopsignal,
    "USER": _exactly_one,
    "VOLUME": _volume,
    "WORKDIR": _exactly_one,
}
