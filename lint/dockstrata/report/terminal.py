"""Untrusted text on a terminal: nothing of a Dockerfile may steer it."""

from __future__ import annotations

import re

_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)


def printable(text: str) -> str:
    """``text`` with control, direction and undecodable characters spelled out."""
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def shorten(text: str, width: int) -> str:
    """``text`` cut to ``width`` characters, an ellipsis in the middle's place."""
    if len(text) <= width or width < 20:
        return text
    tail = min(40, width // 3)
    return f"{text[: width - tail - 3]} … {text[-tail:]}"
