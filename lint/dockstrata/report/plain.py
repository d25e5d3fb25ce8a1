"""Text of files and their names as other programs can read it."""

from __future__ import annotations


def valid(text: str) -> str:
    """``text`` as valid Unicode: bytes that are no UTF-8 become U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
