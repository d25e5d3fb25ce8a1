"""The scripts of a Dockerfile as ShellCheck gets them, and its comments' way back into the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dockstrata.finding import Severity
from dockstrata.meaning.evaluate import Evaluation
from dockstrata.meaning.state import State
from dockstrata.source import Span
from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.shell_text import ShellText, command_names, text_of

# Alpine's ash is busybox's, and so is any other that an image has as /bin/ash.
_DIALECTS = {
    "sh": "/bin/sh",
    "bash": "/bin/bash",
    "dash": "/bin/dash",
    "ksh": "/bin/ksh",
    "ash": "/bin/busybox sh",
    "busybox": "/bin/busybox sh",
}
# They have no dialect there: zsh is unknown to ShellCheck, the others are no shells.
_UNKNOWN = re.compile(r"zsh|fish|csh|tcsh|nu|python[\d.]*|node|perl|ruby|php|lua|Rscript")
# What a builder sets in every RUN: https://docs.docker.com/build/building/variables/
_PROXIES = tuple(
    name
    for word in ("HTTP", "HTTPS", "FTP", "NO", "ALL")
    for name in (f"{word}_PROXY", f"{word.lower()}_proxy")
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = re.compile(r"\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*)|\b([A-Za-z_][A-Za-z0-9_]*)\b")
_HEADER_LINES = 2

Place = tuple[int, int, int, int]


# "Quote repeated spaces": what continuing a line leaves is indentation.
_REPEATED_SPACES = 2291


@dataclass(frozen=True, slots=True)
class Replacement:
    """A change that ShellCheck proposes: of ``span`` in the file, by ``text``."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Comment:
    """One remark of ShellCheck's at its place in the script.

    A place is line, column, end line, end column, from 1, the end column exclusive. ``changes``
    are places and the text that belongs there.
    """

    code: int
    severity: Severity
    message: str
    place: Place
    changes: tuple[tuple[Place, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark of ShellCheck's at its place in the Dockerfile: what rules see."""

    code: str
    severity: Severity
    message: str
    span: Span
    changes: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """What ShellCheck is given for a RUN: two lines of ours, then the script."""

    text: str
    place: ShellText

    def remarks(self, comments: Iterable[Comment]) -> Iterator[Remark]:
        starts = [0]
        for line in self.place.text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)

        def offset(line: int, column: int) -> int:
            line = min(max(line - _HEADER_LINES, 1), len(starts) - 1)
            return min(starts[line - 1] + column - 1, len(self.place.text))

        def span(place: Place) -> Span:
            line, column, end_line, end_column = place
            return self.place.span(offset(line, column), offset(end_line, end_column))

        for comment in comments:
            if comment.code == _REPEATED_SPACES and not self._spaced(span(comment.place)):
                continue
            # About our own lines, the shebang say: the whole instruction is meant.
            inside = comment.place[0] > _HEADER_LINES
            yield Remark(
                f"SC{comment.code}",
                comment.severity,
                comment.message,
                span(comment.place) if inside else self.place.instruction.head_span,
                tuple(Replacement(span(place), text) for place, text in comment.changes),
            )

    def _spaced(self, span: Span) -> bool:
        """Whether blanks are repeated within a line of the file, and not by joining lines."""
        text = self.place.instruction.source.text[span.start : span.end]
        return any("    " in line.strip() for line in text.split("\n"))


def scripts_of(evaluation: Evaluation) -> list[Script]:
    """The scripts of a file's RUNs in shell form, ONBUILD's too, in their order."""
    found: list[Script] = []
    for stage in evaluation.stages:
        # What the triggers so far will have set in the child's build.
        triggered: dict[str, str] = {}
        for item in stage.evaluated:
            trigger = item.instruction.trigger
            node = trigger or item.instruction
            if trigger is not None:
                triggered.update(_set_by(trigger))
            # A parent's triggers run here too, but stand above, or in another file.
            if (
                node.keyword != "RUN"
                or node.json
                or node.source is not evaluation.document.source
                or node.span < stage.node.span
            ):
                continue
            place = text_of(node, item.before.shell)
            if place is None or not place.text.strip():
                continue
            shell = place.shebang or item.before.shell
            shebang = shebang_of(shell)
            if shebang is not None:
                known = item.before.env
                if trigger is not None:
                    known = _in_child(item.before, triggered)
                # busybox's name has a word of its own, and a shebang has place for one alone.
                stop = "set -e; " if _stops(shell) else ""
                header = f"#!{shebang}\n{stop}{_exports(place.text, known)}\n"
                found.append(Script(header + place.text, place))
    return found


def shebang_of(shell: Sequence[str]) -> str | None:
    """The ``#!`` line that makes ShellCheck read a script as ``shell`` does, ``None`` for none.

    ``("/usr/bin/env", "bash", "-c")`` → ``/bin/bash``.
    """
    names = command_names(shell)
    if any(_UNKNOWN.fullmatch(name) for name in names):
        return None
    return next((_DIALECTS[name] for name in names if name in _DIALECTS), _DIALECTS["sh"])


def _stops(shell: Sequence[str]) -> bool:
    """Whether a script ends where a command fails."""
    return any(re.fullmatch(r"-[A-Za-z]*e[A-Za-z]*", word) for word in shell[1:])


def _set_by(node: Instruction) -> Iterator[tuple[str, str]]:
    """The variables that ARG or ENV sets, with their values where it has any."""
    if node.keyword == "ENV":
        yield from node.pairs()
    elif node.keyword == "ARG":
        for word in node.arguments:
            name, _, value = word.partition("=")
            yield name, value


def _in_child(before: State, triggered: Mapping[str, str]) -> Mapping[str, str]:
    """What a trigger sees: ENV is inherited, ARG is not."""
    inherited = {name: text for name, text in before.env.items() if name not in before.arguments}
    return {**inherited, **triggered}


def _exports(text: str, env: Mapping[str, str]) -> str:
    """An ``export`` of the variables that are set from outside and occur in the script.

    Their values are not told: the image's user may set others.
    """
    names = [name for name in (*env, *_PROXIES) if name in text and _NAME.fullmatch(name)]
    found = [match.groups() for match in _VARIABLE.finditer(text)]
    used = {name for pair in found for name in pair if name}
    if any(name and name not in env for name, _ in found):
        # One that nobody sets: it may be misspelt, and then the names that it is not tell.
        names += [name for name in env if _NAME.fullmatch(name) and name.isupper()]
        used.update(env)
    known = sorted(used.intersection(names))
    return "export " + " ".join(f"{name}=1" for name in known) if known else ""
