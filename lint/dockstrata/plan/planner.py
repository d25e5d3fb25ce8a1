"""From a repository to a plan: candidates, the tree of shared prefixes, the cheapest choice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockstrata.meaning.images import Image, ImageSet
from dockstrata.plan.candidates import Candidate, candidates, followers_of
from dockstrata.plan.choose import Leaf, Vertex, choose
from dockstrata.plan.model import Base, Member, Plan, Refusal
from dockstrata.plan.names import base_name, tag_for
from dockstrata.plan.settings import PlanSettings
from dockstrata.similarity.trie import Node, Trie, build_trie


@dataclass(frozen=True, slots=True)
class Placement:
    """How bases are called and where they are written. ``directory`` is as the user writes it."""

    directory: str = "bases"
    registry: str = "localhost"
    tag: str = "name"
    taken: frozenset[str] = frozenset()
    """Names that are in use already."""


def make_plan(
    images: ImageSet,
    settings: PlanSettings,
    placement: Placement,
    excluded: Mapping[str, Refusal] | None = None,
) -> Plan:
    """The cheapest set of new base images under the limits; ``excluded`` images stay as is."""
    trie = build_trie(images.images)
    able, refused = candidates(images, settings, excluded or {})
    tree = _Tree(trie, able, settings)
    choice = choose(tree.roots, settings)
    bases = _bases(tree, choice.chosen, choice.base_of, settings, placement)
    base_of = {member.image.id: base for base in bases for member in base.members}
    for leader, followers in followers_of(images).items():
        if leader in base_of:
            base_of |= dict.fromkeys((image.id for image in followers), base_of[leader])
    depth_after = _depths(images, base_of)
    steps = sum(len(image.steps) for image in images.images)
    saved = sum(base.saved_steps for base in bases)
    return Plan(
        settings=settings,
        bases=tuple(bases),
        base_of=base_of,
        depth_after=depth_after,
        refused=tuple(_refusals(images, trie, able, refused, base_of, settings)),
        steps=steps,
        steps_after=steps - saved,
    )


@dataclass(slots=True)
class _Tree:
    """The candidates' prefixes, one vertex for each that is worth a thought."""

    trie: Trie
    able: Sequence[Candidate]
    settings: PlanSettings
    roots: list[Vertex] = field(default_factory=list)
    node_of: dict[str, Node] = field(default_factory=dict)
    members: dict[str, list[Candidate]] = field(default_factory=lambda: defaultdict(list))
    candidate_of: dict[str, Candidate] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ends: dict[str, list[Candidate]] = defaultdict(list)
        for candidate in self.able:
            self.candidate_of[candidate.image.id] = candidate
            steps = candidate.image.steps[: candidate.file_steps]
            for step in steps:
                self.members[step.chain].append(candidate)
            if steps:
                ends[steps[-1].chain].append(candidate)
        for root in self.trie.roots:
            top = Vertex(root.chain, 0.0, 0)
            for child in root.children:
                self._grow(child, top, 0.0, 0, ends)
            if top.children:
                # The external root itself is no candidate: no step lies above it.
                self.roots.extend(top.children)

    def _grow(
        self,
        node: Node,
        above: Vertex,
        weight: float,
        steps: int,
        ends: Mapping[str, list[Candidate]],
    ) -> None:
        """Add the vertices of ``node`` and below; a run of the same images is one vertex."""
        least = max(2, self.settings.min_images)
        while True:
            here = self.members.get(node.chain, [])
            if not here or node.step is None:
                return
            weight += self.settings.cost(node.step.kind)
            steps += node.step.kind != "WORKDIR"
            onward = [child for child in node.children if child.chain in self.members]
            same = (
                len(onward) == 1
                and len(self.members[onward[0].chain]) == len(here)
                and node.chain not in ends
            )
            if not same:
                break
            node = onward[0]
        target = above
        if len(here) >= least:
            target = Vertex(node.chain, weight, steps)
            self.node_of[node.chain] = node
            above.children.append(target)
        for candidate in ends.get(node.chain, []):
            target.leaves.append(self._leaf(candidate))
        for child in onward:
            if target is not above:
                self._grow(child, target, weight, steps, ends)
            else:
                self._hang(child, target)

    def _hang(self, node: Node, above: Vertex) -> None:
        """Too few images go on here: they are leaves of the vertex above."""
        for candidate in self.members[node.chain]:
            above.leaves.append(self._leaf(candidate))

    def _leaf(self, candidate: Candidate) -> Leaf:
        kinds = (step.kind for step in candidate.image.steps)
        weight = sum(map(self.settings.cost, kinds))
        return Leaf(candidate.image.id, weight, candidate.levels)


