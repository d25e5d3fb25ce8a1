"""Compare our shell words and ignore patterns with a port of BuildKit's (e2b-dockerfile-utils).

    python bench/fuzz_words.py words --count 1000000 --seed 1 --jobs 2
    python bench/fuzz_words.py patterns --count 1000000 --seed 1 --jobs 2

An input of ``words`` is a text, its escape character, the lexer's options and an environment; what
is compared is the value, the words, and the error with its message. An input of ``patterns`` is an
ignore file and a path; what is compared is whether the path is left out, or which line is refused.

A difference is listed where one of these reasons, or some of them together, account for it: with
the port mended so, it must vanish.

Words:

* *byte order mark*: Go's text scanner drops one at the start of a text; the port keeps it.
* *not UTF-8*: the scanner gives U+FFFD for such a byte; the port keeps it.
* *empty word*: the port takes ``""`` for a word; BuildKit's list has no empty words.
* *empty match*: in ``${v//*/x}`` Go's ``ReplaceAllString`` takes no empty match right behind
  another one (package regexp: "empty matches abutting a preceding match are ignored").
* *template*: ``ReplaceAllString`` expands ``$0``, ``$name`` and ``$$`` in what ``${v//p/r}`` puts
  in (package regexp: "$ signs are interpreted as in Expand"); the port puts it in as it is.
* *left as written*: where unset variables stay, BuildKit writes ``${v//p/r}`` with one slash.
* *trailing escape*: BuildKit's message shows the character that is missing as U+FFFD.
* *depth*: we refuse substitutions nested more than 50 deep; BuildKit has no limit.

Patterns, where the documentation decides ("matching is done using Go's filepath.Match rules"; white
space is trimmed and paths are cleaned with Go's functions), and the builder's reader and matcher:

* *escape in a class*: ``[\\d]`` is the letter for ``filepath.Match``; the port hands it to ``re``,
  as BuildKit's matcher does to ``regexp``: any digit.
* *separator characters*: 0x1c to 0x1f are no white space for Go; the port trims them.
* *cleaned twice*: BuildKit's reader trims and cleans a line, and so does its matcher with the
  result: ``./!a`` is an exception, ``!/`` is refused, ``/ a`` is ``a``. The port does so once.
"""

from __future__ import annotations

import argparse
import posixpath
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from itertools import combinations, islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent))

from e2b_dockerfile_utils import PatternMatcher, ShellLex, lexer
from words_generator import ignored, word

from dockstrata.load.ignorefile import IgnoreFile
from dockstrata.syntax import words
from dockstrata.syntax.words import Lexer, WordError, expand, expand_words

CHUNK = 4000
BOM = "\ufeff"
Answer = tuple[Any, ...]


class Word(NamedTuple):
    text: str
    escape: str
    environment: dict[str, str]
    raw_quotes: bool = False
    raw_escapes: bool = False
    keep_quotes: bool = False
    skip_unset: bool = False

    def ours(self, reasons: Collection[str] = ()) -> Answer:
        limit = 10**6 if "depth" in reasons else words.MAX_DEPTH
        with patch.object(words, "MAX_DEPTH", limit):
            return _answer(self._our_word), _answer(self._our_words)

    def _our_word(self) -> str:
        if self.raw_quotes or self.raw_escapes or self.skip_unset:
            return self._lexer().word()
        return expand(self.text, self.environment.get, self.escape, not self.keep_quotes)

    def _our_words(self) -> list[str]:
        if self.raw_quotes or self.raw_escapes or self.skip_unset or self.keep_quotes:
            return self._lexer().words()
        return expand_words(self.text, self.environment.get, self.escape)

    def _lexer(self) -> Lexer:
        return Lexer(
            self.text,
            self.environment.get,
            self.escape,
            raw_quotes=self.raw_quotes,
            raw_escapes=self.raw_escapes,
            skip_unset=self.skip_unset,
            keep_quotes=self.keep_quotes,
        )

    def theirs(self, reasons: Collection[str] = ()) -> Answer:
        text = self.text
        if "byte order mark" in reasons:
            text = text.removeprefix(BOM)
        if "not UTF-8" in reasons:
            text = _UNDECODED.sub("\ufffd", text)
        port = ShellLex(
            self.escape,
            self.raw_quotes,
            self.raw_escapes,
            self.keep_quotes,
            self.environment,
            self.skip_unset,
        )
        with ExitStack() as stack:
            if not _REPLACING.isdisjoint(reasons):
                stack.enter_context(patch.object(_Mended, "reasons", reasons))
                stack.enter_context(patch.object(lexer, "_ShellWord", _Mended))
            word = _answer(lambda: port.process_word(text), text)
            several = _answer(lambda: port.process_words(text), text)
        if "empty word" in reasons and several[0] == "value":
            several = "value", list(filter(None, several[1]))
        if "trailing escape" in reasons:
            word, several = _shown(word), _shown(several)
        return word, several

    def reasons(self) -> list[str]:
        """The reasons that could apply here."""
        return [name for name, applies in _WORD_REASONS.items() if applies(self)]


