"""All images of a set of Dockerfiles: every stage of every file, with its place in the tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dockstrata.meaning.context import ContextReader
from dockstrata.meaning.evaluate import Evaluation, Stage, evaluate
from dockstrata.meaning.step import Step
from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse


@dataclass(frozen=True, slots=True)
class Image:
    """One stage of one file.

    ``parent`` is the image that it is built FROM where that is in the set, else ``None``;
    ``depth`` counts the images on the FROM path, the external root and this one included.
    """

    id: str
    evaluation: Evaluation
    stage: Stage
    parent: Image | None
    depth: int

    @property
    def path(self) -> str:
        return self.evaluation.document.path

    @property
    def steps(self) -> list[Step]:
        """The image's own steps, those of its parent left out."""
        return self.stage.steps

    @property
    def all_steps(self) -> list[Step]:
        """Every step from the external root on."""
        above = self.parent.all_steps if self.parent is not None else []
        return above + self.stage.steps

    @property
    def root_chain(self) -> str:
        """The chain digest of the external root."""
        image = self
        while image.parent is not None:
            image = image.parent
        first = image.stage
        return first.start_chain


@dataclass(frozen=True, slots=True)
class ImageSet:
    """The evaluated Dockerfiles of a repository and their images, in order of path and stage."""

    evaluations: tuple[Evaluation, ...]
    images: tuple[Image, ...]

    def of(self, path: str) -> list[Image]:
        return [image for image in self.images if image.path == path]


def images_of(evaluation: Evaluation) -> list[Image]:
    """The images of one file; a file that BuildKit refuses has none."""
    if evaluation.document.faults:
        return []
    found: list[Image] = []
    labels = [stage.label for stage in evaluation.stages]
    for stage in evaluation.stages:
        label = stage.label if labels.count(stage.label) == 1 else str(stage.index)
        parent = None if stage.parent is None else found[stage.parent]
        depth = 2 if parent is None else parent.depth + 1
        found.append(Image(f"{evaluation.document.path}#{label}", evaluation, stage, parent, depth))
    return found


def image_set(evaluations: Iterable[Evaluation]) -> ImageSet:
    ordered = sorted(evaluations, key=lambda evaluation: evaluation.document.path)
    images = [image for evaluation in ordered for image in images_of(evaluation)]
    return ImageSet(tuple(ordered), tuple(images))


def read_document(path: str) -> Document:
    """Read and parse one Dockerfile; raises ``OSError``."""
    with open(path, "rb") as file:
        return parse(Source.from_bytes(path, file.read()))


def evaluate_all(documents: Sequence[Document], contexts: dict[str, ContextReader]) -> ImageSet:
    """Evaluate documents, each with its own build context."""
    return image_set(evaluate(document, contexts[document.path]) for document in documents)
