"""Plans, drafts and proves until what is left is proved; then says which files to write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dockstrata.load.context import forget_contexts
from dockstrata.meaning.images import Image
from dockstrata.meaning.repository import Repository, read_repository, written_by_us
from dockstrata.plan.adoptable import adoptable_images
from dockstrata.plan.candidates import Limit, Tier, tiers
from dockstrata.plan.model import Plan, Refusal
from dockstrata.plan.planner import Placement, make_plan
from dockstrata.plan.settings import PlanSettings
from dockstrata.plan.weights import CostModel
from dockstrata.rewrite.bake import bake_file
from dockstrata.rewrite.draft import Draft, make_draft
from dockstrata.rewrite.elsewhere import Elsewhere, image_name
from dockstrata.rewrite.merge import Merge, Merged, merge_deep, merge_single
from dockstrata.rewrite.proof import prove
from dockstrata.rewrite.rounds import in_rounds
from dockstrata.source import Source

BAKE_FILE = "docker-bake.hcl"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asks of a refactoring; ``bases`` is the folder for new ones, below the root,
    ``names`` what they are called instead of the proposed names."""

    settings: PlanSettings = field(default_factory=PlanSettings)
    bases: str = "bases"
    registry: str = "localhost"
    tag: str = "name"
    names: Mapping[str, str] = field(default_factory=dict)
    include_generated: bool = False
    model: CostModel | None = None


@dataclass(frozen=True, slots=True)
class Refactoring:
    """A proved plan with the text of every file that it writes: new and changed ones by path.

    ``merged`` are chains that were too deep, ``dissolved`` bases that one image was left on,
    ``after`` is the repository as it will be, ``removed`` the files that go; ``originals`` are
    the texts of those files that are there.
    ``generated`` is the plan with ``include_generated``, where that is off and would matter;
    ``blocked`` are paths of new files at which something of the user's lies.
    """

    plan: Plan
    draft: Draft
    merged: Merged
    dissolved: tuple[Merge, ...]
    after: Repository
    removed: tuple[str, ...]
    new: dict[str, str]
    changed: dict[str, str]
    originals: dict[str, str]
    generated: Plan | None
    blocked: tuple[str, ...] = ()


def refactor(repository: Repository, options: Options) -> Refactoring:
    """The cheapest proved refactoring of a repository. Nothing is written."""
    original = repository
    excluded = _excluded(repository, options)
    kept = {image.path for image in repository.set.images if image.id in excluded}
    merged = merge_deep(repository.library, options.settings, lambda path: path not in kept)
    if merged.merges:
        repository = repository.with_library(merged.library)

    elsewhere = Elsewhere(repository.root, original.library.documents)
    used = _names(repository) | elsewhere.bases

    def one_round(now: Repository, tier: Tier, wait: set[str]) -> tuple[Plan, Draft]:
        waits = {key: Refusal(key, "waits", "for a stage that it takes files from") for key in wait}
        return _proved(now, options, {**waits, **excluded}, tier, used)

    def dissolve(now: Repository) -> Merged:
        return merge_single(now.library, lambda path: path not in kept, elsewhere.names)

    rounds = in_rounds(repository, tiers(options.settings.max_depth), one_round, dissolve)
    plan, draft, final = rounds.plan, rounds.draft, rounds.after
    if merged.merges:  # which write steps twice
        plan = replace(plan, steps=sum(len(image.steps) for image in original.set.images))
    generated: Plan | None = None
    if not options.include_generated and any(
        path in repository.generated for path in _paths(repository)
    ):
        everything = replace(options, include_generated=True)
        generated = make_plan(
            repository.set,
            options.settings,
            _placement(repository, everything, used),
            _excluded(repository, everything),
            adoptable_images(repository.set, repository.library),
            options.model,
        )
    new = dict(draft.bases)
    removed = [merge.removed for merge in rounds.dissolved if merge.removed is not None]
    texts = {**merged.texts, **draft.children}
    changed = {path: text for path, text in texts.items() if path not in removed}
    blocked = [path for path in new if _taken(path)]
    path = repository.under_root(options.bases, BAKE_FILE)
    if plan.reused or any(base.kind == "file" for base in plan.bases):
        new[path] = bake_file(final, path)
        if _taken(path) and not written_by_us(path):
            blocked.append(path)
    elif (merged.merges or removed) and written_by_us(path):
        # Some targets have other contexts now, or are no more.
        if final.library.marked:
            new[path] = bake_file(final, path)
        else:
            removed.append(path)
    originals = _texts_of(original, [*new, *changed, *removed])
    return Refactoring(
        plan,
        draft,
        merged,
        rounds.dissolved,
        final,
        tuple(removed),
        new,
        changed,
        originals,
        generated,
        tuple(blocked),
    )


def _texts_of(repository: Repository, paths: Iterable[str]) -> dict[str, str]:
    """The texts of those of the files that are there, as they are now."""
    found: dict[str, str] = {}
    for path in paths:
        if (document := repository.library.documents.get(path)) is not None:
            found[path] = document.source.text
        elif written_by_us(path):
            with open(path, "rb") as file:
                found[path] = Source.from_bytes(path, file.read()).text
    return found