_UNDECODED = re.compile("[\udc80-\udcff]")
_REPLACING = {"empty match", "template", "left as written"}
_WORD_REASONS: dict[str, Callable[[Word], bool]] = {
    "byte order mark": lambda it: it.text.startswith(BOM),
    "not UTF-8": lambda it: _UNDECODED.search(it.text) is not None,
    "empty word": lambda it: "'" in it.text or '"' in it.text,
    "empty match": lambda it: "//" in it.text,
    "template": lambda it: "//" in it.text,
    "left as written": lambda it: it.skip_unset and "//" in it.text,
    "trailing escape": lambda it: "\\" in it.text or "\\" in "".join(it.environment.values()),
    "depth": lambda it: it.text.count("${") >= words.MAX_DEPTH,
}


def _answer(ask: Callable[[], object], text: str | None = None) -> tuple[str, Any]:
    """What ``ask`` returns, or the message that it raises; the port puts ``text`` before it."""
    try:
        return "value", ask()
    except WordError as error:
        return "error", str(error)
    except ValueError as error:
        return "error", str(error).removeprefix(f"failed to process {text!r}: ")


def _shown(answer: tuple[str, Any]) -> tuple[str, Any]:
    kind, value = answer
    missing = kind == "error" and value.endswith("invalid escape '\\'")
    return (kind, value[:-1] + "\ufffd'") if missing else answer


_compiled = lexer._shell_pattern_to_regex


class _Mended(lexer._ShellWord):
    """The port's lexer, its ``${v/p/r}`` as Go's package regexp does it where ``reasons`` say."""

    reasons: Collection[str] = ()

    def _process_dollar_replace(self, name: str) -> str:
        every = self._scanner.peek() == "/"
        if self._skip_unset_env and name not in self._env:
            kept = super()._process_dollar_replace(name)
            mended = every and "left as written" in self.reasons
            return kept.replace("//", "/", 1) if mended else kept
        with patch.object(lexer, "_shell_pattern_to_regex", self._regex):
            return super()._process_dollar_replace(name)

    def _regex(self, pattern: str, greedy: bool, anchored: bool) -> Any:
        found = _compiled(pattern, greedy, anchored)
        return found if anchored else _GoRegex(found, self.reasons)


class _GoRegex(NamedTuple):
    compiled: re.Pattern[str]
    reasons: Collection[str]

    def sub(self, replacement: Callable[[None], str], value: str, count: int) -> str:
        put = replacement(None)
        out, copied, last = "", 0, -1
        for match in self.compiled.finditer(value):
            if "empty match" in self.reasons and match.start() == match.end() == last:
                continue
            expanded = put if count or "template" not in self.reasons else _go_expand(put, match[0])
            out += value[copied : match.start()] + expanded
            copied = last = match.end()
            if count:
                break
        return out + value[copied:]


def _go_expand(template: str, match: str) -> str:
    """Go's ``Regexp.Expand`` for an expression without groups."""
    before, dollar, rest = template.partition("$")
    if not dollar:
        return template
    if rest.startswith("$"):
        return before + "$" + _go_expand(rest[1:], match)
    braced = rest.startswith("{")
    name = ""
    for char in rest[braced:]:
        if not (char.isalpha() or char.isdecimal() or char == "_"):
            break
        name += char
    after = rest[braced + len(name) :]
    if not name or (braced and not after.startswith("}")):
        return before + "$" + _go_expand(rest, match)
    return before + (match if name == "0" else "") + _go_expand(after[braced:], match)


class Ignored(NamedTuple):
    file: str
    path: str

    def ours(self, _reasons: Collection[str] = ()) -> Answer:
        ignore = IgnoreFile.parse(self.file, ".dockerignore")
        if ignore.problems:
            return "refused", ignore.problems[0][0]
        return "ignored", ignore.ignores(self.path)

    def lines(self) -> list[str]:
        """For the port, which reads no files, the lines as Go's ``bufio.ScanLines`` ends them."""
        return [line.removesuffix("\r") for line in self.file.removeprefix(BOM).split("\n")]

    def theirs(self, reasons: Collection[str] = ()) -> Answer:
        lines, path = self.lines(), self.path
        if "separator characters" in reasons:
            lines, path = [line.translate(_OTHERS) for line in lines], path.translate(_OTHERS)
        if "escape in a class" in reasons:
            lines = [_CLASS.sub(_without_escapes, line) for line in lines]
        if "cleaned twice" in reasons:
            lines = [_for_the_port(line) if _again(line) else line for line in lines]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return "ignored", PatternMatcher(lines).matches(path)
            except ValueError as error:
                return "refused", next(
                    number
                    for number, line in enumerate(lines, 1)
                    if str(error).startswith(f"Invalid ignore pattern '{line}': ")
                )

    def reasons(self) -> list[str]:
        return [name for name, applies in _PATTERN_REASONS.items() if applies(self)]


