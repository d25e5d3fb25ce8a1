"""An evaluated Dockerfile: its stages, and each instruction with the state before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from dockstrata.load.wiring import Build
from dockstrata.meaning.config import Config
from dockstrata.meaning.state import State
from dockstrata.meaning.step import Barrier, Step
from dockstrata.syntax.nodes import Document, Instruction
from dockstrata.syntax.reference import parse_reference
from dockstrata.syntax.words import is_symbolic


class Evaluated(NamedTuple):
    """An instruction of a stage with the state before it, and the step that it is, if it is one."""

    instruction: Instruction
    before: State
    step: Step | None
    uses: frozenset[str]


@dataclass(slots=True)
class Stage:
    """One build stage, evaluated.

    ``image`` is what FROM names, expanded; ``parent`` the index of the stage that it names, if it
    names one; ``base`` the stage of another file that builds it, where the set knows one;
    ``root`` the image at the bottom of the chain; ``start_chain`` the digest before the first
    step, ``chain`` and ``meaning`` those after the last. ``platform`` is ``None`` where it is the
    target's. ``evaluated`` leaves FROM out. ``problem`` says why the build would fail here.
    ``usual`` is the stage of another file that FROM means by the defaults of its arguments: it
    counts for the depth, and not for the meaning, which holds for every value.
    """

    index: int
    name: str | None
    node: Instruction
    image: str
    parent: int | None
    base: Stage | None
    platform: str | None
    root: str
    start_chain: str
    chain: str
    meaning: str
    evaluated: list[Evaluated] = field(default_factory=list)
    config: Config = field(default_factory=Config)
    end: State = field(default_factory=State)
    problem: str | None = None
    barrier: Barrier | None = None
    usual: Stage | None = None

    @property
    def steps(self) -> list[Step]:
        return [item.step for item in self.evaluated if item.step is not None]

    def config_digest(self) -> str:
        return self.config.digest(canonical_image(self.root))

    @property
    def label(self) -> str:
        """How people name the stage: its name, or its index."""
        return self.name or str(self.index)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a Dockerfile means when built as ``build`` says.

    ``globals`` are the arguments before the first FROM, ``global_values`` their values by name.
    """

    document: Document
    build: Build | None
    globals: tuple[Instruction, ...]
    global_values: Mapping[str, str]
    stages: tuple[Stage, ...]

    def stage_named(self, name: str, before: int) -> Stage | None:
        """The stage that ``FROM name`` or ``--from=name`` means in stage ``before``."""
        return find_stage(self.stages[:before], name)


Resolver = Callable[[str], "Stage | None"]
"""The stage that builds an image reference (spelled in full), where the set itself builds it."""


def nothing_known(_reference: str) -> Stage | None:
    return None


def find_stage(stages: Sequence[Stage], name: str) -> Stage | None:
    """The last of the stages with that name, in any case."""
    lowered = name.lower()
    return next((stage for stage in reversed(stages) if stage.name == lowered), None)


@lru_cache(maxsize=4096)
def canonical_image(image: str) -> str:
    """An image reference spelled in full; one with a symbol in it stays as it is."""
    if image == "scratch" or is_symbolic(image):
        return image
    reference = parse_reference(image)
    return reference.canonical if reference.valid else image


def onbuild_barrier(image: str) -> Barrier | None:
    """What keeps an outside image's children from moving: triggers that it is known to have."""
    reference = parse_reference(image)
    tag = reference.tag or ""
    if "onbuild" in tag.split("-") or reference.short_name.endswith("-onbuild"):
        return Barrier(
            "onbuild-root", f"{image} runs ONBUILD triggers with its child's own build context"
        )
    return None
