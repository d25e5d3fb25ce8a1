"""Templates: text with ``${expression}``, ``%{ if }`` and ``%{ for }`` (HCL's specification,
"Templates"). The parser gives the pieces, here they become a function of a scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockstrata.load.hcl_types import Missing, RefusedError, Set, Value, boolean, text
from dockstrata.load.wiring import UnknownValueError

if TYPE_CHECKING:
    from dockstrata.load.hcl import Scope

Compiled = Callable[["Scope"], Value]

_TURNS = 10_000
LIMIT = 100_000  # characters of one text


@dataclass(slots=True)
class Piece:
    """A text, an expression (``value``) or a directive's keyword with its expression."""

    kind: str
    text: str = ""
    value: Compiled | None = None
    names: tuple[str, ...] = ()
    offset: int = 0


def compiled_template(pieces: Sequence[Piece]) -> Compiled:
    """A template as a function; an expression alone keeps its type."""
    if len(pieces) == 1 and pieces[0].value is not None and pieces[0].kind == "value":
        return pieces[0].value
    template = _Template(pieces)
    found = template.upto()
    if template.at < len(pieces):
        raise RefusedError("a template directive without its start", pieces[template.at].offset)
    return found


def dedented(pieces: Sequence[Piece]) -> None:
    """Takes the margin of ``<<-`` away: the least white space before a line that is not blank."""
    margins: list[tuple[Piece | None, int]] = []
    start = True
    for piece in pieces:
        if start:
            plain = piece.text.lstrip() if piece.kind == "text" else ""
            if piece.kind != "text":
                margins.append((None, 0))
            elif plain or not piece.text.endswith("\n"):
                margins.append((piece, len(piece.text) - len(plain)))
        start = piece.kind == "text" and piece.text.endswith("\n")
    least = min((margin for _, margin in margins), default=0)
    for found, _ in margins:
        if found is not None:
            found.text = found.text[least:]


def turns(names: Sequence[str], items: Value) -> Iterator[dict[str, Value]]:
    """The values of a ``for``'s names, turn by turn."""
    pairs: list[tuple[Value, Value]]
    if isinstance(items, dict):
        pairs = [(key, items[key]) for key in sorted(items)]
    elif isinstance(items, Set):
        pairs = [(item, item) for item in items]
    elif isinstance(items, list):
        pairs = list(enumerate(items))
    elif isinstance(items, Missing):
        raise UnknownValueError("a collection")
    else:
        raise RefusedError("'for' needs a list or an object")
    if len(pairs) > _TURNS:
        raise UnknownValueError("a for that is too long")
    for key, value in pairs:
        yield {names[0]: key, names[1]: value} if len(names) == 2 else {names[0]: value}


def joined(parts: Iterator[str]) -> str:
    found, size = [], 0
    for part in parts:
        found.append(part)
        size += len(part)
        if size > LIMIT:
            raise UnknownValueError("a text that is too long")
    return "".join(found)


class _Template:
    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.at = 0

    def upto(self) -> Compiled:
        """The text up to a directive that ends or divides a block, which is next."""
        found: list[Compiled] = []
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            if piece.kind in ("else", "endif", "endfor"):
                break
            self.at += 1
            if piece.kind == "if":
                found.append(self.choice(piece))
            elif piece.kind == "for":
                found.append(self.loop(piece))
            else:
                found.append(_part(piece))
        return lambda scope: joined(text(one(scope)) for one in found)

    def choice(self, piece: Piece) -> Compiled:
        asked, yes = _given(piece), self.upto()
        no: Compiled = lambda _scope: ""  # noqa: E731
        if self.end(piece, "else", "endif") == "else":
            no = self.upto()
            self.end(piece, "endif")
        return lambda scope: (yes if boolean(asked(scope)) else no)(scope)

    def loop(self, piece: Piece) -> Compiled:
        items, each = _given(piece), self.upto()
        self.end(piece, "endfor")
        return lambda scope: joined(
            text(each(scope.with_local(turn))) for turn in turns(piece.names, items(scope))
        )

    def end(self, start: Piece, *words: str) -> str:
        word = self.pieces[self.at].kind if self.at < len(self.pieces) else ""
        self.at += 1
        if word not in words:
            raise RefusedError(f"'%{{ {start.kind} }}' without '{words[-1]}'", start.offset)
        return word


def _given(piece: Piece) -> Compiled:
    if piece.value is None:
        raise RefusedError("a template directive without an expression", piece.offset)
    return piece.value


def _part(piece: Piece) -> Compiled:
    if piece.value is None:
        plain = piece.text
        return lambda _scope: plain
    value, offset = piece.value, piece.offset

    def shown(scope: Scope) -> Value:
        found = value(scope)
        if found is None:
            raise RefusedError("null in a template", offset)
        return found

    return shown
