"""The tree of prefixes that the choice is made on: the trie, cut down to what images may share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dockstrata.meaning.images import Image, ImageSet
from dockstrata.meaning.step import Step
from dockstrata.plan.candidates import Candidate
from dockstrata.plan.choose import Leaf, Root, Vertex
from dockstrata.plan.settings import PlanSettings
from dockstrata.similarity.trie import Node, Trie


@dataclass(frozen=True, slots=True)
class Existing:
    """An image of the set that others stand on or may move onto: where its steps end, and what
    it is called after FROM."""

    ref: str
    image: Image
    node: Node


@dataclass(slots=True)
class Tree:
    """The trees to choose from, and what their keys stand for."""

    roots: list[Root] = field(default_factory=list)
    node_of: dict[str, Node] = field(default_factory=dict)
    candidate_of: dict[str, Candidate] = field(default_factory=dict)
    existing_of: dict[str, Existing] = field(default_factory=dict)


def existing_bases(
    images: ImageSet, trie: Trie, adoptable: Mapping[str, str]
) -> dict[str, Existing]:
    """By chain digest, the image that has exactly these steps already; the first by name."""
    found: dict[str, Existing] = {}
    for image in sorted(images.images, key=lambda image: adoptable.get(image.id, "")):
        ref = adoptable.get(image.id)
        node = trie.end_of[image.id]
        if ref is not None and node.step is not None:
            found.setdefault(node.chain, Existing(ref, image, node))
    return found


def grow(
    trie: Trie,
    able: Sequence[Candidate],
    settings: PlanSettings,
    existing: Mapping[str, Existing],
    weights: Mapping[str, float],
) -> Tree:
    """The trees of all candidates: one below each external root, each existing base that some
    move onto, and each image of the set that some stand on.

    ``weights`` are the steps', by chain digest.
    """
    grower = _Grower(trie, settings, existing, weights)
    able = [grower.shortened(candidate) for candidate in able]
    grower.in_use = {
        base.image.id
        for candidate in able
        if (base := grower.stands_on(candidate)) is not None
        and base.image is not candidate.image.ground
    }
    outside: list[Candidate] = []
    on: dict[str, tuple[Existing, list[Candidate]]] = {}
    for candidate in able:
        grower.tree.candidate_of[candidate.image.id] = candidate
        if candidate.image.id in grower.in_use:
            continue  # what others move onto moves itself in another round, all depths known
        ground = grower.stands_on(candidate)
        if ground is None:
            outside.append(candidate)
        else:
            on.setdefault(ground.image.id, (ground, []))[1].append(candidate)
    grower.place(None, outside)
    for start in dict.fromkeys(candidate.image.stage.start_chain for candidate in outside):
        top = Vertex(start, 0.0, 0)
        for child in trie.nodes[start].children:
            grower.grow(child, top, 0.0, 0)
        # The external root itself is no candidate: no step lies above it.
        grower.tree.roots += [Root(vertex) for vertex in top.children]
    for base, candidates in on.values():
        grower.place(base, candidates)
        grower.grow_on(base, candidates)
    return grower.tree


class _Grower:
    def __init__(
        self,
        trie: Trie,
        settings: PlanSettings,
        existing: Mapping[str, Existing],
        weights: Mapping[str, float],
    ) -> None:
        self.trie = trie
        self.settings = settings
        self.weights = weights
        self.existing = existing
        self.bases = {base.image.id for base in existing.values()}
        self.tree = Tree()
        self.in_use: set[str] = set()
        self.ground = ""
        self.members: dict[str, list[Candidate]] = {}
        self.ends: dict[str, list[Candidate]] = {}

    def place(self, ground: Existing | None, candidates: Sequence[Candidate]) -> None:
        """Begin the tree on ``ground``: enter its candidates at the prefixes above it."""
        self.ground = f" on {ground.image.id}" if ground is not None else ""
        self.members, self.ends = defaultdict(list), defaultdict(list)
        for candidate in candidates:
            image = candidate.image
            steps = image.steps[: candidate.steps]
            start = ground.node.length - image.inherited if ground is not None else 0
            for step in steps[start:]:
                self.members[step.chain].append(candidate)
            if len(steps) > start:
                self.ends[steps[-1].chain].append(candidate)

    def shortened(self, candidate: Candidate) -> Candidate:
        """A base that others stand on must go on adding as much as a new one would."""
        if candidate.image.id not in self.bases:
            return candidate
        steps = _keeping(candidate.image.steps[: candidate.steps], self.settings.min_steps)
        return replace(candidate, steps=len(steps))

    def stands_on(self, candidate: Candidate) -> Existing | None:
        """The deepest existing base that the candidate can be built on: its parent at least."""
        image = candidate.image
        found: Existing | None = None
        if image.ground is not None:
            ref = image.named.stage.node.arguments[0]
            found = Existing(ref, image.ground, self.trie.end_of[image.ground.id])
        for step in image.steps[: candidate.steps]:
            base = self.existing.get(step.chain)
            if base is not None and _may_stand(candidate, base, self.bases):
                found = base
        return found

    def grow(self, node: Node, above: Vertex, weight: float, steps: int) -> None:
        """Add the vertices of ``node`` and below; a run of the same images is one vertex."""
        while True:
            here = self.members.get(node.chain, [])
            if not here or node.step is None:
                return
            weight += self.weights[node.chain]
            steps += node.step.kind != "WORKDIR"
            onward = [child for child in node.children if child.chain in self.members]
            same = (
                len(onward) == 1
                and len(self.members[onward[0].chain]) == len(here)
                and node.chain not in self.ends
            )
            if not same:
                break
            node = onward[0]
        if len(here) < max(2, self.settings.min_images) or _more_inside(here):
            # Too few images go on here, or a tier of their file does better by them: they are
            # leaves of the vertex above.
            above.leaves += map(self.leaf, here)
            return
        vertex = Vertex(node.chain + self.ground, weight, steps)
        self.tree.node_of[vertex.key] = node
        above.children.append(vertex)
        vertex.leaves += map(self.leaf, self.ends.get(node.chain, []))
        for child in onward:
            self.grow(child, vertex, weight, steps)

    def grow_on(self, base: Existing, candidates: Sequence[Candidate]) -> None:
        """The tree of the candidates that can stand on an existing base."""
        path = base.node.path()
        weight = sum(self.weights[node.chain] for node in path)
        steps = sum(node.step is not None and node.step.kind != "WORKDIR" for node in path)
        key = f"existing {base.image.id}"
        self.tree.existing_of[key] = base
        vertex = Vertex(key, weight, steps)
        vertex.leaves += [
            self.leaf(candidate)
            for candidate in candidates
            if candidate.image.inherited + candidate.steps == base.node.length
        ]
        for child in base.node.children:
            self.grow(child, vertex, weight, steps)
        # As many as lie on its FROM path: each uses up one level of the depth.
        above = (vertex,) * (base.image.depth - 1)
        fixed = any(candidate.image.ground is not None for candidate in candidates)
        self.tree.roots.append(Root(vertex, above, fixed))

    def leaf(self, candidate: Candidate) -> Leaf:
        weight = sum(self.weights[step.chain] for step in candidate.image.all_steps)
        return Leaf(candidate.image.id, weight, candidate.levels)


def _more_inside(candidates: Sequence[Candidate]) -> bool:
    """Whether they are of one file, and a stage of that could take more of some of them."""
    return len({candidate.image.path for candidate in candidates}) == 1 and (
        sum(candidate.inside > candidate.steps for candidate in candidates) > 1
    )


def _keeping(steps: list[Step], least: int) -> list[Step]:
    """The longest prefix that leaves ``least`` steps other than WORKDIR behind it."""
    left = 0
    for position in range(len(steps) - 1, -1, -1):
        left += steps[position].kind != "WORKDIR"
        if left >= least:
            return steps[:position]
    return []


def _may_stand(candidate: Candidate, base: Existing, bases: set[str]) -> bool:
    """Whether the image may be built on the base: depth, and never in a circle."""
    if candidate.image is base.image or candidate.levels < base.image.depth - 1:
        return False
    image = candidate.image
    return image.id not in bases or image.inherited + len(image.steps) > base.node.length
