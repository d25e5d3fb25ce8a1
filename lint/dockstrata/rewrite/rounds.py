"""Plans in rounds: what a first plan leaves may allow more, until nothing more is proposed.

An image that could not be proved on one base, a base that others just moved onto: a second run
would find them. So each round reads the drafted set as if it were written, and the plan that the
user sees is all rounds together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from dockstrata.meaning.images import Image
from dockstrata.meaning.repository import Repository
from dockstrata.plan.candidates import waiting
from dockstrata.plan.model import Base, Member, Plan, Refusal
from dockstrata.rewrite.draft import Draft
from dockstrata.source import Source
from dockstrata.syntax.parse import parse

MOST = 8
"""Rounds at most; each lifts something, so that they end by themselves in practice."""


def in_rounds(
    repository: Repository, make: Callable[[Repository, set[str]], tuple[Plan, Draft]]
) -> tuple[Plan, Draft]:
    """Plan and draft of all rounds together, told of the images of ``repository``.

    ``make`` plans and drafts one round, leaving out the images with these ids.
    """
    wait = waiting(repository.set)
    plan, draft = make(repository, wait)
    names = {image.id: image.id for image in repository.set.images}
    last, changes = plan, draft
    for _ in range(MOST):
        if not last.base_of and not wait:
            break
        wait = set()
        after = after_draft(repository, changes)
        moved = _renamed(repository, changes, after)
        names = {key: moved[name] for key, name in names.items()}
        repository = after
        last, changes = make(repository, wait)
        plan = _joined(plan, _told(last, names))
        draft = _both(draft, changes)
    return plan, draft


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
    """Two rounds as one plan; ``more`` knows the last word on depths, steps and refusals."""
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
        refused=tuple(_first_said(refusal, plan) for refusal in more.refused),
        steps_after=more.steps_after,
    )


def _first_said(refusal: Refusal, plan: Plan) -> Refusal:
    """The reason that kept an image from more when it was moved, not that it has moved; of equal
    reasons the first, whose line is the file's as it lies there."""
    first = next((other for other in plan.refused if other.id == refusal.id), refusal)
    return first if refusal.reason in ("built-on-stage", first.reason) else refusal


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
