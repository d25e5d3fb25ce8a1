"""``tree`` for people: root images, what repeats below them, and how deep each image lies."""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.meaning.images import Image
from dockstrata.meaning.repository import Repository
from dockstrata.meaning.step import Step
from dockstrata.report.terminal import printable, shorten
from dockstrata.similarity.trie import Node, Trie
from dockstrata.syntax.readable import readable


def tree_text(repository: Repository, trie: Trie, width: int = 100) -> Iterator[str]:
    """The lines of the picture."""
    images = repository.set.images
    steps = sum(len(image.steps) for image in images)
    distinct = sum(1 for node in trie.walk() if node.step is not None)
    yield (
        f"{_count(len(repository.set.evaluations), 'Dockerfile')}, "
        f"{_count(len(images), 'image')}, {_count(steps, 'step')}, "
        f"{steps - distinct} of them a repetition"
    )
    for root in sorted(trie.roots, key=lambda root: (-_weight(root), _root_name(root))):
        yield ""
        yield printable(_root_name(root))
        yield from _below(root, "", width)


def _root_name(root: Node) -> str:
    return readable(_first_image(root).stage.root)


def _first_image(node: Node) -> Image:
    while not node.ends and not node.images:
        node = node.children[0]
    return (node.ends or node.images)[0]


def _weight(node: Node) -> int:
    """How many steps repeat below a root: what repeats most comes first."""
    total, stack = 0, list(node.children)
    while stack:
        at = stack.pop()
        total += len(at.images) - 1
        stack.extend(at.children)
    return total


def _below(node: Node, indent: str, width: int) -> Iterator[str]:
    entries: list[tuple[Image | None, Node]] = [(image, node) for image in node.ends]
    entries += [(None, child) for child in sorted(node.children, key=lambda n: -len(n.images))]
    for position, (image, at) in enumerate(entries):
        last = position == len(entries) - 1
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        if image is not None:
            yield indent + branch + _leaf(image, 0)
        elif len(at.images) == 1:
            yield from _single(at, indent, branch, below, width)
        else:
            run = _run(at)
            yield indent + branch + f"{_count(len(run), 'step')} in {len(at.images)} images"
            for step in [item.step for item in run if item.step is not None]:
                text = shorten(_summary(step), width - len(indent) - 6)
                yield f"{indent}{below}│  {text}"
            yield from _below(run[-1], indent + below, width)


def _run(node: Node) -> list[Node]:
    """The node and those below it that exactly the same images have."""
    run = [node]
    while not node.ends and len(node.children) == 1:
        child = node.children[0]
        if len(child.images) != len(run[0].images):
            break
        run.append(child)
        node = child
    return run


def _single(node: Node, indent: str, branch: str, below: str, width: int) -> Iterator[str]:
    """Steps that one image has for itself: told by their number alone."""
    owner, own = node.images[0], 0
    while True:
        own += 1
        if node.ends or len(node.children) != 1 or node.children[0].images != [owner]:
            break
        node = node.children[0]
    if node.ends == [owner] and not node.children:
        yield indent + branch + _leaf(owner, own)
        return
    yield indent + branch + f"{_count(own, 'step')} of {printable(owner.id)}"
    yield from _below(node, indent + below, width)


def _leaf(image: Image, own: int) -> str:
    extra = f", {_count(own, 'step')} of its own" if own else ""
    parent = ""
    if image.parent is not None:
        below = image.parent
        parent = f", FROM {printable(_short(below, image))}"
    return f"{printable(image.id)}  (depth {image.depth}{extra}{parent})"


def _short(below: Image, image: Image) -> str:
    """How to call an image's parent: a stage of its own file, or the folder of another."""
    if below.path == image.path:
        return below.stage.label
    folder, _, file = below.path.rpartition("/")
    return folder.rpartition("/")[2] if file in ("Dockerfile", "Containerfile") else file


def _summary(step: Step) -> str:
    place = f"{printable(step.instruction.source.path)}:{step.instruction.start_line}"
    return f"{printable(' '.join(step.instruction.line.split()))}   ({place})"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