_SEPARATORS = re.compile("[\x1c-\x1f]")
_OTHERS = {code: 0xE000 + code for code in range(0x1C, 0x20)}
# An escaped character outside a class, or a class: neither begins in the other.
_CLASS = re.compile(r"\\.|\[\^?(?:\\.|[^\]\\])+\]")
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_PATTERN_REASONS: dict[str, Callable[[Ignored], bool]] = {
    "escape in a class": lambda it: any("\\" in m[0][1:] for m in _CLASS.finditer(it.file)),
    "separator characters": lambda it: _SEPARATORS.search(it.file) is not None,
    "cleaned twice": lambda it: any(map(_again, it.lines())),
}


def _cleaned(path: str) -> str:
    return posixpath.normpath(re.sub("/+", "/", path)) if path else ""


def _once(line: str) -> tuple[str, str]:
    """The mark of an exception, and the path: trimmed, cleaned, and relative to the root."""
    line = line.strip(_SPACE)
    mark = "!" if line.startswith("!") else ""
    path = _cleaned(line[len(mark) :].strip(_SPACE))
    return mark, path[1:] if len(path) > 1 and path[0] == "/" else path


def _twice(line: str) -> tuple[str, str]:
    text = _cleaned("".join(_once(line)).strip(_SPACE))
    return ("!", text[1:]) if text.startswith("!") else ("", text)


def _again(line: str) -> bool:
    """Whether it matters that a line is cleaned twice."""
    return not line.startswith("#") and _once(line) != _twice(line)


def _for_the_port(line: str) -> str:
    """A line that the port reads once as BuildKit reads ``line`` twice."""
    mark, path = _twice(line)
    if path in ("", "/"):
        return mark + path
    # What is between these is not trimmed; an escaped slash is no root.
    return f"{mark}\\{path}/" if path[0] == "/" else f"{mark}./{path}/"


def _without_escapes(found: re.Match[str]) -> str:
    if found[0].startswith("\\"):
        return found[0]
    return re.sub(r"\\([0-9A-Za-z])", r"\1", found[0])


def difference(case: Word | Ignored) -> str | None:
    """Why the two sides differ on ``case``: ``"unlisted"`` where no reason accounts for it."""
    if case.ours() == case.theirs():
        return None
    possible = case.reasons()
    for size in range(1, len(possible) + 1):
        for some in combinations(possible, size):
            if case.ours(some) == case.theirs(some):
                return " + ".join(some)
    return "unlisted"


def cases(kind: str, seed: int, count: int) -> Iterator[Word | Ignored]:
    """``count`` inputs."""
    random = Random(seed)
    if kind == "words":
        return (Word(*word(random)) for _ in range(count))
    return (Ignored(*pair) for pair in islice(ignored(random), count))


def _run(kind: str, seed: int, count: int) -> tuple[Counter[str], list[Word | Ignored]]:
    counts: Counter[str] = Counter()
    unlisted: list[Word | Ignored] = []
    for case in cases(kind, seed, count):
        what = difference(case) or "equal"
        counts[what] += 1
        counts[f"({case.ours()[0]})" if kind == "patterns" else f"({case.ours()[0][0]})"] += 1
        if what == "unlisted":
            unlisted.append(case)
    return counts, unlisted


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("kind", choices=("words", "patterns"))
    options.add_argument("--count", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--show", type=int, default=20, help="unlisted differences to print")
    given = options.parse_args()
    start = time.monotonic()
    total: Counter[str] = Counter()
    shown = 0
    with ProcessPoolExecutor(given.jobs) as pool:
        chunks = [
            pool.submit(
                _run, given.kind, given.seed * 1_000_003 + first, min(CHUNK, given.count - first)
            )
            for first in range(0, given.count, CHUNK)
        ]
        for chunk in as_completed(chunks):
            counts, unlisted = chunk.result()
            total += counts
            for case in sorted(unlisted, key=lambda case: len(case[0])):
                if shown < given.show:
                    print(
                        f"{case}\n    ours   {case.ours()}\n    theirs {case.theirs()}", flush=True
                    )
                    shown += 1
    print(f"{given.count} inputs in {time.monotonic() - start:.0f} s")
    for what in sorted(total, key=lambda what: -total[what]):
        print(f"{total[what]:>10} {what}")
    print(f"{total['unlisted']:>10} not listed")
    return 1 if total["unlisted"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
