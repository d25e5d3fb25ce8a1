"""HCL and JSON files as bodies of attributes and blocks.

Source: HCL's native syntax specification and its JSON syntax specification.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dockstrata.load.hcl import Scope
from dockstrata.load.hcl_expression import Expression, Parser
from dockstrata.load.hcl_lexer import escape
from dockstrata.load.hcl_number import parsed
from dockstrata.load.hcl_types import Missing, RefusedError, Value, text
from dockstrata.load.wiring import UnknownValueError


@dataclass(slots=True)
class Body:
    """What stands between braces: attributes by name, and blocks as they come. ``blocks`` are
    type, labels and body; ``offset`` is where a block's type stands in the file."""

    attributes: dict[str, Expression] = field(default_factory=dict)
    blocks: list[tuple[str, tuple[str, ...], Body]] = field(default_factory=list)
    offset: int = 0


class _Bodies(Parser):
    """Bodies of attributes and blocks."""

    def file(self) -> Body:
        self.lines = True
        body = Body()
        while self.item(body):
            pass
        if self.position < len(self.source):
            raise self.refused("expected an argument or a block")
        return body

    def item(self, body: Body) -> bool:
        """Reads one attribute or block; whether there was one."""
        while self.position < len(self.source) and self.end_of_line():
            pass
        self.skip()
        start = self.position
        name = self.word()
        if name is None:
            return False
        if self.accept("="):
            self.attribute(body, name, start)
        else:
            body.blocks.append((name, *self.block(start)))
        if not self.end_of_line():
            raise self.refused("expected the next line")
        return True

    def attribute(self, body: Body, name: str, start: int) -> None:
        if name in body.attributes:
            raise RefusedError(f"'{name}' is set twice", start)
        body.attributes[name] = self.expression()

    def block(self, start: int) -> tuple[tuple[str, ...], Body]:
        labels: list[str] = []
        while self.accept("{") is None:
            labels.append(self.label())
        body = Body(offset=start)
        self.skip()
        if not self.source.startswith("\n", self.position):  # all on one line
            name = self.word()
            if name is not None:
                at = self.position - len(name)
                self.expect("=")
                self.attribute(body, name, at)
        else:
            while self.item(body):
                pass
        self.expect("}")
        return tuple(labels), body

    def label(self) -> str:
        token = self.peek()
        if token is None or not (token["name"] or token["string"]):
            raise self.refused("expected '{'")
        self.position = token.end()
        if token["name"]:
            return token["name"]
        out: list[str] = []
        while True:
            char = self.source[self.position : self.position + 1]
            known = escape(self.source, self.position) if char == "\\" else None
            if char in ("", "\n") or (char == "\\" and known is None):
                raise self.refused("expected a name in quotes")
            if self.source.startswith(("${", "%{"), self.position):
                raise self.refused("a name cannot be a template")
            self.position += 1
            if char == '"':
                return "".join(out)
            if known is not None:
                char, self.position = known
            out.append(char)


def read_hcl(source: str) -> Body:
    """A file in HCL. Raises :class:`RefusedError`."""
    return _Bodies(source).file()


class _Pairs(list[tuple[str, object]]):
    """A JSON object; names may come again."""


def read_json(source: str, kinds: Mapping[str, Sequence[str]]) -> Body:
    """A file in JSON. ``kinds`` are the types of blocks with one label, and those of the blocks
    without a label inside of them. Raises :class:`RefusedError`, ``json.JSONDecodeError``."""
    document: object = json.loads(
        source, parse_int=parsed, parse_float=parsed, object_pairs_hook=_Pairs
    )
    if not isinstance(document, _Pairs):
        raise RefusedError("an object is required", 0)
    body = Body()
    for name, value in document:
        if name not in kinds:
            _set(body, name, value, 0)
            continue
        for label, inner in _labelled(name, value):
            offset = _place(source, label)
            for block in inner if isinstance(inner, list) and type(inner) is list else [inner]:
                if block is None:
                    continue
                if not isinstance(block, _Pairs):
                    raise RefusedError(f"{name} '{label}' is no object", offset)
                found = Body(offset=offset)
                for key, item in block:
                    if key not in kinds[name]:
                        _set(found, key, item, offset)
                body.blocks.append((name, (label,), found))
    return body


def _labelled(kind: str, value: object) -> Iterator[tuple[str, object]]:
    objects = value if type(value) is list else [value]
    for one in objects:
        if isinstance(one, _Pairs):
            yield from one
        elif one is not None:
            raise RefusedError(f"'{kind}' is no object", 0)


def _place(source: str, label: str) -> int:
    """Where a block of that label begins, as far as its text tells."""
    match = re.search(rf"{re.escape(json.dumps(label))}\s*:\s*[\[{{]", source)
    return match.start() if match else 0


def _set(body: Body, name: str, value: object, offset: int) -> None:
    if name == "//":  # a comment
        return
    if name in body.attributes:
        raise RefusedError(f"'{name}' is set twice", offset)
    body.attributes[name] = _expression(value, offset)


def _expression(value: object, offset: int) -> Expression:
    """A JSON value; its strings and keys are templates."""
    if isinstance(value, str):
        try:
            return Parser(value).template(offset)
        except RefusedError as error:
            raise RefusedError(str(error), offset) from None
    if isinstance(value, _Pairs):
        pairs = [(_expression(key, offset), _expression(item, offset)) for key, item in value]

        def made(scope: Scope) -> Value:
            return {text(key.value(scope)): _known(item, scope) for key, item in pairs}

        return _together([part for pair in pairs for part in pair], made, offset)
    if isinstance(value, list):
        items = [_expression(item, offset) for item in value]
        return _together(items, lambda scope: [_known(it, scope) for it in items], offset)
    constant: Value = value  # type: ignore[assignment]
    return Expression(lambda _scope: constant, offset=offset)


def _together(
    parts: Sequence[Expression], value: Callable[[Scope], Value], offset: int
) -> Expression:
    names = {name: offset for part in parts for name in part.names}
    calls = {name: offset for part in parts for name in part.calls}
    return Expression(value, names, calls, f"[{', '.join(it.source for it in parts)}]", offset)


def _known(part: Expression, scope: Scope) -> Value:
    try:
        return part.value(scope)
    except UnknownValueError:
        return Missing()
