"""Plans in rounds: what a first plan leaves may allow more, until nothing more is proposed.

An image that could not be proved on one base, a base that others just moved onto: a second run
would find them. So each round reads the drafted set as if it were written, and the plan that the
user sees is all rounds together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dockstrata.meaning.images import Image
from dockstrata.meaning.repository import Repository
from dockstrata.plan.candidates import Tier, waiting
from dockstrata.plan.model import Base, Member, Plan, Refusal
from dockstrata.rewrite.draft import Draft
from dockstrata.rewrite.merge import Merge, Merged
from dockstrata.similarity.trie import build_trie
from dockstrata.source import Source
from dockstrata.syntax.parse import parse

MOST = 8
"""Rounds at most; each lifts something, so that they end by themselves in practice."""


def in_rounds(
    repository: Repository,
    tiers: Sequence[Tier],
    make: Callable[[Repository, Tier, set[str]], tuple[Plan, Draft]],
    dissolve: Callable[[Repository], Merged],
) -> Rounds:
    """All rounds together, told of the images of ``repository``.

    ``make`` plans and drafts one round of a tier, leaving out the images with these ids;
    ``dissolve`` merges bases that one image is left on. All tiers are gone through until one pass
    over them finds nothing.
    """
    run = _Run(repository, make)
    for _ in range(MOST):
        before = run.lifted
        for tier in tiers:
            run.settle(tier)
        # A chain that is shorter by a base may have room for another.
        if not run.without(dissolve(run.repository)) and run.lifted == before:
            break
    assert run.plan is not None  # the first tier was planned, whatever it takes
    plan = replace(run.plan, refused=tuple(run.refusals()))
    return Rounds(plan, run.draft, run.repository, tuple(run.merges))


@dataclass(frozen=True, slots=True)
class Rounds:
    """What all rounds come to: ``after`` is the repository with the draft written, ``dissolved``
    are bases that are no more."""

    plan: Plan
    draft: Draft
    after: Repository
    dissolved: tuple[Merge, ...]


class _Run:
    """The rounds so far: the repository as drafted, and everything told by the first ids."""

    def __init__(
        self,
        repository: Repository,
        make: Callable[[Repository, Tier, set[str]], tuple[Plan, Draft]],
    ) -> None:
        self.make = make
        self.repository = repository
        self.names = {image.id: image.id for image in repository.set.images}
        self.refused: dict[str, Refusal] = {}
        self.wait = waiting(repository.set)
        self.plan: Plan | None = None
        self.draft = Draft()
        self.merges: list[Merge] = []
        self.lifted = 0
        """In how many rounds something was lifted."""

    def settle(self, tier: Tier) -> None:
        """Rounds of one tier until it has nothing more."""
        for _ in range(MOST):
            if self.plan is not None and not any(map(tier.takes, self.repository.set.images)):
                return
            wait, self.wait = self.wait, set()
            last, changes = self.make(self.repository, tier, wait)
            last = _told(last, self.names)
            self._refuse(last, tier)
            self.plan = last if self.plan is None else _joined(self.plan, last)
            self.draft = _both(self.draft, changes)
            if last.base_of:
                self.lifted += 1
                self._take_in(changes)
            elif not wait:
                return

    def without(self, merged: Merged) -> bool:
        """Go on from the repository less the bases that were merged; whether there are any."""
        if not merged.merges:
            return False
        draft = self.draft
        for path, text in merged.texts.items():
            (draft.bases if path in draft.bases else draft.children)[path] = text
        for merge in merged.merges:
            path = merge.removed or ""
            draft.children.pop(path, None)
            if draft.bases.pop(path, None) is None:
                self.merges.append(merge)
            elif self.plan is not None:
                del draft.builds[path]
                self.plan = _less(self.plan, path)
        self.repository = self.repository.with_library(merged.library)
        there = {image.id for image in self.repository.set.images}
        self.names = {key: name for key, name in self.names.items() if name in there}
        return True

    def _take_in(self, changes: Draft) -> None:
        """Go on from the repository as it would be with a round's changes written."""
        after = after_draft(self.repository, changes)
        moved = _renamed(self.repository, changes, after)
        self.names = {key: moved[name] for key, name in self.names.items()}
        self.repository = after

    def _refuse(self, plan: Plan, tier: Tier) -> None:
        """Keep the reasons of a round; it has the last word on the images of its tier.

        A tier inside files knows of fewer ways, so what it does not say again stays said. Of
        equal reasons the first, whose line is the file's as it lies there.
        """
        said = {refusal.id: refusal for refusal in plan.refused}
        if not tier.inside:
            now = {image.id for image in self.repository.set.images if tier.takes(image)}
            for key, name in self.names.items():
                if name in now and key not in said:
                    self.refused.pop(key, None)
        for key, refusal in said.items():
            known = self.refused.get(key)
            if known is None or known.reason != refusal.reason:
                self.refused[key] = refusal

    def refusals(self) -> Iterator[Refusal]:
        """The reasons that still matter: of images that repeat something in the end."""
        nodes = build_trie(self.repository.set.images).nodes
        images = {image.id: image for image in self.repository.set.images}
        for key, name in self.names.items():
            refusal = self.refused.get(key)
            if refusal is not None and any(
                step.kind != "WORKDIR" and len(nodes[step.chain].images) > 1
                for step in images[name].steps
            ):
                yield refusal


