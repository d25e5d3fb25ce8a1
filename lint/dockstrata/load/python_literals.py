"""Which string literals of a Python file are Dockerfiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockstrata.errors import DockstrataError
from dockstrata.load.lookalike import Skipped
from dockstrata.load.python_text import HOLE, PythonText
from dockstrata.source import Source
from dockstrata.syntax.nodes import KEYWORDS, Document, Instruction
from dockstrata.syntax.parse import parse
from dockstrata.syntax.reference import parse_reference

if TYPE_CHECKING:  # loaded for files that may have a Dockerfile
    from dockstrata.load.python_strings import StringExpression

# Where a line may begin in a literal: after a newline, a quote, or what "\n" or "}" ends with.
_BEGIN = r"(?:^|[\"'n}])[ \t]*"
_WORD = r"(?:\{[^}\n]*\}|[^\s\"'\\])+"
_FROM = rf"(?:FROM|from)[ \t]+(?:--{_WORD}[ \t]+)*{_WORD}(?:[ \t]+[Aa][Ss][ \t]+{_WORD})?[ \t]*"
_OTHER = rf"(?:{'|'.join(sorted(KEYWORDS - {'FROM', 'ARG'}))})[ \t]+(?:[^\s=:,.)]|$)"
_MAY_FROM = re.compile(rf"{_BEGIN}(?:{_FROM}(?:[\"'\\\r]|$)|FROM[ \t]+[\"'\\])", re.MULTILINE)
_MAY_OTHER = re.compile(_BEGIN + _OTHER, re.IGNORECASE | re.MULTILINE)
_SAYS_FROM = re.compile(r"^[ \t]*(?:FROM|from)[ \t]", re.MULTILINE)
_SAYS_OTHER = re.compile(rf"^[ \t]*{_OTHER}", re.IGNORECASE | re.MULTILINE)
_MARKER = re.compile(r"^[ \t]*#[ \t]*dockstrata:[ \t]*dockerfile\b", re.MULTILINE)
_ENCODING = re.compile(r"(?:.*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_UTF_8 = ("utf-8", "utf8", "utf-8-sig", "utf_8", "ascii", "us-ascii")


@dataclass(frozen=True, slots=True)
class PythonDockerfile:
    """A Dockerfile in a Python file: its text, and the expression ``[start, end)`` that says it."""

    value: PythonText
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PythonDockerfiles:
    """The Dockerfiles of a Python file in the order in which they stand, and those left out."""

    found: tuple[PythonDockerfile, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def may_have_dockerfile(text: str) -> bool:
    """A cheap test, false for nearly every Python file without a Dockerfile.

    Lines that begin after an escape other than ``\\n`` are not seen.
    """
    if "dockstrata:" in text and _MARKER.search(text):
        return True
    return bool(_MAY_FROM.search(text) and _MAY_OTHER.search(text)) and _constants_say(text)


def _constants_say(text: str) -> bool:
    """Whether strings other than docstrings have such lines; what ``ast`` refuses is not told."""
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    found_from = found_other = False
    nodes: list[ast.AST] = [tree]
    while nodes and not (found_from and found_other):
        node = nodes.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            value = node.value
            said = value if isinstance(value, str) else value.decode("latin-1")
            found_from = found_from or bool(_SAYS_FROM.search(said))
            found_other = found_other or bool(_SAYS_OTHER.search(said))
        nodes += ast.iter_child_nodes(node)
    return found_from and found_other


def find_dockerfiles(source: Source) -> PythonDockerfiles:
    """The string expressions of a Python file that are Dockerfiles.

    One is a Dockerfile where its first instruction (ARG apart) is FROM with a plausible image,
    another instruction follows, and every logical line is an instruction that Docker knows; or
    where a comment ``# dockstrata: dockerfile`` stands on the line above. Docstrings and other
    strings that nothing takes are Dockerfiles by such a comment alone.

    Raises :class:`DockstrataError` for a file that cannot be read as Python; a file without
    anything like a Dockerfile is not read at all.
    """
    if not may_have_dockerfile(source.text):
        return PythonDockerfiles()
    if (encoding := _other_encoding(source.text)) is not None:
        message = f"declares the encoding {encoding}; UTF-8 alone is read"
        return PythonDockerfiles(skipped=(Skipped(source.path, "encoding", message),))
    _require_utf8(source)
    from dockstrata.load.python_strings import string_expressions

    marked = {source.position(match.start())[0] + 1 for match in _MARKER.finditer(source.text)}
    found: list[PythonDockerfile] = []
    skipped: list[Skipped] = []
    expressions = list(string_expressions(source))
    chosen = set(_marked(source, expressions, marked))
    for number, expression in enumerate(expressions):
        value = expression.value
        if number not in chosen:
            if expression.idle:
                continue
            document = parse(Source(source.path, value.text))
            if not is_dockerfile(document, value):
                continue
            if any(_is_hole(node) for node in document.instructions):
                line = source.position(expression.start)[0]
                message = f"the Dockerfile at line {line} has an expression for an instruction"
                skipped.append(Skipped(source.path, "expression", message))
                continue
        found.append(PythonDockerfile(value, expression.start, expression.end))
    return PythonDockerfiles(tuple(found), tuple(skipped))


def is_dockerfile(document: Document, value: PythonText) -> bool:
    """Whether a text is a Dockerfile beyond doubt; an expression may stand for a whole line."""
    nodes = [node for node in document.instructions if not _is_hole(node)]
    if not all(node.keyword in KEYWORDS for node in nodes):
        return False
    first = next((node for node in nodes if node.keyword != "ARG"), None)
    if first is None or first.keyword != "FROM" or not _plausible(first):
        return False
    if not any(node.keyword not in ("FROM", "ARG") for node in nodes):
        return False
    # "from" begins Python and prose too: only what is beyond doubt, "From" never.
    return first.written == "FROM" or (
        not document.faults and all(n.written.islower() or n.written.isupper() for n in nodes)
    )


def _is_hole(node: Instruction) -> bool:
    """Whether an expression stands where the name of an instruction belongs."""
    return HOLE.match(node.line) is not None


def _plausible(node: Instruction) -> bool:
    if node.fault is not None or not node.arguments:
        return False
    image = node.arguments[0]
    return "$" in image or parse_reference(image).valid


def _marked(source: Source, expressions: list[StringExpression], lines: set[int]) -> Iterator[int]:
    """The numbers of the expressions that a comment calls Dockerfiles: the longest of a line."""
    if not lines:
        return
    by_line: dict[int, int] = {}
    for number, expression in enumerate(expressions):
        for line in {source.position(at)[0] for at in (expression.start, expression.literal)}:
            if line in lines:
                best = by_line.setdefault(line, number)
                if len(expression.value.text) > len(expressions[best].value.text):
                    by_line[line] = number
    yield from by_line.values()


def _other_encoding(text: str) -> str | None:
    """The encoding that a file declares (PEP 263) where it is not UTF-8 and matters."""
    if text.isascii():
        return None
    match = _ENCODING.match(text.removeprefix("\ufeff"))
    return match[1] if match and match[1].lower() not in _UTF_8 else None


def _require_utf8(source: Source) -> None:
    try:
        source.text.encode()
    except UnicodeEncodeError as error:
        line = source.position(error.start)[0]
        raise DockstrataError("is not UTF-8", source.path, line) from None