def _bases(
    tree: _Tree,
    chosen: Sequence[str],
    base_of: Mapping[str, str],
    settings: PlanSettings,
    placement: Placement,
) -> list[Base]:
    """Base objects, parents before children, named."""
    direct: dict[str, list[Candidate]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for key, base in base_of.items():
        if key in tree.candidate_of:
            direct[base].append(tree.candidate_of[key])
        else:
            below[base].append(key)
    served: dict[str, list[Image]] = {}
    for chain in reversed(chosen):
        images = [candidate.image for candidate in direct[chain]]
        for child in below[chain]:
            images += served[child]
        served[chain] = sorted(images, key=lambda image: (image.path, image.stage.index))
    made: dict[str, Base] = {}
    names = Counter(placement.taken)
    for chain in chosen:
        node = tree.node_of[chain]
        parent = made.get(base_of.get(chain, ""))
        own = node.path()[parent.node.length if parent else 0 :]
        root = served[chain][0].stage.root
        kinds = [item.step.kind for item in own if item.step is not None]
        consumers = len(direct[chain]) + len(below[chain])
        name = _unique(base_name(root, [i.step for i in own if i.step]), chain, names)
        tag = chain[:12] if placement.tag == "content" else tag_for(root)
        in_one_file = len({image.path for image in served[chain]}) == 1
        path = served[chain][0].path if in_one_file else f"{placement.directory}/{name}/Dockerfile"
        made[chain] = Base(
            name=name,
            kind="stage" if in_one_file else "file",
            ref=name if in_one_file else f"{placement.registry}/{name}:{tag}",
            path=path,
            node=node,
            parent=parent,
            members=tuple(
                Member(candidate.image, node.length)
                for candidate in sorted(direct[chain], key=lambda c: (c.image.path, c.image.id))
            ),
            served=tuple(served[chain]),
            depth=(parent.depth if parent else 1) + 1,
            saved_steps=(consumers - 1) * len(own),
            saved_cost=(consumers - 1) * sum(map(settings.cost, kinds)) - settings.image_cost,
        )
    return list(made.values())


def _unique(name: str, chain: str, names: Counter[str]) -> str:
    """``name``, or with some of the chain digest behind it where it is in use."""
    candidate, length = name, 4
    while names[candidate]:
        candidate = f"{name}-{chain[:length]}"
        length += 2
    names[candidate] += 1
    return candidate


def _depths(images: ImageSet, base_of: Mapping[str, Base]) -> dict[str, int]:
    """Depth of each image after the plan; parents may come later in the order than children."""
    depths: dict[str, int] = {}
    for image in images.images:
        chain: list[Image] = []
        at: Image | None = image
        while at is not None and at.id not in depths:
            chain.append(at)
            at = at.parent
        for link in reversed(chain):
            base = base_of.get(link.id)
            if base is not None:
                depths[link.id] = base.depth + 1
            elif link.parent is not None:
                depths[link.id] = depths[link.parent.id] + 1
            else:
                depths[link.id] = link.depth
    return depths


def _refusals(
    images: ImageSet,
    trie: Trie,
    able: Sequence[Candidate],
    refused: Mapping[str, Refusal],
    base_of: Mapping[str, Base],
    settings: PlanSettings,
) -> list[Refusal]:
    """Why images that repeat others' steps keep some of them."""
    by_id = {candidate.image.id: candidate for candidate in able}
    found: list[Refusal] = []
    for image in images.images:
        shared = 0
        for position, step in enumerate(image.steps):
            if step.kind != "WORKDIR" and len(trie.nodes[step.chain].images) > 1:
                shared = position + 1
        base = base_of.get(image.id)
        lifted = base.node.length if base is not None else 0
        if shared <= lifted:
            continue
        candidate = by_id.get(image.id)
        if image.id in refused:
            found.append(refused[image.id])
        elif image.parent is not None:
            found.append(_on_stage(image))
        elif candidate is None:
            continue  # another build of the same stage, which its leader decides for
        elif candidate.stop is not None and candidate.file_steps < shared:
            found.append(candidate.stop)
        elif base is not None and base.depth - 1 >= candidate.levels:
            message = f"more bases would make its chain deeper than {settings.max_depth}"
            found.append(Refusal(image.id, "depth-limit", message))
        else:
            message = (
                f"{shared - lifted} more of its steps repeat, which saves less than one more"
                f" image costs ({settings.image_cost:g}) or falls short of --min-images"
                f" {settings.min_images} and --min-steps {settings.min_steps}"
            )
            found.append(Refusal(image.id, "not-worth-it", message))
    return found


def _on_stage(image: Image) -> Refusal:
    parent = image.parent.id if image.parent is not None else ""
    message = f"is built on {parent}, which stays its parent"
    return Refusal(image.id, "built-on-stage", message)
