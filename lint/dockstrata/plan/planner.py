"""From a repository to a plan: candidates, the tree of shared prefixes, the cheapest choice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dockstrata.meaning.images import Image, ImageSet
from dockstrata.plan.candidates import (
    FIRST,
    Candidate,
    Limit,
    Tier,
    by_file,
    candidates,
    followers_of,
)
from dockstrata.plan.choose import choose
from dockstrata.plan.model import Base, Member, Plan, Refusal
from dockstrata.plan.names import base_name, tag_for, version_of
from dockstrata.plan.settings import PlanSettings
from dockstrata.plan.tree import Existing, Tree, existing_bases, grow
from dockstrata.plan.weights import CostModel, by_kind
from dockstrata.similarity.trie import Node, Trie, build_trie


@dataclass(frozen=True, slots=True)
class Placement:
    """How bases are called and where they are written. ``directory`` is as the user writes it."""

    directory: str = "bases"
    registry: str = "localhost"
    tag: str = "name"
    taken: frozenset[str] = frozenset()
    """Names that are in use already."""
    names: Mapping[str, str] = field(default_factory=dict)
    """By proposed name, the one that the user wants."""


def make_plan(
    images: ImageSet,
    settings: PlanSettings,
    placement: Placement,
    excluded: Mapping[str, Refusal] | None = None,
    adoptable: Mapping[str, str] | None = None,
    model: CostModel | None = None,
    limits: Mapping[str, Limit] | None = None,
    tier: Tier = FIRST,
) -> Plan:
    """The tier's cheapest set of new base images under the limits; ``excluded`` images stay.

    ``adoptable`` are images of the set, by id, that others may move onto, and what they are
    called after FROM; ``model`` is the cost model, by default the costs of instructions;
    ``limits`` hold some images to fewer lifted steps.
    """
    model = model or by_kind(settings)
    settings = replace(settings, image_cost=model.image_cost)
    trie = build_trie(images.images)
    weights = model.weights(trie, settings)
    able, refused = candidates(images, settings, excluded or {}, limits or {}, tier)
    everything: list[Base] = []
    names = Counter(placement.taken)
    if tier.inside:
        for group in by_file(able):
            tree = grow(trie, group, settings, {}, weights)
            everything += _bases(tree, settings, placement, weights, names)
    else:
        existing = existing_bases(images, trie, adoptable or {})
        tree = grow(trie, able, settings, existing, weights)
        everything = _bases(tree, settings, placement, weights, names)
    bases = [base for base in everything if not base.existing]
    base_of = {member.image.id: base for base in everything for member in base.members}
    for leader, followers in followers_of(images).items():
        if leader in base_of:
            base_of |= dict.fromkeys((image.id for image in followers), base_of[leader])
    depth_after = _depths(images, base_of)
    steps = sum(len(image.steps) for image in images.images)
    saved = sum(base.saved_steps for base in everything)
    return Plan(
        settings=settings,
        model=model,
        bases=tuple(bases),
        # By images, or by new bases between it and images that did not stand on it.
        reused=tuple(
            base for base in everything if base.existing and (base.members or base.saved_steps)
        ),
        base_of=base_of,
        depth_after=depth_after,
        refused=tuple(_refusals(images, trie, able, refused, everything, settings, tier)),
        steps=steps,
        steps_after=steps - saved,
    )


def _bases(
    tree: Tree,
    settings: PlanSettings,
    placement: Placement,
    weights: Mapping[str, float],
    names: Counter[str],
) -> list[Base]:
    """The cheapest bases, parents before children; existing ones that are used come first.

    ``names`` are taken, and have those of the bases afterwards.
    """
    choice = choose(tree.roots, settings)
    chosen, base_of = choice.chosen, choice.base_of
    direct: dict[str, list[Candidate]] = defaultdict(list)
    below: dict[str, list[str]] = defaultdict(list)
    for key, base in base_of.items():
        if key in tree.candidate_of:
            candidate = tree.candidate_of[key]
            on = tree.existing_of.get(base)
            if on is None or on.image is not candidate.image.ground:
                direct[base].append(candidate)
        else:
            below[base].append(key)
    used = [key for key in tree.existing_of if key in direct or key in below]
    served: dict[str, list[Image]] = {}
    for key in [*reversed(chosen), *used]:
        images = [candidate.image for candidate in direct[key]]
        for child in below[key]:
            images += served[child]
        served[key] = sorted(images, key=lambda image: (image.path, image.stage.index))
    made: dict[str, Base] = {}
    for key in used:
        made[key] = _reused(tree.existing_of[key], direct[key], served[key], weights)
    for key in chosen:
        node = tree.node_of[key]
        parent = made.get(base_of.get(key, ""))
        own = node.path()[parent.node.length if parent else 0 :]
        root = served[key][0].stage.root
        proposed = base_name(root, [node.step for node in own if node.step])
        name = _unique(proposed, node.chain, names, version_of(root))
        if name in placement.names:
            name = _unique(placement.names[name], node.chain, names)
        tag = node.chain[:12] if placement.tag == "content" else tag_for(root)
        in_one_file = len({image.path for image in served[key]}) == 1
        path = served[key][0].path if in_one_file else f"{placement.directory}/{name}/Dockerfile"
        again = len(served[key]) - 1
        made[key] = Base(
            name=name,
            kind="stage" if in_one_file else "file",
            ref=name if in_one_file else f"{placement.registry}/{name}:{tag}",
            path=path,
            node=node,
            parent=parent,
            members=_members(direct[key], node),
            served=tuple(served[key]),
            depth=(parent.depth if parent else served[key][0].depth - 1) + 1,
            saved_steps=again * len(own),
            saved_cost=again * _weight(own, weights) - settings.image_cost,
        )
    return list(made.values())


def _members(candidates: Sequence[Candidate], node: Node) -> tuple[Member, ...]:
    images = sorted((c.image for c in candidates), key=lambda image: (image.path, image.id))
    return tuple(Member(image, node.length - image.inherited) for image in images)


def _reused(
    existing: Existing,
    movers: Sequence[Candidate],
    served: Sequence[Image],
    weights: Mapping[str, float],
) -> Base:
    path = existing.node.path()
    spared = [path[image.inherited :] for image in served]
    return Base(
        name=existing.ref.rpartition("/")[2].partition(":")[0],
        kind="file",
        ref=existing.ref,
        path=existing.image.path,
        node=existing.node,
        parent=None,
        members=_members(movers, existing.node),
        served=tuple(served),
        depth=existing.image.depth,
        saved_steps=sum(map(len, spared)),
        saved_cost=sum(_weight(nodes, weights) for nodes in spared),
        existing=True,
    )


def _weight(nodes: Sequence[Node], weights: Mapping[str, float]) -> float:
    return sum(weights[node.chain] for node in nodes)


def _unique(name: str, chain: str, names: Counter[str], version: str = "") -> str:
    """``name``, or with the root's version or some of the chain digest behind it where it is in
    use."""
    candidate, length = name, 4
    if names[candidate] and version:
        candidate = f"{name}-{version}"
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
            at = at.below
        for link in reversed(chain):
            base = base_of.get(link.id)
            if base is not None:
                depths[link.id] = base.depth + 1
            elif link.below is not None:
                depths[link.id] = depths[link.below.id] + link.adds
            else:
                depths[link.id] = link.depth
    return depths


def _refusals(
    images: ImageSet,
    trie: Trie,
    able: Sequence[Candidate],
    refused: Mapping[str, Refusal],
    bases: Sequence[Base],
    settings: PlanSettings,
    tier: Tier,
) -> list[Refusal]:
    """Why the tier's images that repeat others' steps keep some of them."""
    by_id = {candidate.image.id: candidate for candidate in able}
    base_of = {member.image.id: base for base in bases for member in base.members}
    reused = {(base.path, id(base.node)) for base in bases if base.existing}
    found: list[Refusal] = []
    for image in images.images:
        if (image.path, id(trie.end_of[image.id])) in reused:
            continue
        candidate, base = by_id.get(image.id), base_of.get(image.id)
        shared = _shared(trie, image)
        lifted = base.lifted(image) if base is not None else 0
        if shared <= lifted:
            continue
        if image.id in refused:
            found.append(refused[image.id])
        elif candidate is None:
            continue  # another build of a stage, which its leader decides for, or another tier's
        elif candidate.stop is not None and candidate.steps < shared:
            found.append(candidate.stop)
        elif base is not None and base.depth - 1 >= candidate.levels + (
            image.depth - 2 if image.ground is None else 0
        ):
            message = f"more bases would make its chain deeper than {settings.max_depth}"
            found.append(Refusal(image.id, "depth-limit", message))
        elif not tier.inside:
            message = (
                f"{shared - lifted} more of its steps repeat, which saves less than one more"
                f" image costs ({settings.image_cost:g}) or falls short of --min-images"
                f" {settings.min_images} and --min-steps {settings.min_steps}"
            )
            found.append(Refusal(image.id, "not-worth-it", message))
    return found


def _shared(trie: Trie, image: Image) -> int:
    """How many of an image's own steps there are up to the last that another has too."""
    shared = 0
    for position, step in enumerate(image.steps):
        if step.kind != "WORKDIR" and len(trie.nodes[step.chain].images) > 1:
            shared = position + 1
    return shared
