"""Which instructions a base takes with a prefix of steps, and which of them a child keeps.

A base must have everything that decides its steps, and nothing that does not: what only later
steps need, and all that only ends up in the configuration, stays in the child.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockstrata.meaning.evaluate import Evaluated, Stage
from dockstrata.meaning.state import State
from dockstrata.syntax.nodes import Instruction


@dataclass(frozen=True, slots=True)
class Lift:
    """A prefix of a stage: indices into ``stage.evaluated`` of what its base takes, in order.

    ``cut`` is the index of the prefix's last step.
    """

    stage: Stage
    taken: tuple[int, ...]
    cut: int

    def instructions(self) -> list[Instruction]:
        return [self.stage.evaluated[index].instruction for index in self.taken]

    def signature(self) -> tuple[object, ...]:
        """What the base leaves to a child; two members of one base must agree."""
        state = self.after()
        env: dict[str, str] = {}
        user = None
        for index in self.taken:
            item = self.stage.evaluated[index]
            following = self._state_after(index)
            if item.instruction.keyword == "ENV":
                for name in _names(item.instruction):
                    env[name] = following.env.get(name, "")
            elif item.instruction.keyword == "USER":
                user = following.user
        # WORKDIR / on scratch moves nothing, but the configuration knows of it.
        workdirs = any(
            self.stage.evaluated[index].instruction.keyword == "WORKDIR" for index in self.taken
        )
        return (tuple(env.items()), user, state.workdir, workdirs)

    def after(self) -> State:
        """The state behind the prefix's last step."""
        return self._state_after(self.cut)

    def _state_after(self, index: int) -> State:
        items = self.stage.evaluated
        return items[index + 1].before if index + 1 < len(items) else self.stage.end


def lift(stage: Stage, steps: int) -> Lift:
    """What a base with the stage's first ``steps`` steps takes; ``steps`` is at least 1."""
    items = stage.evaluated
    cut = [index for index, item in enumerate(items) if item.step is not None][steps - 1]
    needs = _Needs()
    taken = [index for index in range(cut, -1, -1) if needs.take(items[index])]
    return Lift(stage, tuple(reversed(taken)), cut)


class _Needs:
    """Walks a prefix backwards, remembering what the steps behind it depend on."""

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.environment = False
        self.earlier_env = False
        self.user = False
        self.earlier_user = False
        self.shell = False

    def take(self, item: Evaluated) -> bool:
        node = item.instruction
        if item.step is not None or node.keyword == "WORKDIR":
            self.variables |= item.uses
            if node.keyword == "RUN":
                self.environment = self.user = True
                self.shell = self.shell or not node.json
            elif node.keyword == "WORKDIR":
                self.user = True
            return True
        if node.keyword == "ENV":
            # The configuration keeps ENV in order, so one that is taken takes those before it.
            wanted = self.environment or self.earlier_env or self._defines(node)
            self.earlier_env = self.earlier_env or wanted
        elif node.keyword == "ARG":
            wanted = self.environment or self._defines(node)
        elif node.keyword == "USER":
            # A USER left behind would come after this one, and win.
            wanted = self.user or self.earlier_user
            self.earlier_user = self.earlier_user or wanted
            self.user = False
        elif node.keyword == "SHELL":
            wanted = self.shell
        else:
            return False
        if wanted:
            self.variables |= item.uses
        return wanted

    def _defines(self, node: Instruction) -> bool:
        return not self.variables.isdisjoint(_names(node))


def kept_arguments(lifted: Lift, behind: Sequence[Evaluated], every: bool) -> dict[int, str | None]:
    """What becomes of each lifted ARG behind the cut: its text there, ``None`` where it goes.

    A build argument does not cross FROM to another file, so it is declared again where something
    in ``behind`` sees it (``every``: all are kept); one that ENV has covered by then would cover
    it in turn, and goes.
    """
    stage = lifted.stage
    sees_all = every or any(item.instruction.keyword == "RUN" for item in behind)
    wanted = {
        name
        for name in lifted.after().arguments
        if sees_all or any(name in item.uses for item in behind)
    }
    arguments = [
        (index, stage.evaluated[index].instruction)
        for index in lifted.taken
        if stage.evaluated[index].instruction.keyword == "ARG"
    ]
    last = {name: index for index, node in arguments for name in _names(node)}
    result: dict[int, str | None] = {}
    for index, node in arguments:
        keep = [
            word
            for word, name in zip(node.arguments, _names(node), strict=True)
            if name in wanted and last[name] == index
        ]
        if len(keep) == len(node.arguments):
            result[index] = node.text
        else:
            result[index] = f"ARG {' '.join(keep)}" if keep else None
    return result


def behind(lifted: Lift) -> list[Evaluated]:
    """What stays in the child: everything of the stage that is not taken."""
    taken = set(lifted.taken)
    return [item for at, item in enumerate(lifted.stage.evaluated) if at not in taken]


def _names(node: Instruction) -> list[str]:
    """The variables that an ENV or ARG sets."""
    if node.keyword == "ENV":
        return [name for name, _value in node.pairs()]
    return [word.partition("=")[0] for word in node.arguments]
