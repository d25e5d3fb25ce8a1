"""Where the words of HCL begin and end: tokens, strings, and the parts of templates."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.load.wiring import UnknownValueError

TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|(?P<name>[^\W\d][\w-]*)|(?P<string>")
    |(?P<operator>\.\.\.|=>|==|!=|<=|>=|&&|\|\||[?:.,()\[\]{}!<>+*/%=-]))""",
    re.VERBOSE,
)
HEREDOC = re.compile(r"<<(-?)(\w+)\n(.*?)\n?[ \t]*\2\s*", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_CODE = re.compile(r"u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}")


def parts(body: str, escapes: bool) -> Iterator[tuple[str, str]]:
    """A template cut into ``text``, ``${`` and ``%{``; ``~`` takes white space away beside it."""
    out: list[str] = []
    position, strip = 0, False

    def plain() -> Iterator[tuple[str, str]]:
        if found := "".join(out):
            yield "text", found
        out.clear()

    while position < len(body):
        char = body[position]
        if strip and char.isspace():
            position += 1
            continue
        strip = False
        if body.startswith(("$${", "%%{"), position):
            out.append(char + "{")
            position += 3
        elif body.startswith(("${", "%{"), position):
            end = closing(body, position + 2)
            inner = body[position + 2 : end]
            if inner.startswith("~"):
                inner, kept = inner[1:], "".join(out).rstrip()
                out[:] = [kept]
            strip, inner = inner.endswith("~"), inner.removesuffix("~")
            yield from plain()
            yield char + "{", inner.strip()
            position = end + 1
        elif char == "\\" and escapes and position + 1 < len(body):
            if code := _CODE.match(body, position + 1):
                out.append(chr(int(code[0][1:], 16)))
                position = code.end()
                continue
            out.append(_ESCAPES.get(body[position + 1], body[position : position + 2]))
            position += 2
        else:
            out.append(char)
            position += 1
    yield from plain()


def closing(body: str, position: int) -> int:
    """Where the brace closes that opened before ``position``; strings inside are passed over."""
    level = 1
    while position < len(body):
        char = body[position]
        if char == '"':
            position = string_end(body, position + 1)
        elif char == "{":
            level += 1
        elif char == "}":
            level -= 1
            if level == 0:
                return position
        position += 1
    raise UnknownValueError(body)


def string_end(body: str, position: int) -> int:
    """Where the string ends that opened before ``position``; templates in it have strings too."""
    while position < len(body):
        if body.startswith(("${", "%{"), position) and body[position - 1] not in "$%":
            position = closing(body, position + 2)
        elif body[position] == "\\":
            position += 1
        elif body[position] == '"':
            return position
        position += 1
    raise UnknownValueError(body)


def dedent(body: str) -> str:
    lines = body.split("\n")
    margin = min((len(it) - len(it.lstrip()) for it in lines if it.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)
