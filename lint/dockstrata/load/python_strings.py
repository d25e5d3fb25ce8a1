"""The string expressions of a Python file, read with libcst."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper

from dockstrata.errors import DockstrataError
from dockstrata.load.python_text import (
    Holes,
    Place,
    PythonText,
    Spelling,
    cleaned,
    decoded,
    dedented,
    formatted,
    joined,
    stripped,
)
from dockstrata.source import Source

# libcst writes these otherwise than the file does, and its positions are off then: a form feed
# that begins a line (indentation begins anew after it), the first half of "\r\n".
_UNSEEN = re.compile(r"(?:^|(?<=[\r\n]))\f+|\r(?=\n)")
_STEADY = str.maketrans("\r\f", "\n ")
_LITERALS = (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString)
_STRIPS = {"strip": (True, True), "lstrip": (True, False), "rstrip": (False, True)}


@dataclass(frozen=True, slots=True)
class StringExpression:
    """A string expression ``[start, end)`` of a file and what it says.

    ``literal`` is where its first literal stands. ``idle``: a statement of its own, as
    docstrings are.
    """

    value: PythonText
    start: int
    end: int
    literal: int
    idle: bool


def string_expressions(source: Source) -> list[StringExpression]:
    """The outermost string expressions of a Python file, in order.

    Literals, joined by standing side by side or by ``+``, with ``%``, ``format``, ``strip``,
    ``encode``, ``join``, ``dedent`` or ``cleandoc`` around them. Raises
    :class:`DockstrataError` where the file is no Python.
    """
    text = source.text.removeprefix("\ufeff")
    steady = _UNSEEN.sub("", text).translate(_STEADY)
    try:
        module = cst.parse_module(steady)
        if module.code != steady:
            raise DockstrataError("cannot be read exactly by libcst", source.path)
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        spans = wrapper.resolve(ByteSpanPositionProvider)
    except cst.ParserSyntaxError as error:
        raise _syntax_error(source, error) from None
    except RecursionError:
        raise DockstrataError("is nested too deeply to be read", source.path) from None
    reader = _Reader(source.text, spans, _offsets(source.text, text))
    wrapper.module.visit(reader)
    return reader.found


def _syntax_error(source: Source, error: cst.ParserSyntaxError) -> DockstrataError:
    """What is wrong with the file, in Python's words where Python refuses it too."""
    import ast
    import warnings

    message, line = "libcst does not know this syntax", error.raw_line
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source.text.removeprefix("\ufeff"))
    except SyntaxError as refusal:
        message, line = refusal.msg, refusal.lineno or line
    except (ValueError, RecursionError, MemoryError) as refusal:
        message = str(refusal)
    return DockstrataError(f"cannot be read as Python: {message}", source.path, line)


def _offsets(original: str, text: str) -> Sequence[int]:
    """For each byte that libcst saw, the character of the file."""
    shift = len(original) - len(text)
    unseen = {at for match in _UNSEEN.finditer(text) for at in range(*match.span())}
    if text.isascii() and not unseen:
        return range(shift, len(original))
    offsets: list[int] = []
    for at, char in enumerate(text):
        if at not in unseen:
            offsets += [at + shift] * len(char.encode())
    return offsets


