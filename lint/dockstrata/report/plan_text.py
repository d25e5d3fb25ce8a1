"""``plan`` for a person who decides: which bases, who uses them, what is saved, what is refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from dockstrata.meaning.repository import Repository
from dockstrata.plan.model import Base, Plan, Refusal
from dockstrata.report.terminal import printable, shorten
from dockstrata.rewrite.refactor import Refactoring
from dockstrata.syntax.readable import readable

_REASONS = {
    "built-on-stage": "built on another image of the set, which stays their parent",
    "context-differs": "set their environment in another way than the others",
    "depth-limit": "their chain would be deeper than --max-depth allows",
    "does-not-build": "the Dockerfile does not build as it is",
    "generated": "generated files: change the template, or use --include-generated",
    "missing-context": "their build context is not there, so nobody knows what COPY takes",
    "not-proved": "the rewritten image could not be proved equal",
    "not-worth-it": "what else repeats saves less than one more image costs",
    "onbuild-root": "the root image runs ONBUILD triggers with the child's own files",
    "other-platform": "FROM --platform: a base in another file is built for the target's",
    "stage-source": "take files from another stage of their file",
    "symlink": "the Dockerfile is a symbolic link",
}
_SHOWN = 8


def plan_text(repository: Repository, refactoring: Refactoring, width: int) -> Iterator[str]:
    """The plan's lines."""
    plan = refactoring.plan
    images = len(repository.set.images)
    if plan.reused and not plan.bases:
        moved = _count(len(plan.base_of), "image")
        yield f"{moved} would move onto base images that exist; no new one would pay."
    elif plan.bases:
        yield (
            f"{_count(len(plan.bases), 'base image')} would serve {len(plan.base_of)} of"
            f" {images} images: {plan.steps_after} steps to build and maintain instead of"
            f" {plan.steps} ({plan.steps - plan.steps_after} fewer)."
        )
    else:
        yield f"Nothing to lift: no base image would pay for {_count(images, 'image')}."
    for number, base in enumerate([*plan.reused, *plan.bases], 1):
        yield ""
        yield from _base(number, base, plan, width)
    yield from _refused(plan, width)
    yield from _generated(refactoring)
    for path in refactoring.blocked:
        yield ""
        yield f"In the way: {printable(path)} exists and dockstrata did not write it (see --bases)."
    yield ""
    deepest = max(plan.depth_after.values(), default=0)
    costs = ", ".join(f"{kind} {cost:g}" for kind, cost in plan.settings.step_cost.items() if cost)
    yield f"Deepest image: {deepest} (--max-depth {plan.settings.max_depth})."
    extra = f"{plan.settings.image_cost:g} for each new image"
    yield f"Minimised: cost of all steps ({costs}) and {extra}."


def _base(number: int, base: Base, plan: Plan, width: int) -> Iterator[str]:
    where = f"new file {base.path}" if base.kind == "file" else f"new stage in {base.path}"
    if base.existing:
        where = f"exists: {base.path}"
    start = base.parent.ref if base.parent is not None else readable(base.served[0].stage.root)
    yield f"{number}. {printable(base.ref)}  ({printable(where)})"
    yield f"   FROM {printable(start)}, depth {base.depth}"
    for step in base.own_steps:
        text = printable(" ".join(step.instruction.line.split()))
        yield "   " + shorten(text, width - 3)
    yield (
        f"   saves {_count(base.saved_steps, 'step')} (cost {base.saved_cost:g}) in"
        f" {_count(len(base.served), 'image')}:"
    )
    direct = {member.image.id for member in base.members}
    shown = [image for image in base.served if image.id in direct][:_SHOWN]
    for image in shown:
        depths = f"depth {image.depth} → {plan.depth_after[image.id]}"
        yield f"     {printable(image.id)}  ({depths})"
    if len(direct) > len(shown):
        yield f"     and {len(direct) - len(shown)} more"
    for other in plan.bases:
        if other.parent is base:
            yield f"     {printable(other.ref)}  (a base of this plan)"


def _refused(plan: Plan, width: int) -> Iterator[str]:
    if not plan.refused:
        return
    groups: dict[str, list[Refusal]] = defaultdict(list)
    for refusal in plan.refused:
        groups[refusal.reason].append(refusal)
    yield ""
    yield "Repeated steps that stay where they are:"
    for reason, refusals in sorted(groups.items(), key=lambda item: -len(item[1])):
        why = _REASONS.get(reason, reason.replace("-", " "))
        yield f"  {_count(len(refusals), 'image')}, {reason}: {why}"
        for refusal in refusals[:3]:
            text = f"{printable(refusal.id)}: {printable(refusal.message)}"
            yield "    " + shorten(text, width - 4)
        if len(refusals) > 3:
            yield f"    and {len(refusals) - 3} more (--format json has all)"


def _generated(refactoring: Refactoring) -> Iterator[str]:
    more = refactoring.generated
    if more is None or len(more.bases) <= len(refactoring.plan.bases):
        return
    yield ""
    yield (
        f"With --include-generated: {_count(len(more.bases), 'base image')} for"
        f" {len(more.base_of)} images, {more.steps_after} steps. An edit of a generated file is"
        " lost when it is generated again; the place to make it is the template."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
