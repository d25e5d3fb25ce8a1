"""``plan`` for a person who decides: which bases, who uses them, what is saved, what is refused."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from dockstrata.meaning.repository import Repository
from dockstrata.plan.model import Base, Plan, Refusal
from dockstrata.report.plain import count, step_line
from dockstrata.report.terminal import printable, shorten
from dockstrata.rewrite.merge import Merge
from dockstrata.rewrite.refactor import Refactoring
from dockstrata.similarity.near import NearMiss
from dockstrata.syntax.readable import readable

REASONS = {
    "context-differs": "set their environment in another way than the others",
    "depth-limit": "their chain would be deeper than --max-depth allows",
    "does-not-build": "the Dockerfile does not build as it is",
    "generated": "generated files: change the template, or use --include-generated",
    "missing-context": "their build context is not there, so nobody knows what COPY takes",
    "named-context": "their base is a named context of their build",
    "stage-by-argument": "a build argument decides which stage of the file they draw from",
    "not-proved": "the rewritten image could not be proved equal",
    "not-worth-it": "what else repeats saves less than one more image costs",
    "numbered-target": "their builds ask for a stage by its number",
    "onbuild-parent": "their parent runs ONBUILD triggers with the child's own files",
    "onbuild-root": "the root image runs ONBUILD triggers with the child's own files",
    "other-platform": "FROM --platform: a base in another file is built for the target's",
    "built-in-several-ways": "built in several ways whose results differ from there on",
    "path-not-utf8": "their path is not UTF-8, and a bake file could not name it",
    "too-deep": "their chain is deeper than --max-depth, and no merge could be proved equal",
    "stage-source": "take files from another stage of their file",
    "symlink": "the Dockerfile is a symbolic link",
}
_SHOWN = 8
_NEAR = 5


def plan_text(
    repository: Repository, refactoring: Refactoring, near: Sequence[NearMiss], width: int
) -> Iterator[str]:
    """The plan's lines."""
    plan = refactoring.plan
    yield headline(repository, refactoring)
    for number, base in enumerate([*plan.reused, *plan.bases], 1):
        yield ""
        yield from _base(number, base, refactoring, width)
    yield from _merged(refactoring)
    yield from _refused([*refactoring.merged.refused, *plan.refused])
    yield from _near(near, width)
    for line in with_generated(refactoring):
        yield from ("", line)
    for path in refactoring.blocked:
        yield ""
        yield f"In the way: {printable(path)} exists and dockstrata did not write it (see --bases)."
    yield ""
    yield from minimised(plan)


def headline(repository: Repository, refactoring: Refactoring) -> str:
    """The plan in a sentence."""
    plan = refactoring.plan
    images = len(repository.set.images)
    if refactoring.dissolved and not plan.bases and not plan.reused:
        return "No new base image would pay; bases that at most one image is left on go."
    if refactoring.merged.merges and not plan.bases and not plan.reused:
        return "No new base image would pay; chains that are too deep are merged."
    if plan.reused and not plan.bases:
        moved = count(len(plan.base_of), "image")
        return f"{moved} would move onto base images that exist; no new one would pay."
    if plan.bases:
        return (
            f"{count(len(plan.bases), 'base image')} would serve {len(plan.base_of)} of"
            f" {images} images: {plan.steps_after} steps to build and maintain instead of"
            f" {plan.steps} ({_difference(plan.steps_after - plan.steps)})."
        )
    return f"Nothing to lift: no base image would pay for {count(images, 'image')}."


def _difference(more: int) -> str:
    return f"{more} more, for --max-depth" if more > 0 else f"{-more} fewer"


def minimised(plan: Plan) -> Iterator[str]:
    """What the plan is the best of, in sentences."""
    deepest = max(plan.depth_after.values(), default=0)
    costs = ", ".join(f"{kind} {cost:g}" for kind, cost in plan.settings.step_cost.items() if cost)
    yield f"Deepest image: {deepest} (--max-depth {plan.settings.max_depth})."
    extra = f"{plan.settings.image_cost:g} for each new image"
    if plan.model.name == "history":
        costs += ", times how often a step or one above it changes a month, by git's history"
    elif plan.model.name == "measured":
        costs = f"measured layer sizes in MB, else {costs}"
    yield f"Minimised: cost of all steps ({costs}) and {extra}."


def start(base: Base) -> str:
    """What its FROM says, less the name of the stage."""
    if base.parent is not None:
        return base.parent.ref
    platform = base.served[0].stage.platform
    option = f"--platform={readable(platform)} " if platform and base.kind == "stage" else ""
    return option + readable(base.served[0].stage.root)


def one_for_all(base: Base, refactoring: Refactoring) -> str | None:
    """Of a new base that copies one build context's files for images that had copies: a sentence.

    The copies are equal today, and nothing keeps them so: an edit of one changes no image.
    """
    build = refactoring.draft.builds.get(base.path)
    if build is None:
        return None
    theirs = {
        context
        for image in base.served
        for step in image.steps[base.lifted_below(image) : base.lifted(image)]
        for context in step.contexts
    }
    others = sorted(theirs - {build.context, *(path for _, path in build.contexts)})
    if not others:
        return None
    more = f" and {count(len(others) - 1, 'other folder')}" if len(others) > 1 else ""
    return f"takes its files from {build.context}, no longer from {others[0]}{more}"


