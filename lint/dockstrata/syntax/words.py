"""BuildKit's shell words: quotes, escapes and variables of a Dockerfile's arguments.

Source: the behaviour that BuildKit documents under "Environment replacement", and its shell lexer.
A value may hold *symbols* (what a build argument or an unknown root image will give); an operation
on one stays an operation, so that two results are equal only where they are for every value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from dockstrata.syntax.gotext import SPACE, replace_undecoded
from dockstrata.syntax.patterns import (
    WordError,
    replace_all,
    replace_first,
    trim_prefix,
    trim_suffix,
)

Lookup = Callable[[str], "str | None"]

__all__ = ["Lexer", "Lookup", "WordError", "expand", "expand_words", "is_symbolic", "symbol"]

# Lone surrogates of this range never come out of decoding, so no text can forge a symbol.
OPEN, CLOSE = "\ud800", "\ud801"
_BETWEEN, _BETWEEN_IN_TEXT = "\x1f", "\ud802"
_SPECIAL_PARAMETERS = frozenset("@*#?-$!0")
_MODIFIERS = frozenset("-+?#%")
_BLANKS = ("\t", "\r", " ")

_SPACE_RUN = re.compile(f"[{SPACE}]+")

MAX_DEPTH = 50
"""How deep substitutions may nest (BuildKit knows no limit)."""


def symbol(*parts: str) -> str:
    """A value that is not known before the build, told apart by ``parts``."""
    return OPEN + _BETWEEN.join(map(_part, parts)) + CLOSE


def _part(text: str) -> str:
    """``text`` with what separates parts made another character, but inside symbols."""
    if _BETWEEN not in text:
        return text
    depth = 0
    result = ""
    for char in text:
        depth += (char == OPEN) - (char == CLOSE)
        result += _BETWEEN_IN_TEXT if char == _BETWEEN and not depth else char
    return result


def is_symbolic(value: str) -> bool:
    return OPEN in value


def is_symbol(value: str, *parts: str) -> bool:
    """Whether ``value`` is one symbol and nothing else, and begins with ``parts``."""
    if not value.startswith(OPEN + _BETWEEN.join(map(_part, parts)) + _BETWEEN):
        return False
    depth = 0
    for at, char in enumerate(value, 1):
        depth += (char == OPEN) - (char == CLOSE)
        if not depth:
            return at == len(value)
    return False


def unset(_name: str) -> str | None:
    return None


def expand(word: str, lookup: Lookup, escape: str = "\\", quotes: bool = True) -> str:
    """``word`` with variables replaced and quotes removed (``quotes=False`` keeps them)."""
    if "$" not in word and escape not in word and (not quotes or not ('"' in word or "'" in word)):
        return _read(word)
    return Lexer(word, lookup, escape, keep_quotes=not quotes).word()


def expand_words(text: str, lookup: Lookup, escape: str = "\\") -> list[str]:
    """The words that ``text`` expands to, split at white space outside quotes."""
    return Lexer(text, lookup, escape).words()


def _read(text: str) -> str:
    """``text`` as Go's text scanner gives it: no byte order mark, U+FFFD for what is not UTF-8."""
    return text if text.isascii() else replace_undecoded(text.removeprefix("\ufeff"))


@cache
def _plain_run(ends: str) -> re.Pattern[str]:
    """Characters that mean themselves, but for the escape and what the text is read up to."""
    return re.compile(rf"""[^$<'"{re.escape(ends)}]+""")


@cache
def _quoted_run(escape: str) -> re.Pattern[str]:
    return re.compile(rf"""[^$"{re.escape(escape)}]+""")


class _Words:
    """Collects words: plain characters split at space, quoted and escaped ones never do."""

    __slots__ = ("current", "done")

    def __init__(self) -> None:
        self.done: list[str] = []
        self.current = ""

    def plain(self, text: str) -> None:
        first, *others = _SPACE_RUN.split(text)
        self.current += first
        for word in others:
            if self.current:
                self.done.append(self.current)
            self.current = word

    def raw(self, text: str) -> None:
        self.current += text

    def finish(self) -> list[str]:
        self.plain(" ")
        return self.done


