"""Docker's ignore files, as BuildKit reads them (moby/patternmatcher; docs "Dockerignore")."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from dockstrata.load.wildcards import DEEP, REST, STAR, UNBOUNDED, Wildcards
from dockstrata.syntax.gotext import SPACE

# A character of a Go file path pattern that is not itself.
_MAGIC = re.compile(r"[*?\[\\]")


@dataclass(frozen=True, slots=True)
class _Pattern:
    text: str
    negated: bool
    # How to compare: "exact", "prefix" (ends in `**`), "suffix" (starts with `**`) or "wild".
    kind: str
    wild: Callable[[str], object] | None = field(default=None, compare=False)

    def match(self, path: str) -> bool:
        if self.wild is not None:
            return bool(self.wild(path))
        if self.kind == "exact":
            return path == self.text
        if self.kind == "prefix":
            return path.startswith(self.text[:-2])
        suffix = self.text[2:]
        return path.endswith(suffix) or (suffix[:1] == "/" and path == suffix[1:])


# For each pattern, whether it matched a directory or one above it.
State = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The patterns of one ignore file, in order; the last that matches a path decides.

    ``problems`` are lines (from 1) that BuildKit refuses, with messages: it then builds nothing.
    """

    path: str
    patterns: tuple[_Pattern, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()

    @staticmethod
    def parse(text: str, path: str) -> IgnoreFile:
        patterns: list[_Pattern] = []
        problems: list[tuple[int, str]] = []
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
            if line.startswith("#"):  # before trimming: an indented `#` is a pattern
                continue
            # The builder's reader and its matcher each trim and clean: `./!a` is an exception,
            # `!/` is refused.
            cleaned = _cleaned(_read(line).strip(SPACE))
            if not cleaned:
                continue
            negated = cleaned[0] == "!"
            cleaned = cleaned[negated:]
            if not cleaned:
                problems.append((number, f'the pattern "{line.strip(SPACE)}" excludes nothing'))
                continue
            try:
                patterns.append(_compile(cleaned, negated))
            except ValueError as error:
                problems.append((number, f"{line.strip(SPACE)}: {error}"))
        return IgnoreFile(path, tuple(patterns), tuple(problems))

    @staticmethod
    def of(patterns: Iterable[str]) -> IgnoreFile:
        """Patterns given one by one, as in ``COPY --exclude``."""
        return IgnoreFile.parse("\n".join(patterns), "")

    def ignores(self, path: str) -> bool:
        """Whether a path (posix, relative to the context) is left out of the context.

        A pattern that matches a directory matches all below it.
        """
        parts = clean(path).split("/")
        state = self.start
        for depth in range(1, len(parts) + 1):
            state = self.enter(state, "/".join(parts[:depth]))
        return self.decides(state)

    def excluding(self, path: str) -> str | None:
        """The pattern that leaves out a path and all below it, whatever is there."""
        if not self.prunes(path):
            return None
        parts = clean(path).split("/")
        state = self.start
        for depth in range(1, len(parts) + 1):
            state = self.enter(state, "/".join(parts[:depth]))
        matched = zip(reversed(state), reversed(self.patterns), strict=True)
        return next(pattern.text for hit, pattern in matched if hit)

    @property
    def start(self) -> State:
        """The state of the context's root, for a walk."""
        return (False,) * len(self.patterns)

    def enter(self, state: State, path: str) -> State:
        """The state of a path, given its directory's: patterns stay matched below a match.

        As the builder does, a pattern that could not change the outcome is not tried, and so
        counts as no match for what is below, too.
        """
        result: list[bool] = []
        ignored = False
        for before, pattern in zip(state, self.patterns, strict=True):
            matched = before or (pattern.negated == ignored and pattern.match(path))
            if matched:
                ignored = not pattern.negated
            result.append(matched)
        return tuple(result)

    def decides(self, state: State) -> bool:
        """Whether a path with this state is ignored."""
        for matched, pattern in zip(reversed(state), reversed(self.patterns), strict=True):
            if matched:
                return not pattern.negated
        return False

    def prunes(self, directory: str) -> bool:
        """Whether a directory is ignored with all below it: no ``!`` pattern reaches in."""
        if clean(directory) == ".":
            return False  # the context's root itself is never left out
        return self.ignores(directory) and not self.reaches_into(directory)

    def reaches_into(self, directory: str) -> bool:
        """Whether a ``!`` pattern could match something below a directory. Errs towards yes."""
        parts = clean(directory).split("/")
        return any(
            pattern.negated and _could_match_below(pattern.text, parts) for pattern in self.patterns
        )


def _could_match_below(pattern: str, parts: list[str]) -> bool:
    if "**" in pattern:
        literal = pattern[: pattern.index("**")]
        if _MAGIC.search(literal):
            return True
        directory = "/".join(parts) + "/"
        return directory.startswith(literal) or literal.startswith(directory)
    elements = pattern.split("/")
    if len(elements) <= len(parts):
        return False
    return all(
        _MAGIC.search(element) or element == part
        for element, part in zip(elements, parts, strict=False)
    )


def clean(path: str) -> str:
    """Go's ``path.Clean``: one slash between names, no ``.``, ``..`` resolved; ``.`` if empty."""
    cleaned = posixpath.normpath(path) if path else "."
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _read(line: str) -> str:
    """A line as the builder's reader hands it on: relative, cleaned behind its ``!``."""
    line = line.strip(SPACE)
    mark = "!" if line.startswith("!") else ""
    cleaned = _cleaned(line[len(mark) :].strip(SPACE))
    return mark + (cleaned[1:] if len(cleaned) > 1 and cleaned[0] == "/" else cleaned)


def _cleaned(text: str) -> str:
    return clean(text) if text else ""


def _compile(text: str, negated: bool) -> _Pattern:
    path_pattern(text)  # the builder checks the syntax so before it compiles
    kind, position = "exact", 0
    parts: list[str] = []
    while position < len(text):
        char = text[position]
        start, position = position, position + 1
        if char == "*" and text.startswith("*", position):
            position += 1
            position += text.startswith("/", position)  # `**/` is `**`
            if position < len(text):
                kind, part = "wild", DEEP
            else:
                kind, part = ("prefix" if kind == "exact" else "wild"), REST
            if start == 0:
                kind = "suffix"
        elif char == "*":
            kind, part = "wild", STAR
        elif char == "?":
            kind, part = "wild", "[^/]"
        elif char == "[":
            part, position = _char_class(text, position, backwards=False)
            kind = "wild"
        elif char == "\\":
            kind, part = "wild", re.escape(text[position])
            position += 1
        else:
            # A lone `]` is one that a regular expression is needed for, with the builder, too.
            kind, part = ("wild" if char == "]" else kind), re.escape(char)
        parts.append(part)
    return _Pattern(text, negated, kind, _matcher(parts) if kind == "wild" else None)


def _matcher(parts: list[str]) -> Callable[[str], object]:
    """What is truthy for a path that ``parts`` match, in time that a pattern cannot blow up."""
    if sum(part in UNBOUNDED for part in parts) > 2:
        return Wildcards(parts).match
    return re.compile("".join(parts)).fullmatch


def path_pattern(pattern: str) -> re.Pattern[str]:
    """Go's ``filepath.Match`` as a regular expression to match in full; ``*`` ends at ``/``.

    Raises ``ValueError`` for a malformed pattern.
    """
    pieces, position, size = [""], 0, len(pattern)
    while position < size:
        char = pattern[position]
        position += 1
        if char == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
        elif char == "?":
            pieces[-1] += "[^/]"
        elif char == "[":
            body, position = _char_class(pattern, position)
            pieces[-1] += body
        else:
            if char == "\\":
                char, position = _escaped(pattern, position)
            pieces[-1] += re.escape(char)
    # `filepath.Match` takes what is between stars where it first finds it, and never gives it up.
    between = "".join(
        f"(?=(?P<g{number}>[^/]*?{piece}))(?P=g{number})"
        for number, piece in enumerate(pieces[1:-1], 1)
    )
    last = f"[^/]*{pieces[-1]}" if len(pieces) > 1 else ""
    return re.compile(pieces[0] + between + last, re.DOTALL)


def _char_class(pattern: str, position: int, backwards: bool = True) -> tuple[str, int]:
    """A class as a regular expression, and where it ends.

    ``filepath.Match`` takes a range that runs ``backwards`` and matches nothing with it; an
    ignore file's pattern is refused for it.
    """
    negated = pattern.startswith("^", position)
    position += negated
    ranges, count = "", 0
    while count == 0 or not pattern.startswith("]", position):
        low, position = _class_char(pattern, position)
        high, count = low, count + 1
        if pattern.startswith("-", position):
            high, position = _class_char(pattern, position + 1)
        if low <= high:
            ranges += f"{re.escape(low)}-{re.escape(high)}"
        elif not backwards:
            raise ValueError(f"bad range {low}-{high}")
    if not ranges:
        return ("." if negated else "(?!)"), position + 1
    return f"[{'^' if negated else ''}{ranges}]", position + 1


def _class_char(pattern: str, position: int) -> tuple[str, int]:
    if position >= len(pattern) or pattern[position] in "-]":
        raise ValueError("syntax error in pattern")
    if pattern[position] == "\\":
        char, position = _escaped(pattern, position + 1)
    else:
        char, position = pattern[position], position + 1
    if position >= len(pattern):
        raise ValueError("syntax error in pattern")
    return char, position


def _escaped(pattern: str, position: int) -> tuple[str, int]:
    if position >= len(pattern):
        raise ValueError("syntax error in pattern")
    return pattern[position], position + 1