def _base(number: int, base: Base, refactoring: Refactoring, width: int) -> Iterator[str]:
    plan = refactoring.plan
    where = f"new file {base.path}" if base.kind == "file" else f"new stage in {base.path}"
    if base.existing:
        where = f"exists: {base.path}"
    yield f"{number}. {printable(base.ref)}  ({printable(where)})"
    yield f"   FROM {printable(start(base))}, depth {base.depth}"
    for step in base.own_steps:
        text = printable(step_line(step.instruction))
        yield "   " + shorten(text, width - 3)
    if (note := one_for_all(base, refactoring)) is not None:
        yield f"   {printable(note)}"
    unit = f" {plan.model.unit}" if plan.model.name == "measured" else ""
    yield (
        f"   saves {count(base.saved_steps, 'step')} (cost {base.saved_cost:g}{unit}) in"
        f" {count(len(base.served), 'image')}:"
    )
    direct = {member.image.id for member in base.members}
    shown = [image for image in base.served if image.id in direct][:_SHOWN]
    for image in shown:
        depths = f"depth {image.depth} → {plan.depth_of(image)}"
        yield f"     {printable(image.id)}  ({depths})"
    if len(direct) > len(shown):
        yield f"     and {len(direct) - len(shown)} more"
    for other in plan.bases:
        if other.parent is not None and other.parent.ref == base.ref:
            yield f"     {printable(other.ref)}  (a base of this plan)"


def merges(refactoring: Refactoring) -> Iterator[tuple[str, list[Merge]]]:
    """The merges, and why they are made, in words."""
    if refactoring.merged.merges:
        depth = refactoring.plan.settings.max_depth
        yield f"Merged, for chains deeper than {depth}", list(refactoring.merged.merges)
    if refactoring.dissolved:
        yield "Bases that at most one image is left on, and that go", list(refactoring.dissolved)


def merge_line(merge: Merge, shown: Callable[[str], str]) -> str:
    """What takes over what; ``shown`` makes a name fit for the format."""
    if merge.image is None:
        return f"nothing is built on {shown(merge.parent)} any more"
    line = f"{shown(merge.image)} takes over {shown(merge.parent)}"
    if not merge.steps:
        return line
    its = "its step stands" if merge.steps == 1 else f"its {merge.steps} steps stand"
    why = f"cost {merge.cost:g}" if merge.cost else "nothing else is built on it"
    return f"{line}; {its} twice then ({why})"


def _merged(refactoring: Refactoring) -> Iterator[str]:
    for why, group in merges(refactoring):
        yield ""
        yield f"{why}:"
        for merge in group:
            yield f"  {merge_line(merge, printable)}"


def _refused(refused: Sequence[Refusal]) -> Iterator[str]:
    if not refused:
        return
    yield ""
    yield "What stays as it is, and why:"
    for reason, why, refusals in grouped(refused):
        yield f"  {count(len(refusals), 'image')}, {reason}: {why}"
        yield from _examples(refusals)


def grouped(refused: Sequence[Refusal]) -> Iterator[tuple[str, str, list[Refusal]]]:
    """Refusals by reason, most frequent first: the reason, in words, and its refusals."""
    groups: dict[str, list[Refusal]] = defaultdict(list)
    for refusal in refused:
        groups[refusal.reason].append(refusal)
    for reason, refusals in sorted(groups.items(), key=lambda item: -len(item[1])):
        yield reason, REASONS.get(reason, reason.replace("-", " ")), refusals


def _examples(refusals: Sequence[Refusal]) -> Iterator[str]:
    """The most frequent messages, each with an image that it is said of."""
    counted = Counter(refusal.message for refusal in refusals)
    for message, number in counted.most_common(3):
        first = next(refusal for refusal in refusals if refusal.message == message)
        others = f" and {number - 1} more" if number > 1 else ""
        yield f"    {printable(first.id)}{others}: {printable(message)}"
    if len(counted) > 3:
        rest = sum(number for _, number in counted.most_common()[3:])
        yield f"    and {rest} more (--format json has all)"


def _near(near: Sequence[NearMiss], width: int) -> Iterator[str]:
    if not near:
        return
    yield ""
    yield "Nearly the same; an edit would let more be shared:"
    for miss in near[:_NEAR]:
        first = miss.edits[0]
        others = len(miss.edits) - 1
        more = f" and {count(others, 'other place')}" if others else ""
        place = printable(f"{first.path}:{first.line}")
        yield (
            f"  {place}{more} ({first.kind}): {count(miss.gained, 'step')} more for"
            f" {count(len(miss.images), 'image')}"
        )
        for sign, text in zip("-+", differing(first.old, first.new), strict=True):
            yield "    " + shorten(f"{sign} {printable(text)}", width - 4)
    if len(near) > _NEAR:
        yield f"  and {len(near) - _NEAR} more (--format json has all)"


def differing(old: str, new: str) -> tuple[str, str]:
    """Two texts from the first word on in which they differ."""
    mine, theirs = old.split(), new.split()
    same = 0
    while same < min(len(mine), len(theirs)) and mine[same] == theirs[same]:
        same += 1
    if mine == theirs:
        return old, new
    lead = ["…"] if same > 1 else []
    start = same if same > 1 else 0
    return " ".join([*lead, *mine[start:]]), " ".join([*lead, *theirs[start:]])


def with_generated(refactoring: Refactoring) -> Iterator[str]:
    """What more there would be in generated files; nothing where that is nothing."""
    more = refactoring.generated
    if more is None or len(more.bases) <= len(refactoring.plan.bases):
        return
    yield (
        f"With --include-generated: {count(len(more.bases), 'base image')} for"
        f" {len(more.base_of)} images, {more.steps_after} steps. An edit of a generated file is"
        " lost when it is generated again; the place to make it is the template."
    )
