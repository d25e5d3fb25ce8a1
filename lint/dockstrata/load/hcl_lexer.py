"""Where the words of HCL begin and end (HCL's native syntax specification, "Lexical Elements")."""

from __future__ import annotations

import re

_COMMENT = r"/\*.*?\*/|(?:#|//)[^\n]*"
SPACE = re.compile(rf"(?:[ \t]|\r(?=\n)|{_COMMENT})*", re.DOTALL)
SPACE_AND_LINES = re.compile(rf"(?:[ \t\n]|\r(?=\n)|{_COMMENT})*", re.DOTALL)
NAME = re.compile(r"[^\W\d][\w-]*")
TOKEN = re.compile(
    r"""(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(?P<name>[^\W\d][\w-]*)|(?P<string>")
    |(?P<heredoc><<-?(?=[^\W\d]))|(?P<line>\n)
    |(?P<operator>\.\.\.|=>|==|!=|<=|>=|&&|\|\||[?:.,()\[\]{}!<>+*/%=~-])""",
    re.VERBOSE,
)
HEREDOC = re.compile(r"<<(-?)([^\W\d][\w-]*)\r?\n((?:.*\n)*?)[ \t]*\2[ \t]*(?=\r?\n|\Z)")

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_CODE = re.compile(r"u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}")


def escape(source: str, position: int) -> tuple[str, int] | None:
    """What stands for the backslash at ``position``, and where it ends; None where nothing does."""
    if code := _CODE.match(source, position + 1):
        number = int(code[0][1:], 16)
        return (chr(number), code.end()) if number < 0x110000 else None
    plain = _ESCAPES.get(source[position + 1 : position + 2])
    return (plain, position + 2) if plain is not None else None


def without_comments(source: str) -> str:
    """Words of HCL without its comments; no string may be among them."""
    return re.sub(_COMMENT, " ", source, flags=re.DOTALL)


def line_of(source: str, offset: int) -> int:
    """The line (from 1) of an offset."""
    return source.count("\n", 0, offset) + 1