def taken_along(before: Repository, paths: Sequence[str]) -> list[str]:
    """After a refactoring was written: images that copy some of the written files themselves."""
    forget_contexts()
    now = read_repository(paths, exclude=before.exclude, builds=before.configured)
    meanings = {image.id: image.stage.meaning for image in now.set.images}
    return [
        image.id
        for image in before.set.images
        if meanings.get(image.id, image.stage.meaning) != image.stage.meaning
    ]


def _taken(path: str) -> bool:
    """Whether something lies at the path, or where one of its folders must be."""
    folder = os.path.dirname(path)
    while folder and not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return os.path.lexists(path) or (bool(folder) and not os.path.isdir(folder))


def _paths(repository: Repository) -> Iterable[str]:
    return (evaluation.document.path for evaluation in repository.set.evaluations)


def _excluded(repository: Repository, options: Options) -> dict[str, Refusal]:
    """Images that stay as they are whatever they share."""
    found: dict[str, Refusal] = {}
    numbered = {
        product.path: product.target
        for product in repository.library.products.values()
        if product.target is not None and product.target.isdecimal()
    }
    for image in repository.set.images:
        generated = repository.generated.get(image.path)
        if generated is not None and not options.include_generated:
            message = f"{generated.reason}; change that, or use --include-generated"
            found[image.id] = Refusal(image.id, "generated", message)
        elif not _is_utf8(image.path):
            message = "its path is not UTF-8, and a bake file could not name it"
            found[image.id] = Refusal(image.id, "path-not-utf8", message)
        elif image.path in numbered:
            message = f"its build asks for stage {numbered[image.path]}, which may move"
            found[image.id] = Refusal(image.id, "numbered-target", message)
        elif os.path.islink(image.path):
            found[image.id] = Refusal(image.id, "symlink", "is a symbolic link")
    return found


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _names(repository: Repository) -> frozenset[str]:
    """Names that are in use: stages, images, and the bases that dockstrata wrote."""
    taken = {name.lower() for name in _stage_names(repository)}
    for reference in repository.library.marked.values():
        taken.add(image_name(reference))
    return frozenset(taken)


def _placement(repository: Repository, options: Options, used: frozenset[str]) -> Placement:
    """``used`` are names that are not free, beside those of the repository."""
    directory = repository.under_root(options.bases)
    taken = used | _names(repository)
    return Placement(directory, options.registry, options.tag, taken, options.names)


def _stage_names(repository: Repository) -> Iterable[str]:
    """Names that a new stage or base must not have: stages and images in use."""
    for evaluation in repository.set.evaluations:
        for stage in evaluation.stages:
            yield stage.image
            if stage.name is not None:
                yield stage.name


def _proved(
    repository: Repository,
    options: Options,
    excluded: dict[str, Refusal],
    tier: Tier,
    used: frozenset[str],
) -> tuple[Plan, Draft]:
    """Plan and draft, leaving out what cannot be proved, until all that is left is."""
    placement = _placement(repository, options, used)
    adoptable = adoptable_images(repository.set, repository.library)
    limits: dict[str, Limit] = {}
    while True:
        plan = make_plan(
            repository.set,
            options.settings,
            placement,
            excluded,
            adoptable,
            options.model,
            limits,
            tier,
        )
        draft = make_draft(plan, repository.root)
        failed = {
            image_id: Refusal(image_id, "context-differs", message)
            for image_id, message in draft.mismatched.items()
        }
        if not failed:
            for disproof in prove(plan, draft, repository.set, repository.library.resolve):
                failed[disproof.id] = Refusal(disproof.id, "not-proved", disproof.message)
        if not failed:
            return plan, draft
        # What fails on an existing base may still do with a new one.
        unfit = {
            image_id
            for base in plan.reused
            if any(image.id in failed for image in base.served)
            for image_id, ref in adoptable.items()
            if ref == base.ref
        }
        if unfit:
            adoptable = {key: ref for key, ref in adoptable.items() if key not in unfit}
            continue
        limits |= _tighter(repository, plan, failed, limits)


def _tighter(
    repository: Repository,
    plan: Plan,
    failed: Mapping[str, Refusal],
    limits: Mapping[str, Limit],
) -> dict[str, Limit]:
    """Fewer steps for what failed: first one less than tried, then two, then four, till none."""
    found: dict[str, Limit] = {}

    def tighten(image: Image, refusal: Refusal) -> None:
        served = [base.lifted(image) for base in plan.bases if image in base.served]
        tried = max(served, default=len(image.steps))
        before = limits.get(image.id)
        times = 0 if before is None else before.times
        found[image.id] = Limit(max(0, tried - 2**times), refusal, times + 1)

    leaders = {(i.path, i.stage.index): i for i in reversed(repository.set.images)}
    for image in repository.set.images:
        if image.id not in failed:
            continue
        if image.id in plan.base_of:
            leader = leaders[image.path, image.stage.index]
            tighten(leader, replace(failed[image.id], id=leader.id))
            continue
        # A stage that is on no base itself can only suffer from those of its file.
        for other in repository.set.images:
            if other.path == image.path and other.id in plan.base_of:
                tighten(other, replace(failed[image.id], id=other.id))
    return found
