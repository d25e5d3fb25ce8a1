"""All images of a set of Dockerfiles: every stage of every file, with its place in the tree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dockstrata.meaning.evaluate import Evaluation, Stage
from dockstrata.meaning.step import Step


@dataclass(frozen=True, slots=True)
class Image:
    """One stage of one file.

    ``parent`` is the image that it is built FROM where that is in the set, else ``None``;
    ``depth`` counts the images on the FROM path, the external root and this one included; a stage
    that has nothing but FROM is no more than another name for those that stand on it, and does not
    count with them. ``below`` is the parent, or what stands there by the defaults of arguments.
    """

    id: str
    evaluation: Evaluation
    stage: Stage
    parent: Image | None
    depth: int
    below: Image | None = None

    @property
    def path(self) -> str:
        return self.evaluation.document.path

    @property
    def is_name(self) -> bool:
        """Whether it is only another name: a stage with nothing but FROM."""
        return not self.stage.evaluated

    @property
    def way(self) -> list[Image]:
        """Itself, and the stages of its file that its FROM comes to by names alone, one by one."""
        way = [self]
        while way[-1].stage.parent is not None and (parent := way[-1].parent) and parent.is_name:
            way.append(parent)
        return way

    @property
    def named(self) -> Image:
        """The last of the way: its FROM says what the image stands on."""
        return self.way[-1]

    @property
    def adds(self) -> int:
        """How much deeper it is than what it stands on."""
        return 1 if self.below is None else _adds(self.stage, self.below)

    @property
    def ground(self) -> Image | None:
        """The image of the set that it stands on, names for it passed over."""
        return self.named.parent

    @property
    def steps(self) -> list[Step]:
        """The image's own steps, those of its parent left out."""
        return self.stage.steps

    @property
    def inherited(self) -> int:
        """How many steps its parents have before its own."""
        return 0 if self.parent is None else self.parent.inherited + len(self.parent.steps)

    @property
    def all_steps(self) -> list[Step]:
        """Every step from the external root on."""
        above = self.parent.all_steps if self.parent is not None else []
        return above + self.stage.steps


@dataclass(frozen=True, slots=True)
class ImageSet:
    """The evaluated Dockerfiles of a repository and their images, in order of path and stage."""

    evaluations: tuple[Evaluation, ...]
    images: tuple[Image, ...]

    def of(self, path: str) -> list[Image]:
        return [image for image in self.images if image.path == path]


def image_set(evaluations: Iterable[Evaluation]) -> ImageSet:
    """The images of the evaluated files; a file that BuildKit refuses has none."""
    ordered = sorted(evaluations, key=lambda evaluation: evaluation.document.path)
    sound = [evaluation for evaluation in ordered if not evaluation.document.faults]
    ids: dict[int, str] = {}
    home: dict[int, Evaluation] = {}
    used: set[str] = set()
    for evaluation in sound:
        for stage in evaluation.stages:
            home[id(stage)] = evaluation
            ids[id(stage)] = _id(evaluation, stage, used)
    made: dict[int, Image] = {}

    def image(stage: Stage) -> Image:
        if id(stage) not in made:
            evaluation = home[id(stage)]
            below = stage.base if stage.parent is None else evaluation.stages[stage.parent]
            parent = image(below) if below is not None and id(below) in home else None
            usual = stage.usual if stage.usual is not None and id(stage.usual) in home else None
            lower = parent or (image(usual) if usual is not None else None)
            depth = 2 if lower is None else lower.depth + _adds(stage, lower)
            one = Image(ids[id(stage)], evaluation, stage, parent, depth, lower)
            made[id(stage)] = one
        return made[id(stage)]

    found = [image(stage) for evaluation in sound for stage in evaluation.stages]
    return ImageSet(tuple(ordered), tuple(found))


def _adds(stage: Stage, below: Image) -> int:
    return int(stage.parent is None or not below.is_name)


def _id(evaluation: Evaluation, stage: Stage, used: set[str]) -> str:
    """``path#stage``; a second build of the same file adds who builds it so."""
    same = sum(other.label == stage.label for other in evaluation.stages)
    name = f"{evaluation.document.path}#{stage.label if same == 1 else stage.index}"
    if name in used and evaluation.build is not None:
        name = f"{name}@{evaluation.build.service or evaluation.build.context}"
    unique, number = name, 2
    while unique in used:
        unique = f"{name}-{number}"
        number += 1
    used.add(unique)
    return unique
