"""The image tree as one sees it: root images, runs of steps that repeat, and images.

What all formats of ``tree`` draw. Steps that exactly the same images have are one vertex; steps
that one image has for itself are told by their number, at the image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dockstrata.meaning.images import Image
from dockstrata.meaning.repository import Repository
from dockstrata.meaning.step import Step
from dockstrata.report.plain import count, step_line
from dockstrata.similarity.trie import Node, Trie
from dockstrata.syntax.readable import readable


@dataclass(frozen=True, slots=True)
class Vertex:
    """A place in the picture.

    ``kind`` is ``root`` (an external image), ``shared`` (``steps`` that all ``images`` have),
    ``own`` (steps of one image on which others branch off) or ``image``; the last has the number of
    its own steps in ``own``. ``images`` are those of the trie's node, for ``image`` just the one.
    """

    kind: str
    name: str
    images: tuple[Image, ...]
    steps: tuple[Step, ...] = ()
    own: int = 0
    children: list[Vertex] = field(default_factory=list)

    def leaves(self) -> Iterator[Image]:
        """The images at and below it."""
        if self.kind == "image":
            yield from self.images
        for child in self.children:
            yield from child.leaves()


@dataclass(frozen=True, slots=True)
class Totals:
    """What a tree holds; ``repeated`` are the steps that stand in an image before."""

    dockerfiles: int
    images: int
    steps: int
    repeated: int

    def __str__(self) -> str:
        return (
            f"{count(self.dockerfiles, 'Dockerfile')}, {count(self.images, 'image')},"
            f" {count(self.steps, 'step')}, {self.repeated} of them a repetition"
        )


def totals(repository: Repository, trie: Trie) -> Totals:
    images = repository.set.images
    steps = sum(len(image.steps) for image in images)
    distinct = sum(1 for node in trie.walk() if node.step is not None)
    return Totals(len(repository.set.evaluations), len(images), steps, steps - distinct)


def roots(trie: Trie) -> list[Vertex]:
    """The picture, roots with most repetition first."""
    ordered = sorted(trie.roots, key=lambda root: (-repeated(root), _root_name(root)))
    return [Vertex("root", _root_name(root), (), children=_below(root)) for root in ordered]


def repeated(root: Node) -> int:
    """How many steps repeat below a root."""
    total, stack = 0, list(root.children)
    while stack:
        at = stack.pop()
        total += len(at.images) - 1
        stack.extend(at.children)
    return total


def _root_name(root: Node) -> str:
    return readable(_first_image(root).stage.root)


def _first_image(node: Node) -> Image:
    while not node.ends and not node.images:
        node = node.children[0]
    return (node.ends or node.images)[0]


def _below(node: Node) -> list[Vertex]:
    found = [Vertex("image", image.id, (image,)) for image in node.ends]
    for child in sorted(node.children, key=lambda child: -len(child.images)):
        found.append(_single(child) if len(child.images) == 1 else _shared(child))
    return found


def _shared(node: Node) -> Vertex:
    """The node and those below it that exactly the same images have."""
    run, images = [node], node.images
    while not node.ends and len(node.children) == 1:
        node = node.children[0]
        if len(node.images) != len(images):
            break
        run.append(node)
    steps = tuple(item.step for item in run if item.step is not None)
    name = f"{count(len(run), 'step')} in {len(images)} images"
    return Vertex("shared", name, tuple(images), steps, children=_below(run[-1]))


def _single(node: Node) -> Vertex:
    owner, run = node.images[0], [node]
    while not node.ends and len(node.children) == 1 and node.children[0].images == [owner]:
        node = node.children[0]
        run.append(node)
    if node.ends == [owner] and not node.children:
        return Vertex("image", owner.id, (owner,), own=len(run))
    steps = tuple(item.step for item in run if item.step is not None)
    name = f"{count(len(run), 'step')} of {owner.id}"
    return Vertex("own", name, (owner,), steps, children=_below(node))


def facts(vertex: Vertex) -> str:
    """What is said of an image beside its name: depth, own steps, parent in the set."""
    image = vertex.images[0]
    own = f", {count(vertex.own, 'step')} of its own" if vertex.own else ""
    parent = f", FROM {_short(image.parent, image)}" if image.parent is not None else ""
    return f"depth {image.depth}{own}{parent}"


def _short(below: Image, image: Image) -> str:
    """How to call an image's parent: a stage of its own file, or the folder of another."""
    if below.path == image.path:
        return below.stage.label
    folder, _, file = below.path.rpartition("/")
    return folder.rpartition("/")[2] if file in ("Dockerfile", "Containerfile") else file


def called(image: Image) -> str:
    """An image's name for a drawing: its folder, and the stage where there are several."""
    path, _, rest = image.id.partition("#")
    folder, _, file = path.rpartition("/")
    name = folder if folder and file in ("Dockerfile", "Containerfile") else path
    alone = rest == "0" and len(image.evaluation.stages) == 1
    return name if alone else f"{name}#{rest}"


def summary(step: Step) -> str:
    """A step on one line."""
    return step_line(step.instruction)


def place(step: Step) -> str:
    return f"{step.instruction.source.path}:{step.instruction.start_line}"
