"""Why our findings and a peer's differ where they do, each kind with a test of its own.

A kind is a rule, the side that reports alone, a sentence, and a predicate of the place. What none
explains is a defect, of ours until shown otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from dockstrata.meaning.evaluate import Evaluated, Evaluation, Stage, evaluate
from dockstrata.source import Source
from dockstrata.syntax.nodes import KEYWORDS, Document, Instruction
from dockstrata.syntax.parse import parse
from dockstrata.syntax.words import WordError, expand, unset

OURS, THEIRS = "ours", "theirs"


class File:
    """A file as the predicates see it."""

    def __init__(self, path: str, unreadable: frozenset[int] = frozenset()) -> None:
        with open(path, "rb") as file:
            self.source = Source.from_bytes(path, file.read())
        self.unreadable = unreadable
        """Lines of the RUNs whose script ShellCheck cannot read to its end."""

    @cached_property
    def document(self) -> Document:
        return parse(self.source)

    @cached_property
    def evaluation(self) -> Evaluation:
        return evaluate(self.document)

    def at(self, line: int) -> Place | None:
        for node in self.document.instructions:
            if node.start_line <= line <= node.end_line:
                return Place(self, node, line)
        return None


@dataclass(frozen=True)
class Place:
    """The instruction at which one side reports something."""

    file: File
    node: Instruction
    line: int

    @cached_property
    def inner(self) -> Instruction:
        return self.node.trigger or self.node

    @cached_property
    def found(self) -> tuple[Stage, Evaluated] | None:
        for stage in self.file.evaluation.stages:
            for item in stage.evaluated:
                if item.instruction is self.node:
                    return stage, item
        return None


@dataclass(frozen=True)
class Kind:
    rules: tuple[str, ...]
    side: str | None
    why: str
    holds: Callable[[Place], bool]


def reason(kinds: Iterable[Kind], file: File, rule: str, line: int, side: str) -> str | None:
    """The sentence that explains the difference, ``None`` where there is none."""
    place = file.at(line)
    if place is None:
        return None
    for kind in kinds:
        meant = kind.side in (side, None) and (not kind.rules or rule.startswith(kind.rules))
        if meant and kind.holds(place):
            return kind.why
    return None


def _trigger(place: Place) -> bool:
    return place.node.trigger is not None


def _stops(place: Place) -> bool:
    """Whether a word at or above the place, or a base image's name, breaks the build."""
    if any(stage.problem for stage in place.file.evaluation.stages):
        return True
    return any(
        _breaks(word, node.escape)
        for node in place.file.document.instructions
        if node.start_line <= place.line
        for word in (*node.arguments, *node.flags, *(text.content for text in node.heredocs))
    )


def _breaks(word: str, escape: str) -> bool:
    try:
        expand(word, unset, escape)
    except WordError:
        return True
    return False


def _globals_vote(place: Place) -> bool:
    """Whether ARG above the first FROM is reported or changes the majority."""
    nodes = [node for node in place.file.document.instructions if node.keyword in KEYWORDS]
    count = len(place.file.evaluation.globals)

    def lower(nodes: list[Instruction]) -> bool:
        votes = [
            node.written for node in nodes if node.written in (node.keyword, node.keyword.lower())
        ]
        return sum(word.islower() for word in votes) * 2 > len(votes)

    return place.node in nodes[:count] or lower(nodes) != lower(nodes[count:])


def _variable_or_quote(place: Place) -> bool:
    return re.search(r"[$\"'\\]", place.inner.rest) is not None


def _windows_path(place: Place) -> bool:
    return re.match(r"\"?(?:[A-Za-z]:|\\)", place.inner.rest) is not None


def _earlier_workdir(place: Place) -> bool:
    """Whether a WORKDIR whose value needs expanding stands above it in its chain."""
    return any(
        node.keyword == "WORKDIR"
        and node.start_line < place.line
        and re.search(r"[$\"':\\]", node.rest)
        for node in place.file.document.instructions
    )


def _shell_set(place: Place) -> bool:
    return place.found is not None and place.found[1].before.shell_set


def _path_alone(place: Place) -> bool:
    return place.found is not None and place.found[1].uses <= {
        "PATH",
        *place.found[1].before.env,
    }


def _fired(place: Place) -> bool:
    """Whether the stage runs triggers of the one below."""
    return place.found is not None and any(
        item.instruction.span < place.found[0].node.span for item in place.found[0].evaluated
    )


def _line_between(place: Place) -> bool:
    comments = {comment.line for comment in place.file.document.comments}
    return place.node.start_line - 1 not in comments


def _indented(place: Place) -> bool:
    above = [c for c in place.file.document.comments if c.line == place.node.start_line - 1]
    return bool(above) and place.file.source.text[above[0].start - 1 : above[0].start] not in (
        "",
        "\n",
    )


BUILDKIT: tuple[Kind, ...] = (
    Kind((), OURS, "behind ONBUILD: it runs in the child, BuildKit does not look at it", _trigger),
    Kind(
        ("ConsistentInstructionCasing",),
        None,
        "ARG above the first FROM belongs to no stage and has no vote in BuildKit; it has in tally",
        _globals_vote,
    ),
    Kind(
        ("SecretsUsedInArgOrEnv",),
        THEIRS,
        "BuildKit looks at stages: an ARG above the first FROM is in no image",
        lambda place: place.found is None and place.inner.keyword == "ARG",
    ),
    Kind(
        ("ExposeInvalidFormat", "ExposeProtoCasing"),
        None,
        "BuildKit looks at the value of a variable in EXPOSE, tally at its name",
        _variable_or_quote,
    ),
    Kind(
        ("WorkdirRelativePath",),
        None,
        "BuildKit looks at the value of a variable or quoted word in WORKDIR, tally at the text",
        lambda place: _variable_or_quote(place) or _earlier_workdir(place),
    ),
    Kind(
        ("WorkdirRelativePath",),
        THEIRS,
        "an absolute path of Windows, which BuildKit for Linux does not know",
        _windows_path,
    ),
    Kind(
        ("JSONArgsRecommended",),
        THEIRS,
        "SHELL is set: BuildKit takes that as meant, tally does not look",
        _shell_set,
    ),
    Kind(
        ("UndefinedVar",),
        THEIRS,
        "BuildKit always sets PATH",
        _path_alone,
    ),
    Kind(
        ("UndefinedVar",),
        THEIRS,
        "a trigger of the stage below sets it: BuildKit runs it, tally does not",
        _fired,
    ),
    Kind(
        ("InvalidDefinitionDescription",),
        THEIRS,
        "an empty line or an instruction separates: BuildKit's own message says so",
        _line_between,
    ),
    Kind(
        ("InvalidDefinitionDescription",),
        None,
        "BuildKit takes the # of an indented comment for its first word",
        _indented,
    ),
    Kind(
        ("UndefinedVar",),
        OURS,
        "BuildKit looks at variables in the names of ARG, tally does not",
        lambda place: place.inner.keyword == "ARG",
    ),
    Kind(
        (),
        None,
        "BuildKit stops at what cannot be built (${A:?no}, FROM $EMPTY), tally goes on",
        _stops,
    ),
)