class Lexer:
    """One pass over one argument.

    ``raw_quotes`` and ``raw_escapes`` keep what they name in the result, ``skip_unset`` leaves
    unknown variables as written, ``keep_quotes`` gives quotes no meaning at all.
    """

    def __init__(
        self,
        text: str,
        lookup: Lookup = unset,
        escape: str = "\\",
        *,
        raw_quotes: bool = False,
        raw_escapes: bool = False,
        skip_unset: bool = False,
        keep_quotes: bool = False,
    ) -> None:
        self.text = _read(text)
        self.position = 0
        self.lookup = lookup
        self.escape = escape
        self.raw_quotes = raw_quotes
        self.raw_escapes = raw_escapes
        self.skip_unset = skip_unset
        self.keep_quotes = keep_quotes
        self.depth = 0

    def word(self) -> str:
        return self._until("", self.raw_escapes)

    def words(self) -> list[str]:
        words = _Words()
        self._until("", self.raw_escapes, words)
        return words.finish()

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _next(self) -> str:
        char = self.text[self.position : self.position + 1]
        self.position += 1
        return char

    def _until(self, stop: str, raw_escapes: bool, words: _Words | None = None) -> str:
        """Everything up to ``stop`` (``""``: the end), as one word and, where asked, as words."""
        if self.depth == MAX_DEPTH:
            raise WordError("substitution nested too deeply")
        outer, self.raw_escapes = self.raw_escapes, raw_escapes
        self.depth += 1
        try:
            return self._until_inner(stop, words)
        finally:
            self.depth -= 1
            self.raw_escapes = outer

    def _until_inner(self, stop: str, words: _Words | None) -> str:
        result: list[str] = []
        plain = _plain_run(self.escape + stop)
        text, length = self.text, len(self.text)
        while self.position < length:
            run = plain.match(text, self.position)
            if run is not None:
                self.position = run.end()
                value, raw = run[0], False
            else:
                char = text[self.position]
                if char == stop:
                    self.position += 1
                    return "".join(result)
                value, raw = self._special(char)
            result.append(value)
            if words is not None:
                (words.raw if raw else words.plain)(value)
        if stop:
            raise WordError(f"unexpected end of statement while looking for matching {stop}")
        return "".join(result)

    def _special(self, char: str) -> tuple[str, bool]:
        """What ``char``, which is next, stands for, and whether that never ends a word."""
        if char == "$":
            return self._dollar(), False
        if char == "<":
            return self._angle(), True
        if char == self.escape:
            escaped = self.text[self.position : self.position + 2]
            self.position += 2
            return (escaped if self.raw_escapes else escaped[1:]), True
        if self.keep_quotes:
            self.position += 1
            return char, False
        return (self._single_quoted() if char == "'" else self._double_quoted()), True

    def _angle(self) -> str:
        """``<``, or ``<<`` with the blanks after it: a heredoc's name may stand apart from it."""
        start = self.position
        self._next()
        if self._peek() == "<":
            self._next()
            while self._peek() in _BLANKS:
                self._next()
        return self.text[start : self.position]

    def _single_quoted(self) -> str:
        start = self.position
        end = self.text.find("'", start + 1)
        if end < 0:
            self.position = len(self.text)
            raise WordError("unexpected end of statement while looking for matching single-quote")
        self.position = end + 1
        return self.text[start : end + 1] if self.raw_quotes else self.text[start + 1 : end]

    def _double_quoted(self) -> str:
        result: list[str] = []
        quote = self._next()
        if self.raw_quotes:
            result.append(quote)
        plain = _quoted_run(self.escape)
        text, length = self.text, len(self.text)
        while self.position < length:
            run = plain.match(text, self.position)
            if run is not None:
                self.position = run.end()
                result.append(run[0])
                continue
            char = text[self.position]
            if char == "$":
                result.append(self._dollar())
                continue
            self.position += 1
            if char == '"':
                if self.raw_quotes:
                    result.append(char)
                return "".join(result)
            if self.raw_escapes:
                result.append(char)
            following = self._peek()
            if following and following in ('"', "$", self.escape):
                self.position += 1
                result.append(following)
            elif following:
                result.append(char)
        raise WordError("unexpected end of statement while looking for matching double-quote")

    def _dollar(self) -> str:
        self._next()
        if self._peek() == "{":
            self._next()
            return self._braced()
        name = self._name()
        if not name:
            return "$"
        value = self.lookup(name)
        if value is None:
            return f"${name}" if self.skip_unset else ""
        return value

    def _braced(self) -> str:
        following = self._peek()
        if not following:
            raise WordError("syntax error: missing '}'")
        if following in "{}:":
            raise WordError("syntax error: bad substitution")
        name = self._name()
        modifier = self._next()
        if not modifier:
            raise WordError("syntax error: missing '}'")
        if modifier == "}":
            value = self.lookup(name)
            if value is None:
                return f"${{{name}}}" if self.skip_unset else ""
            return value
        if modifier == "/":
            return self._replaced(name)
        shown = modifier
        if modifier == ":":
            modifier = self._next()
            shown += modifier
        elif modifier not in _MODIFIERS:
            raise WordError(f"unsupported modifier ({shown}) in substitution")
        trims = modifier in ("#", "%")
        if trims and shown != modifier:
            raise WordError(f"unsupported modifier ({shown}) in substitution")
        word = self._part("}", trims, "syntax error: missing '}'")
        value = self.lookup(name)
        if value is None and self.skip_unset:
            return f"${{{name}{shown}{word}}}"
        if modifier not in _MODIFIERS:
            raise WordError(f"unsupported modifier ({shown}) in substitution")
        return self._substituted(name, value, shown, word)

    def _substituted(self, name: str, value: str | None, modifier: str, word: str) -> str:
        trims = modifier in ("#", "%")
        if value is not None and (is_symbolic(value) or (trims and is_symbolic(word))):
            return symbol("op", modifier, value, word)
        present = value if modifier[0] != ":" else value or None
        if modifier[-1] == "-":
            return word if present is None else present
        if modifier[-1] == "+":
            return "" if present is None else word
        if modifier[-1] == "?":
            if present is None:
                what = "unset" if value is None else "empty"
                raise WordError(f"{name}: {word or f'is not allowed to be {what}'}")
            return present
        longest = word.startswith(modifier)
        trim = trim_prefix if modifier == "#" else trim_suffix
        return trim(word[1:] if longest else word, value or "", longest)

    def _replaced(self, name: str) -> str:
        modifier = "/"
        if self._peek() == "/":
            modifier += self._next()
        pattern = self._part("/", True, "syntax error: missing '/' in ${}")
        replacement = self._part("}", True, "syntax error: missing '}'")
        value = self.lookup(name)
        if value is None and self.skip_unset:
            return f"${{{name}/{pattern}/{replacement}}}"
        if value is not None and (
            is_symbolic(value)
            or is_symbolic(pattern)
            # What replaces every match is a template, which only its value tells.
            or (modifier == "//" and is_symbolic(replacement))
        ):
            return symbol("op", modifier, value, pattern, replacement)
        change = replace_all if modifier == "//" else replace_first
        return change(pattern, replacement, value or "")

    def _part(self, stop: str, raw_escapes: bool, unfinished: str) -> str:
        try:
            return self._until(stop, raw_escapes)
        except WordError:
            if not self._peek():
                raise WordError(unfinished) from None
            raise

    def _name(self) -> str:
        text, start = self.text, self.position
        end, length = start, len(text)
        if end < length and text[end].isdecimal():
            while end < length and text[end].isdecimal():
                end += 1
        elif end < length and text[end] in _SPECIAL_PARAMETERS:
            end += 1
        else:
            while end < length and (
                text[end] == "_" or text[end].isalpha() or text[end].isdecimal()
            ):
                end += 1
        self.position = end
        return text[start:end]
