"""Shell patterns in ``${v#p}``, ``${v%p}`` and ``${v/p/r}``, as BuildKit's shell lexer reads them.

It makes a Go regular expression of a pattern, whose ``*`` and ``?`` do not match a newline.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import takewhile


class WordError(ValueError):
    """The word breaks the rules of expansion; the message is BuildKit's."""


def trim_prefix(pattern: str, value: str, longest: bool) -> str:
    """``value`` without the shortest or longest beginning that matches."""
    match = _regex(pattern, longest).match(value)
    return value[match.end() :] if match else value


def trim_suffix(pattern: str, value: str, longest: bool) -> str:
    """``value`` without the shortest or longest end that matches."""
    # The shortest match at the end: turn pattern and value round and match at the start.
    turned = "".join(reversed(re.findall(r"\\.|.", pattern, re.DOTALL)))
    return trim_prefix(turned, value[::-1], longest)[::-1]


def replace_first(pattern: str, replacement: str, value: str) -> str:
    match = _regex(pattern, True).search(value)
    if match is None:
        return value
    return value[: match.start()] + replacement + value[match.end() :]


def replace_all(pattern: str, replacement: str, value: str) -> str:
    """As Go's ``ReplaceAllString``: ``$0`` in the replacement is the match, other groups are empty.

    Unlike Python's ``sub`` it leaves alone an empty match right behind another match.
    """
    regex = _regex(pattern, True)
    parts: list[str] = []
    copied = position = 0
    while position <= len(value) and (match := regex.search(value, position)):
        start, end = match.span()
        parts.append(value[copied:start])
        if end > copied or start == 0:
            parts.append(_filled(replacement, match[0]))
        copied = end
        position = max(end, position + 1)
    parts.append(value[copied:])
    return "".join(parts)


_TEMPLATE = re.compile(r"\$(?:\$|(?P<bare>\w+)|\{(?P<braced>\w+)\})")


def _filled(template: str, whole: str) -> str:
    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        text = found["bare"] or found["braced"]
        # A name is the longest run of letters, decimal digits and underscores: Python's `\w` has
        # other numbers, too.
        name = "".join(
            takewhile(lambda char: char.isalpha() or char.isdecimal() or char == "_", text)
        )
        if not name or (found["braced"] and name != text):
            return found[0]
        return (whole if name == "0" else "") + text[len(name) :]

    return _TEMPLATE.sub(value, template)


@lru_cache(maxsize=512)
def _regex(pattern: str, longest: bool) -> re.Pattern[str]:
    pieces = _pieces(pattern)
    if len(pieces) == 1:
        return re.compile(pieces[0])
    # Each piece but the last is best found as early as can be, and never given up again: without
    # that, Python's backtracking takes exponential time where Go's takes linear.
    out = [pieces[0]]
    for number, piece in enumerate(pieces[1:-1], 1):
        out.append(f"(?=(?P<g{number}>.*?{piece}))(?P=g{number})")
    out += (".*" if longest else ".*?", pieces[-1])
    return re.compile("".join(out))


def _pieces(pattern: str) -> list[str]:
    """What stands between the stars, as regular expressions; a run of stars is one."""
    pieces = [""]
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
            continue
        if char == "?":
            pieces[-1] += "."
            continue
        if char == "\\":
            char = pattern[position : position + 1]
            if char in ("}", "/"):
                continue
            position += 1
            if char not in ("*", "?", "\\"):
                shown = f"invalid escape '\\{char or chr(0xFFFD)}'"
                raise WordError(f"invalid pattern ({pattern}) in substitution: {shown}")
        pieces[-1] += re.escape(char)
    return pieces
