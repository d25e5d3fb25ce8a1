"""What a RUN is: its arguments, mounts, network and security."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockstrata.meaning.context import Taken as Files
from dockstrata.meaning.stage import Stage, canonical_image
from dockstrata.meaning.state import State
from dockstrata.meaning.step import Barrier
from dockstrata.syntax.heredoc import parse_opener
from dockstrata.syntax.nodes import Instruction

if TYPE_CHECKING:
    from dockstrata.meaning.evaluate import Evaluator

_DEFAULT_FLAGS = frozenset({"--network=default", "--security=sandbox"})


@dataclass(slots=True)
class Taken:
    """Where a step takes files from, gathered while its body is built."""

    contexts: list[str] = field(default_factory=list)
    stages: list[int] = field(default_factory=list)
    images: list[Stage] = field(default_factory=list)
    barrier: Barrier | None = None

    def add(self, files: Files) -> None:
        """Files of a build context."""
        self.contexts.append(files.directory)
        self.barrier = self.barrier or files.barrier


def argv(node: Instruction, shell: tuple[str, ...]) -> tuple[str, ...]:
    """The command of RUN, CMD, ENTRYPOINT: exec form as it is, shell form behind the shell."""
    if node.json:
        return node.arguments
    if not node.arguments:
        return ()
    return (*shell, node.arguments[0])


def body(
    node: Instruction,
    state: State,
    expand: Callable[[str], str],
    evaluator: Evaluator,
    stage: Stage,
    taken: Taken,
) -> tuple[object, ...]:
    command, file = _command(node, state)
    flags = [flag for flag in node.flags if flag not in _DEFAULT_FLAGS]
    mounts = tuple(
        _mount(expand(flag[len("--mount=") :]), evaluator, stage, taken)
        for flag in flags
        if flag.startswith("--mount=")
    )
    others = tuple(flag for flag in flags if not flag.startswith("--mount="))
    return (command, file, state.user or "", state.workdir, mounts, others)


def _command(node: Instruction, state: State) -> tuple[tuple[str, ...], tuple[str, str] | None]:
    """The argument vector, and the script that a heredoc with a shebang puts beside it."""
    if node.json or not node.heredocs or not node.arguments:
        return argv(node, state.shell), None
    text, first = node.arguments[0], node.heredocs[0]
    if parse_opener(text) is None:
        for heredoc in node.heredocs:
            text += f"\n{heredoc.content}{heredoc.name}"
        return (*state.shell, text), None
    if first.body.startswith("#!"):
        return (*state.shell, f"/dev/pipes/{first.name}"), (first.name, first.body)
    return (*state.shell, first.body), None


def origin(
    name: str, evaluator: Evaluator, stage: Stage, taken: Taken, *, numbers: bool
) -> tuple[tuple[str, ...], str | None]:
    """What ``--from=name`` or ``from=name`` is: a stage or an image of the set, told apart by
    their chains elsewhere, an image from outside, or a named context and the folder that it is."""
    if name.lower() == stage.name or (numbers and name == str(stage.index)):
        stage.problem = stage.problem or f"--from={name} is the stage itself"
    index = evaluator.source_stage(stage, name, numbers)
    if index is not None:
        taken.stages.append(index)
        return ("stage",), None
    found = evaluator.outside(name)
    taken.barrier = taken.barrier or found.barrier
    if found.stage is not None:
        taken.images.append(found.stage)
        return ("stage",), None
    if found.directory is not None:
        return ("context",), found.directory
    return ("image", canonical_image(found.image)), None


def _mount(
    value: str, evaluator: Evaluator, stage: Stage, taken: Taken
) -> tuple[tuple[str, object], ...]:
    """A mount's options, sorted, each ``from`` and each file of the context by what it holds."""
    options: dict[str, object] = {}
    for part in value.split(","):
        name, _, given = part.partition("=")
        name = {"src": "source", "dst": "target", "destination": "target"}.get(name, name)
        options[name.lower()] = given
    kind = options.setdefault("type", "bind")
    source, named = options.get("from"), None
    if isinstance(source, str):
        options["from"], named = origin(source, evaluator, stage, taken, numbers=False)
    if named is not None or (source is None and kind == "bind"):
        found = evaluator.context(str(options.get("source", ".")), (), named=named)
        options["content"] = found.key
        taken.add(found)
    return tuple(sorted(options.items(), key=lambda item: item[0]))
