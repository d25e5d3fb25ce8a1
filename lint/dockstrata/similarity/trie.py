"""The prefix trie over chain digests: which images begin with the same steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dockstrata.meaning.images import Image
from dockstrata.meaning.step import Step


@dataclass(slots=True, eq=False)
class Node:
    """A prefix: a root image and the first ``length`` steps.

    ``images`` are those that have the last of these steps among their own instructions; ``ends``
    those that have no step after it.
    """

    chain: str
    parent: Node | None
    step: Step | None
    length: int
    images: list[Image] = field(default_factory=list)
    ends: list[Image] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def path(self) -> list[Node]:
        """The nodes from the first step to this one."""
        nodes: list[Node] = []
        node: Node | None = self
        while node is not None and node.step is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]


@dataclass(frozen=True, slots=True)
class Trie:
    """All prefixes of a set. ``roots`` has one node for each external root image."""

    roots: tuple[Node, ...]
    nodes: dict[str, Node]
    end_of: dict[str, Node]
    """By image id, the node at which the image ends."""

    def walk(self) -> Iterator[Node]:
        """Every node, parents before children."""
        stack = list(reversed(self.roots))
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def shared(self) -> list[Node]:
        """The longest prefixes of each group of at least two images, in order of the walk."""
        return [
            node
            for node in self.walk()
            if node.step is not None
            and len(node.images) > 1
            and all(len(child.images) < len(node.images) for child in node.children)
        ]


def build_trie(images: Sequence[Image]) -> Trie:
    nodes: dict[str, Node] = {}
    roots: list[Node] = []
    end_of: dict[str, Node] = {}
    placed: set[str] = set()

    def place(image: Image) -> None:
        if image.id in placed:
            return
        placed.add(image.id)
        if image.parent is not None:
            place(image.parent)
            node = end_of[image.parent.id]
        else:
            start = image.stage.start_chain
            if start not in nodes:
                nodes[start] = Node(start, None, None, 0)
                roots.append(nodes[start])
            node = nodes[start]
        for step in image.steps:
            if step.chain not in nodes:
                child = Node(step.chain, node, step, node.length + 1)
                nodes[step.chain] = child
                node.children.append(child)
            node = nodes[step.chain]
            node.images.append(image)
        node.ends.append(image)
        end_of[image.id] = node

    for image in images:
        place(image)
    return Trie(tuple(roots), nodes, end_of)
