"""What builders write of an instruction into an image's history, and whether that fits one.

BuildKit writes a step as it was executed, the classic builder and buildah with a digest in place
of the files that COPY took; buildah leaves variables as they are written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from dockstrata.meaning.paths import ROOT_DIRECTORY
from dockstrata.meaning.state import State
from dockstrata.meaning.step import Step
from dockstrata.plan.layers import Image
from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.readable import as_built, readable
from dockstrata.syntax.words import is_symbol, is_symbolic

_STEPS = ("RUN", "COPY", "ADD", "WORKDIR")
_OTHERS = re.compile(
    r"^(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL"
    r"|USER|VOLUME) "
)
_NOTHING = re.compile(r"^\S.*?#\(nop\)\s+")
"""How the classic builder and buildah begin what runs no command."""
_HASHED = re.compile(r"^(?:--\S+?\s*)?(?:file|dir|multi):[0-9a-f]* in (.*)$")
_FLAGS = re.compile(r"^(?:--\S+ )+")
"""BuildKit leaves --chown and --chmod of a COPY."""
_VARIABLE = re.compile(r"\$(?:\{[^}]*\}|\w+)")
_SIGNS = re.compile(r"""map\[|:\{\}|["'\\\[\],]""")
"""What builders put around words, each in its own way."""
_PAIR = re.compile(r"(\w+)=(.*?)(?= \w+=|$)")


@dataclass(frozen=True, slots=True)
class Made:
    """A step's entry; ``text`` with its blanks made one, ``env`` what ENV entries above it set.
    ``size`` is ``None`` where one layer has the files of several."""

    kind: str
    text: str
    size: float | None
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class History:
    """An image's history: its steps, and the entries of other instructions ``between`` them,
    those before the first one to begin with."""

    made: tuple[Made, ...]
    between: tuple[tuple[str, ...], ...]
    image: Image


def read_history(image: Image) -> History:
    made: list[Made] = []
    between: list[list[str]] = [[]]
    env: dict[str, str] = {}
    pending = 0  # steps since the last layer
    hidden = False  # whether one of them must have left files
    for layer in image.layers:
        text = " ".join(layer.created_by.strip().removesuffix("# buildkit").split())
        text = _NOTHING.sub("", text, count=1)
        keyword, _, rest = text.partition(" ")
        other = keyword not in _STEPS and _OTHERS.match(text) is not None
        if other:
            between[-1].append(text)
            if keyword == "ENV":
                env = {**env, **dict(_PAIR.findall(_plain(rest)))}
        elif text:
            kind, rest = (keyword, rest) if keyword in _STEPS else ("RUN", text)
            made.append(Made(kind, rest, layer.size, env))
            between.append([])
            pending += 1
            hidden |= layer.empty and kind in ("COPY", "ADD")
        if layer.size:
            # buildah without --layers leaves one layer, which its last instruction has.
            if other or hidden:
                shared = slice(len(made) - pending, None)
                made[shared] = [replace(step, size=None) for step in made[shared]]
            pending, hidden = 0, False
    return History(tuple(made), tuple(map(tuple, between)), image)


class Fit(NamedTuple):
    """How an entry fits a step: ``exact`` by all of its text, else by what it does not hide;
    ``against``: how many build arguments had another value than they have by default."""

    exact: bool
    against: int = 0


class Pattern:
    """What builders may have written of a step."""

    def __init__(self, step: Step) -> None:
        self.step = step

    def fit(self, made: Made) -> Fit | None:
        """How the entry fits, ``None`` where it does not."""
        if made.kind != self.step.kind:
            return None
        if made.kind == "WORKDIR":
            return self._folder(made.text)
        if made.kind == "RUN":
            return self._command(made.text)
        if (hashed := _HASHED.match(made.text)) is not None:
            return Fit(False) if self.target.match(hashed[1].strip()) else None
        return Fit(True) if self.words.match(_FLAGS.sub("", made.text)) else None

    def says_all(self, made: Made) -> bool:
        """Whether a RUN's text alone tells that it did the same: nothing that decides its result
        is hidden, and the variables that it names had the values that they have here."""
        _command, script, _user, _folder, mounts, _flags = self.step.body
        if script or mounts or self.step.barrier is not None or self.fit(made) is None:
            return False
        return all(
            is_symbolic(value) or _plain(made.env.get(name, value)) == _plain(value)
            for name, value in self.named
        )

    @cached_property
    def look(self) -> str:
        """Equal for steps that do the same, whatever lies below them: a COPY of equal files to one
        place, a RUN of one text with equal values of the variables that it names."""
        step = self.step
        if step.barrier is not None or step.stages or "('stage',)" in repr(step.body):
            return step.meaning
        return repr((step.kind, step.body, self.named if step.kind == "RUN" else ()))

    @cached_property
    def named(self) -> list[tuple[str, str]]:
        """The variables of its environment that the text of a RUN names, with their values."""
        words = set(re.findall(r"\w+", repr(self.step.body[:2])))
        return [(name, value) for name, value in self.step.env or () if name in words]

    def _folder(self, text: str) -> Fit | None:
        path = str(self.step.body[0])
        if text == _plain(self.step.instruction.rest):
            return Fit(True)
        if not is_symbolic(path):
            return Fit(True) if posixpath.normpath(text) == path else None
        known = readable(path.replace(ROOT_DIRECTORY, "${…}"))
        return Fit(False) if _fitting(known).match(posixpath.normpath(text)) else None

    def _command(self, text: str) -> Fit | None:
        for shell, command in self.commands:
            if text == command:
                return Fit(True)
            if text.startswith("|") and text.endswith(f" {command}"):
                values = text.removesuffix(command)
                if shell and f" {shell} " in values:  # the end of a longer command
                    continue
                return self._values(values)
        return None

    def _values(self, text: str) -> Fit | None:
        """Build arguments as they stand before a command: ``|2 A=1 B=2``.

        One that compose, bake or configuration give another value makes another step of a command
        that names it.
        """
        against = 0
        for name, value, certain in self.arguments:
            if f" {name}=" in text and f" {name}={value} " not in text:
                if certain:
                    return None
                against += 1
        return Fit(True, against)

    @cached_property
    def arguments(self) -> list[tuple[str, str, bool]]:
        """Build arguments with the values that the build has for them, as far as they are known,
        and whether those are given and the command names them."""
        named = {name for name, _ in self.named}
        return [
            (name, " ".join(built.split()), name in named and is_symbol(value, "given", name))
            for name, value in self.step.env or ()
            if is_symbolic(value) and not is_symbolic(built := as_built(value))
        ]

    @cached_property
    def commands(self) -> list[tuple[str, str]]:
        """A RUN's shell and whole command: as BuildKit and the classic builder write it; as
        buildah does, which knows no other shell in OCI images and leaves the exec form as it was
        written."""
        arguments = self.step.body[0]
        words = arguments if isinstance(arguments, tuple) else ()
        shell = () if self.step.instruction.json else words[:-1]
        texts = (
            (" ".join(shell), " ".join(words)),
            ("/bin/sh -c", f"/bin/sh -c {self.step.instruction.rest}"),
        )
        return [(shell, " ".join(text.split())) for shell, text in texts]

    @cached_property
    def words(self) -> re.Pattern[str]:
        """Sources and target of a COPY, where variables may be anything."""
        return _fitting(" ".join(self.step.instruction.arguments))

    @cached_property
    def target(self) -> re.Pattern[str]:
        arguments = self.step.instruction.arguments
        return _fitting(arguments[-1] if arguments else "")


class Saying:
    """What builders may have written of an instruction that is no step; ``after`` is the state
    that it leaves."""

    def __init__(self, node: Instruction, after: State) -> None:
        self.keyword = node.keyword
        self.parts = [re.compile(rf"(?<!\S){part}(?!\S)") for part in _parts(node, after)]

    def fits(self, text: str) -> bool:
        keyword, _, rest = text.partition(" ")
        plain = _plain(rest)
        return keyword == self.keyword and all(part.search(plain) for part in self.parts)


def _parts(node: Instruction, after: State) -> Iterator[str]:
    """Regular expressions for what must be found in the text."""
    if node.keyword in ("ENV", "LABEL"):
        yield from (_open(f"{name}={value}") for name, value in node.pairs())
    elif node.keyword == "EXPOSE":
        yield from (f"{_open(port)}(?:/\\w+)?" for port in node.arguments)
    elif node.keyword == "VOLUME":
        yield from map(_open, node.arguments)
    elif node.keyword == "ARG":
        for word in node.arguments:
            name = word.partition("=")[0]
            value = as_built(after.env.get(name, ""))
            yield f"{_open(name)}(?:={'.*' if is_symbolic(value) else _open(value)})?"
    elif node.keyword == "HEALTHCHECK":
        yield _open(node.rest.partition(" ")[2])
    else:
        yield _open(node.rest)


def _plain(text: str) -> str:
    return " ".join(_SIGNS.sub(" ", text).split())


def _open(text: str) -> str:
    """A regular expression for a text in which variables may be anything."""
    return ".*".join(re.escape(_plain(part)) for part in _VARIABLE.split(text))


def _fitting(text: str) -> re.Pattern[str]:
    text = " ".join(text.replace('"', "").replace("'", "").split())
    return re.compile(".*".join(map(re.escape, _VARIABLE.split(text))) + "$")


def tell_same(entries: Sequence[str], sayings: Sequence[Saying]) -> tuple[int, int, int]:
    """How many entries fit instructions, how many instructions have none, and how many entries."""
    left = list(entries)
    found = 0
    for saying in sayings:
        fitting = next((text for text in left if saying.fits(text)), None)
        if fitting is not None:
            left.remove(fitting)
            found += 1
    return found, len(sayings) - found, len(left)
