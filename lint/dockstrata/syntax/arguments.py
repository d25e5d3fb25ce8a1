"""How the rest of an instruction's line becomes flags and arguments.

Source: BuildKit's parser, one function for each of its argument grammars.
"""

from __future__ import annotations

import json
import re
from math import isinf
from typing import NoReturn

from dockstrata.syntax import deepjson
from dockstrata.syntax.gotext import (
    BLANKS,
    SPACE,
    SPACES,
    quote,
    replace_surrogates,
    replace_undecoded,
)


class ArgumentError(ValueError):
    """The arguments break the instruction's grammar; the message is BuildKit's."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _number(digits: str) -> float:
    """Go reads every number as a float64, and refuses one that does not fit."""
    value = float(digits)
    if isinf(value):
        raise ValueError(digits)
    return value


_NOT_STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"
_JSON = json.JSONDecoder(parse_constant=_no_constant, parse_float=_number, parse_int=_number)


def take_flags(rest: str) -> tuple[str, list[str]]:
    """The leading ``--name[=value]`` words and what follows them, as BuildKit reads them.

    It reads bytes, not characters: a flag that is not ASCII comes out with each of its bytes as
    a character of its own, and some of those bytes count as white space.
    """
    if not rest.lstrip(SPACE).startswith("--"):
        return rest.lstrip(SPACE) if rest[:1] in SPACES else rest, []
    text = rest if rest.isascii() else rest.encode("utf-8", "surrogateescape").decode("latin-1")
    after, flags = _take_flags(text)
    if text is not rest:
        after = after.encode("latin-1").decode("utf-8", "surrogateescape")
    return after, flags


def _take_flags(text: str) -> tuple[str, list[str]]:
    flags: list[str] = []
    position, length = 0, len(text)
    while True:
        while position < length and text[position] in SPACES:
            position += 1
        if not text.startswith("--", position):
            return text[position:], flags
        word, blank = "", False
        quote = ""
        while position < length:
            char = text[position]
            if quote:
                if char == quote:
                    quote = ""
                elif char == "\\":
                    if position + 1 == length:
                        quote = ""
                    else:
                        position += 1
                        word += text[position]
                else:
                    word += char
            elif char in SPACES:
                break
            elif char in "'\"":
                quote, blank = char, True
            elif char == "\\":
                if position + 1 < length:
                    position += 1
                    word += text[position]
            else:
                word += char
            position += 1
        if word == "--":
            return text[position:], flags
        if word or blank:
            flags.append(word)
        if position >= length:
            return "", flags


def _words(escape: str) -> re.Pattern[str]:
    it = re.escape(escape)
    inside = rf"""[^\t-\r "'{it}]|{it}.|"(?:[^"{it}]|{it}.)*"|'[^']*'"""
    return re.compile(rf"[\t-\r ]*((?:{inside})+)", re.DOTALL)


_WORDS = {escape: _words(escape) for escape in ("\\", "`")}
"""Blanks and a word whose quotes are closed, for ASCII."""


def split_words(rest: str, escape: str) -> list[str]:
    """Words as ENV, LABEL and ARG are split: quotes and escapes are kept in them."""
    if rest.isascii():
        plain: list[str] = []
        end = 0
        for match in _WORDS[escape].finditer(rest):
            if match.start() != end:
                break
            end = match.end()
            plain.append(match[1])
        if end == len(rest):
            return plain
    return _split_words(rest, escape)


def _split_words(rest: str, escape: str) -> list[str]:
    words: list[str] = []
    position, length = 0, len(rest)
    while position < length:
        if rest[position] in SPACES:
            position += 1
            continue
        word: list[str] = []
        blank = False
        quote = ""
        while position < length:
            char = rest[position]
            if quote:
                if char == quote:
                    quote = ""
                elif char == escape and quote != "'":
                    if position + 1 == length:
                        quote = ""
                        position += 1
                        continue
                    word.append(char)
                    position += 1
                    char = rest[position]
            elif char in SPACES:
                break
            elif char in "'\"":
                quote, blank = char, True
            elif char == escape:
                if position + 1 == length:
                    position += 1
                    continue
                word.append(char)
                position += 1
                char = rest[position]
            word.append(char)
            position += 1
        if word or blank:
            words.append(replace_undecoded("".join(word)))
    return words


def by_blanks(rest: str) -> list[str]:
    """Arguments of FROM, EXPOSE: separated by blanks, quotes without meaning."""
    rest = rest.strip(SPACE)
    if rest.isascii() and rest.isprintable():
        return rest.split()
    return BLANKS.split(rest) if rest else []


def name_values(rest: str, escape: str, keyword: str) -> list[str]:
    """``name value sep name value sep …`` of ENV and LABEL; ``sep`` is ``=``, or empty in the
    old form ``ENV name value``."""
    words = split_words(rest, escape)
    if not words:
        return []
    if "=" not in words[0]:
        parts = BLANKS.split(rest, maxsplit=1)
        if len(parts) < 2:
            raise ArgumentError(f"{keyword} must have two arguments")
        return [parts[0], parts[1], ""]
    result: list[str] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ArgumentError(
                f"Syntax error - can't find = in {quote(word)}. Must be of the form: name=value"
            )
        result += (name, value, "=")
    return result


def json_strings(rest: str) -> list[str] | None:
    """The strings of a JSON array, ``None`` where ``rest`` is no JSON array.

    Raises :class:`ArgumentError` for an array that holds anything but strings.
    """
    if rest[:1] != "[":
        rest = rest.lstrip(SPACE)
        if rest[:1] != "[":
            return None
    try:
        value, end = _JSON.raw_decode(rest)
    except RecursionError:
        if deepjson.is_valid(rest):
            raise ArgumentError(_NOT_STRINGS) from None
        return None
    except ValueError:
        return None
    if rest[end:].strip(" \t\r\n"):
        return None
    for item in value:
        if not isinstance(item, str):
            raise ArgumentError(_NOT_STRINGS)
    return [replace_surrogates(item) for item in value]


def health_type(rest: str) -> tuple[str, str]:
    """HEALTHCHECK's first word and the rest."""
    text = rest if rest.isascii() else rest.encode("utf-8", "surrogateescape").decode("latin-1")
    end = 0
    while end < len(text) and text[end] not in SPACES:
        end += 1
    start = end
    while start < len(text) and text[start] in SPACES:
        start += 1
    if text is not rest:
        back = [
            part.encode("latin-1").decode("utf-8", "surrogateescape")
            for part in (text[:end], text[start:])
        ]
        return back[0], back[1]
    return text[:end], text[start:]


_PLAIN_COMMAND = re.compile(r"([!-~]+)[\t\v\f\r ]+(?=[!-,.-~])")
"""A keyword and the blanks after it, where neither a flag nor anything but ASCII follows."""


def split_command(line: str) -> tuple[str, list[str], str, int]:
    """Keyword, flags, the text after them, and where in ``line`` that begins."""
    match = _PLAIN_COMMAND.match(line)
    if match is not None:
        at = match.end()
        return match[1], [], line[at:].rstrip(SPACE), at
    stripped = line.strip(SPACE)
    match = BLANKS.search(stripped)
    if match is None:
        return stripped, [], "", len(line)
    after, flags = take_flags(stripped[match.end() :])
    lead = len(line) - len(line.lstrip(SPACE))
    at = lead + len(stripped) - len(after)
    rest = after.strip(SPACE)
    return stripped[: match.start()], flags, rest, at + len(after) - len(after.lstrip(SPACE))