class _Reader(cst.CSTVisitor):
    """Collects the outermost string expressions."""

    def __init__(
        self, text: str, spans: Mapping[cst.CSTNode, CodeSpan], offsets: Sequence[int]
    ) -> None:
        super().__init__()
        self.text = text
        self.spans = spans
        self.offsets = offsets
        self.found: list[StringExpression] = []
        self.idle = False
        self.inside: list[cst.BaseExpression] = []

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        span = self.spans[node]
        # What follows the last character may be one that libcst did not see.
        return self.offsets[span.start], self.offsets[span.start + span.length - 1] + 1

    def visit_Expr(self, node: cst.Expr) -> bool:  # noqa: N802
        self.idle = isinstance(node.value, _LITERALS)
        return True

    def leave_Expr(self, original_node: cst.Expr) -> None:  # noqa: N802
        self.idle = False

    def visit_Annotation(self, node: cst.Annotation) -> bool:  # noqa: N802
        return False

    def visit_SimpleString(self, node: cst.SimpleString) -> bool:  # noqa: N802
        return self._take(node)

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:  # noqa: N802
        return self._take(node)

    def visit_ConcatenatedString(self, node: cst.ConcatenatedString) -> bool:  # noqa: N802
        return self._take(node)

    def visit_BinaryOperation(self, node: cst.BinaryOperation) -> bool:  # noqa: N802
        return self._take(node)

    def visit_Call(self, node: cst.Call) -> bool:  # noqa: N802
        return self._take(node)

    def _take(self, node: cst.BaseExpression) -> bool:
        """Book an expression that is a string; says whether to look inside."""
        inside, self.inside = self.inside, []
        try:
            value = self._read(node, Holes())
        except ValueError:
            return False
        finally:
            inner, self.inside = self.inside, inside
        if value is None:
            return True
        start, end = self.span(node)
        literals = [place.spelling.start for place in value.places if place.spelling is not None]
        found = StringExpression(value, start, end, min(literals, default=start), self.idle)
        self.found.append(found)
        for expression in inner:
            expression.visit(self)
        return False

    def _read(self, node: cst.BaseExpression, holes: Holes) -> PythonText | None:
        """The value of an expression; None where it is no string.

        Raises ``ValueError`` for a string of which it cannot be told what it says.
        """
        if isinstance(node, cst.SimpleString):
            return self._simple(node)
        if isinstance(node, cst.FormattedString):
            return self._formatted(node, holes)
        if isinstance(node, cst.ConcatenatedString):
            left, right = self._read(node.left, holes), self._read(node.right, holes)
            return None if left is None or right is None else joined((left, right))
        if isinstance(node, cst.BinaryOperation):
            return self._operation(node, holes)
        if isinstance(node, cst.Call):
            return self._call(node, holes)
        return None

    def _spelling(self, start: int, prefix: str, quote: str) -> Spelling:
        prefix = prefix.lower()
        f = "f" in prefix
        return Spelling(start, "r" in prefix, "b" in prefix, f, quote, "{}" if f else "")

    def _simple(self, node: cst.SimpleString) -> PythonText | None:
        start, end = self.span(node)
        spelling = self._spelling(start, node.prefix, node.quote)
        body = start + len(node.prefix) + len(node.quote)
        value = decoded(self.text, body, end - len(node.quote), spelling)
        if spelling.binary and not value.text.isascii():
            raise ValueError("bytes are as good as text where they are ASCII alone")
        return value

    def _formatted(self, node: cst.FormattedString, holes: Holes) -> PythonText:
        at, end = self.span(node)
        spelling = self._spelling(at, node.prefix, node.end)
        at += len(node.start)  # its prefix included
        parts: list[PythonText] = []
        # What stands between expressions, whatever libcst saw of it.
        for part in node.parts:
            if isinstance(part, cst.FormattedStringExpression):
                start, after = self.span(part)
                parts.append(decoded(self.text, at, start, spelling))
                parts.append(holes.hole(self.text[start:after], start, after, spelling))
                self.inside.append(part.expression)
                at = after
        parts.append(decoded(self.text, at, end - len(node.end), spelling))
        return joined(parts)

    def _operand(self, node: cst.BaseExpression, holes: Holes) -> PythonText:
        """A string, or a placeholder for what is known at run time alone."""
        with contextlib.suppress(ValueError):
            value = self._read(node, holes)
            if value is not None:
                return value
        start, end = self.span(node)
        self.inside.append(node)
        return holes.hole("{" + self.text[start:end] + "}", start, end, None)

    def _operation(self, node: cst.BinaryOperation, holes: Holes) -> PythonText | None:
        if isinstance(node.operator, cst.Modulo):
            value = self._read(node.left, holes)
            if value is not None:
                self.inside.append(node.right)
                return formatted(value, holes, percent=True)
        elif isinstance(node.operator, cst.Add):
            chain = list(_added(node))
            # Sums of numbers are as frequent as those of strings.
            known = len(self.inside)
            strings = any(self._is_string(part) for part in chain)
            del self.inside[known:]
            if strings:
                return joined([self._operand(part, holes) for part in chain])
        return None

    def _is_string(self, node: cst.BaseExpression) -> bool:
        try:
            return self._read(node, Holes()) is not None
        except ValueError:
            return True

    def _call(self, node: cst.Call, holes: Holes) -> PythonText | None:
        arguments = [argument.value for argument in node.args if not argument.star]
        if len(arguments) != len(node.args):
            arguments = []
        function = node.func
        name = function.attr.value if isinstance(function, cst.Attribute) else ""
        name = function.value if isinstance(function, cst.Name) else name
        if name in ("dedent", "cleandoc"):
            value = self._read(arguments[0], holes) if len(arguments) == 1 else None
            if value is None:
                return None
            return dedented(value) if name == "dedent" else cleaned(value)
        if not isinstance(function, cst.Attribute):
            return None
        if name == "join":
            return self._join(function.value, arguments, holes)
        if name not in ("format", "encode", *_STRIPS):
            return None
        value = self._read(function.value, holes)
        if value is None:
            return None
        if name == "format":
            self.inside += [argument.value for argument in node.args]
            return formatted(value, holes, percent=False)
        if name == "encode":
            return value
        characters = self._read(arguments[0], holes) if arguments else None
        if node.args and (characters is None or len(arguments) != 1):
            raise ValueError("strips what is known at run time alone")
        text = None if characters is None else characters.text
        return stripped(value, text, *_STRIPS[name])

    def _join(
        self, glue: cst.BaseExpression, arguments: list[cst.BaseExpression], holes: Holes
    ) -> PythonText | None:
        if len(arguments) != 1 or not isinstance(arguments[0], (cst.List, cst.Tuple)):
            return None
        between = self._read(glue, holes)
        items = arguments[0].elements
        if between is None or any(isinstance(item, cst.StarredElement) for item in items):
            return None
        values: list[PythonText] = []
        for item in items:
            value = self._operand(item.value, holes)
            if values:
                end = values[-1].places[-1].end if values[-1].places else self.span(item.value)[0]
                places = (Place(end, end, None),) * len(between.text)
                values.append(replace(between, places=places))
            values.append(value)
        return joined(values)


def _added(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The operands of a chain of ``+``, left to right."""
    stack: list[cst.BaseExpression] = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
            stack += (node.right, node.left)
        else:
            yield node
