"""What a plan says: which bases, who uses them, what is saved, what was refused and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dockstrata.meaning.images import Image
from dockstrata.meaning.step import Step
from dockstrata.plan.settings import PlanSettings
from dockstrata.plan.weights import CostModel
from dockstrata.similarity.trie import Node


@dataclass(frozen=True, slots=True)
class Member:
    """An image that a base serves, and how many of its own steps the base has for it."""

    image: Image
    steps: int


@dataclass(frozen=True, slots=True)
class Base:
    """A base image to be made: the prefix ``node``, on ``parent`` or on the external root.

    ``kind`` is ``file`` (a Dockerfile of its own) or ``stage`` (a stage at the top of the one
    file that uses it). ``members`` are the images built directly on it, ``served`` all images
    that have it below them. ``ref`` is what children say after FROM. ``existing``: the set builds
    this image already; images move onto it, and nothing is written for it.
    """

    name: str
    kind: Literal["file", "stage"]
    ref: str
    path: str
    node: Node
    parent: Base | None
    members: tuple[Member, ...]
    served: tuple[Image, ...]
    depth: int
    saved_steps: int
    saved_cost: float
    existing: bool = False

    @property
    def own_steps(self) -> list[Step]:
        """The steps that it adds to its parent."""
        nodes = self.node.path()[self.parent.node.length if self.parent is not None else 0 :]
        return [node.step for node in nodes if node.step is not None]

    def lifted(self, image: Image) -> int:
        """How many of a served image's own steps the base and those below it have."""
        return self.node.length - image.inherited

    def lifted_below(self, image: Image) -> int:
        """How many of a served image's own steps the base's parent has."""
        return self.parent.lifted(image) if self.parent is not None else 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """An image of which something that repeats was not lifted: the reason, and a sentence."""

    id: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan for a set: ``bases`` are new, images move onto the ``reused``. ``depth_after`` is by
    image id."""

    settings: PlanSettings
    model: CostModel
    bases: tuple[Base, ...]
    reused: tuple[Base, ...]
    base_of: dict[str, Base]
    depth_after: dict[str, int]
    refused: tuple[Refusal, ...]
    steps: int
    steps_after: int

    def depth_of(self, image: Image) -> int:
        """An image's depth with the plan; as now where the plan makes an end of it."""
        return self.depth_after.get(image.id, image.depth)
