"""Go's idea of white space and letters, where it differs from Python's.

Source: the Go standard library's ``unicode.IsSpace`` and ``regexp``, which BuildKit's parser uses.
"""

from __future__ import annotations

import re

SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""The characters for which ``unicode.IsSpace`` holds (Python's also counts 0x1c to 0x1f)."""

SPACES = frozenset(SPACE)
BLANKS = re.compile(r"[\t\v\f\r ]+")
"""What separates an instruction from its arguments and whitespace-delimited arguments."""

_UNDECODED = re.compile("[\ud800-\udfff]")


def replace_undecoded(text: str) -> str:
    """``text`` with each byte that was not UTF-8 as U+FFFD, as Go writes such a rune back."""
    return text if text.isascii() else _UNDECODED.sub("\ufffd", text)
