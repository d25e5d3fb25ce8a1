"""Templates cut into pieces: text, expressions and directives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockstrata.load.hcl_lexer import escape
from dockstrata.load.hcl_template import Piece
from dockstrata.load.hcl_types import RefusedError

if TYPE_CHECKING:
    from dockstrata.load.hcl_expression import Parser


class TemplateReader:
    """Reads up to the closing quote, or up to ``end`` without escapes."""

    def __init__(self, parser: Parser, end: int | None) -> None:
        self.parser = parser
        self.end = end
        self.found: list[Piece] = []
        self.out: list[str] = []
        self.strip = False  # the next text loses its white space: ``~}``
        self.loops = 0

    def pieces(self) -> list[Piece]:
        parser = self.parser
        while not self.ended():
            source, at = parser.source, parser.position
            if source.startswith(("$${", "%%{"), at):
                self.out.append(source[at] + "{")
                parser.position += 3
            elif source.startswith(("${", "%{"), at):
                self.sequence(source[at] == "%")
            elif source[at] == "\\" and self.end is None:
                known = escape(source, at)
                if known is None:
                    raise RefusedError("an escape sequence that HCL does not know", at)
                self.out.append(known[0])
                parser.position = known[1]
            else:
                self.out.append(source[at])
                parser.position += 1
                if source[at] == "\n":
                    self.text()
        self.text()
        if self.loops:
            del parser.bound[-self.loops :]
        return self.found

    def ended(self) -> bool:
        source, at = self.parser.source, self.parser.position
        if self.end is not None:
            return at >= self.end
        if at >= len(source) or source[at] == "\n":
            raise RefusedError("a string that does not end on its line", at)
        if source[at] != '"':
            return False
        self.parser.position += 1
        return True

    def text(self) -> None:
        """The text read so far becomes a piece; a line of a text is one."""
        plain = "".join(self.out)
        self.out.clear()
        if self.strip and plain:
            plain, self.strip = plain.lstrip(), False
        if plain:
            self.found.append(Piece("text", plain))

    def sequence(self, directive: bool) -> None:
        parser, start = self.parser, self.parser.position
        parser.position += 2
        if parser.source.startswith("~", parser.position):
            parser.position += 1
            if self.out:
                self.out[:] = ["".join(self.out).rstrip()]
            elif self.found and self.found[-1].kind == "text":
                self.found[-1].text = self.found[-1].text.rstrip()
        self.text()
        self.strip = False
        with parser.ending_lines(False):
            piece = self.directive(start) if directive else Piece("value", offset=start)
            if not directive:
                piece.value = parser.conditional()
            closing = parser.accept("~", "}")
            if closing == "~":
                self.strip = True
                closing = parser.accept("}")
            if closing is None:
                raise parser.refused("expected '}'")
        self.found.append(piece)

    def directive(self, start: int) -> Piece:
        parser = self.parser
        word = parser.word("if", "else", "endif", "for", "endfor")
        if word is None:
            raise parser.refused("expected if, else, endif, for or endfor")
        piece = Piece(word, offset=start)
        if word == "if":
            piece.value = parser.conditional()
        elif word == "for":
            piece.names = parser.loop_names()
            piece.value = parser.conditional()
            parser.bound += piece.names
            self.loops += len(piece.names)
        return piece