def after_draft(repository: Repository, draft: Draft) -> Repository:
    """The repository as it would be with the draft written."""
    documents = dict(repository.library.documents)
    for path, text in (*draft.children.items(), *draft.bases.items()):
        documents[path] = parse(Source(path, text))
    return repository.with_library(repository.library.with_documents(documents))


def _renamed(before: Repository, draft: Draft, after: Repository) -> dict[str, str]:
    """By old id, the id of each image after a draft: stages without a name are counted."""
    found: dict[tuple[str, int, int], str] = {}
    for image in after.set.images:
        found[_place(image, after, image.stage.index)] = image.id
    return {
        image.id: found[
            _place(
                image,
                before,
                draft.moved.get(image.path, {}).get(image.stage.index, image.stage.index),
            )
        ]
        for image in before.set.images
    }


def _place(image: Image, repository: Repository, index: int) -> tuple[str, int, int]:
    """File, stage and build of an image."""
    builds = repository.library.builds[image.path]
    build = image.evaluation.build
    number = next((n for n, other in enumerate(builds) if other is build), 0)
    return image.path, index, number


def _less(plan: Plan, path: str) -> Plan:
    """A plan without one of its new bases, which went into the one that alone stood on it."""
    gone = next(base for base in plan.bases if base.path == path)

    def now(base: Base) -> Base:
        if base.parent is None or base.parent.ref != gone.ref:
            return base
        return replace(
            base,
            parent=gone.parent,
            depth=base.depth - 1,
            saved_steps=base.saved_steps + gone.saved_steps,
            saved_cost=base.saved_cost + gone.saved_cost + plan.settings.image_cost,
        )

    return replace(
        plan,
        bases=tuple(now(base) for base in plan.bases if base is not gone),
        base_of={key: now(base) for key, base in plan.base_of.items() if base.ref != gone.ref},
    )


def _told(plan: Plan, names: Mapping[str, str]) -> Plan:
    """A later plan with the images' first ids."""
    first = {name: key for key, name in names.items()}

    def image(found: Image) -> Image:
        return replace(found, id=first.get(found.id, found.id))

    def base(found: Base) -> Base:
        return replace(
            found,
            members=tuple(Member(image(member.image), member.steps) for member in found.members),
            served=tuple(map(image, found.served)),
            parent=None if found.parent is None else base(found.parent),
        )

    return replace(
        plan,
        bases=tuple(map(base, plan.bases)),
        reused=tuple(map(base, plan.reused)),
        base_of={first.get(key, key): base(found) for key, found in plan.base_of.items()},
        depth_after={first[key]: depth for key, depth in plan.depth_after.items() if key in first},
        refused=tuple(
            replace(refusal, id=first[refusal.id])
            for refusal in plan.refused
            if refusal.id in first
        ),
    )


def _joined(plan: Plan, more: Plan) -> Plan:
    """Two rounds as one plan; ``more`` knows the last word on depths and steps."""
    bases = {base.ref: base for base in plan.bases}
    reused = {base.ref: base for base in plan.reused}
    for base in more.reused:
        if (known := bases.get(base.ref)) is not None:
            bases[base.ref] = _serving_more(known, base)
        elif (known := reused.get(base.ref)) is not None:
            reused[base.ref] = _serving_more(known, base)
        else:
            reused[base.ref] = base
    by_path = {base.path: base.ref for base in plan.bases if base.kind == "file"}
    for base in more.bases:
        bases[base.ref] = base
        for member in base.members:
            if (ref := by_path.get(member.image.path)) is not None:
                # An earlier base that now stands on this one.
                bases[ref] = replace(bases[ref], parent=base, depth=base.depth + 1)
    base_of = {**plan.base_of, **more.base_of}
    return replace(
        plan,
        bases=tuple(bases.values()),
        reused=tuple(reused.values()),
        base_of={key: base for key, base in base_of.items() if key in plan.depth_after},
        depth_after=more.depth_after,
        steps_after=more.steps_after,
    )


def _both(draft: Draft, more: Draft) -> Draft:
    """Two drafts as one: a base that a later round changed is still a new file."""
    bases, children = dict(draft.bases), dict(draft.children)
    for path, text in more.children.items():
        (bases if path in bases else children)[path] = text
    return Draft(
        bases={**bases, **more.bases},
        children=children,
        builds={**draft.builds, **more.builds},
    )


def _serving_more(known: Base, again: Base) -> Base:
    """A base with the images that another round moved onto it."""
    served = (*known.served, *(image for image in again.served if image not in known.served))
    return replace(
        known,
        members=(*known.members, *again.members),
        served=served,
        saved_steps=known.saved_steps + again.saved_steps,
        saved_cost=known.saved_cost + again.saved_cost,
    )
