"""Go's idea of white space and letters, where it differs from Python's.

Source: the Go standard library's ``unicode.IsSpace`` and ``regexp``, which BuildKit's parser uses.
"""

from __future__ import annotations

import re

SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""The characters for which ``unicode.IsSpace`` holds (Python's also counts 0x1c to 0x1f)."""

SPACES = frozenset(SPACE)
BLANKS = re.compile(r"[\t\v\f\r ]+")
"""What separates an instruction from its arguments and whitespace-delimited arguments."""

_UNDECODED = re.compile("[\udc80-\udcff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def replace_undecoded(text: str) -> str:
    """``text`` with each byte that was not UTF-8 as U+FFFD, as Go writes such a rune back."""
    return text if text.isascii() else _UNDECODED.sub("\ufffd", text)


def replace_surrogates(text: str) -> str:
    """The same, also for the half of a pair that a JSON string names."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def lower(text: str) -> str:
    """``strings.ToLower``: one character for one, so that ``İ`` becomes a plain ``i``."""
    return text.lower() if text.isascii() else text.replace("\u0130", "i").lower()


_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}


def quote(text: str) -> str:
    """``text`` as Go's ``%q`` shows it."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_quoted, text)) + '"'


def _quoted(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if char.isprintable():
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
