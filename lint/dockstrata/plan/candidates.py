"""Which images may be put on a new base, how far, and what stands in the way of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dockstrata.meaning.images import Image, ImageSet
from dockstrata.meaning.step import Step
from dockstrata.plan.model import Refusal
from dockstrata.plan.settings import PlanSettings
from dockstrata.syntax.reference import context_name


@dataclass(frozen=True, slots=True)
class Tier:
    """What one round of planning is about.

    Images at one ``depth`` of what they stand on (1: external roots), so that no image moves in
    the round in which its parent does. ``inside``: bases are stages of the images' own file, for
    what a base in another file cannot have.
    """

    depth: int = 1
    inside: bool = False

    def takes(self, image: Image) -> bool:
        """Whether the image is one of this tier's."""
        return image.depth - 1 == self.depth and (self.inside or image.named.stage.parent is None)


FIRST = Tier()


def tiers(max_depth: int) -> list[Tier]:
    """All tiers in which a base may be put between an image and what it stands on."""
    depths = range(1, max(2, max_depth))
    return [Tier(depth, inside) for inside in (False, True) for depth in depths]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that may move: how many of its own leading steps, and on how many bases at most.

    ``inside`` is how many a stage of its own file could have; ``stop`` says why it is not all.
    """

    image: Image
    steps: int
    inside: int
    levels: int
    stop: Refusal | None


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``steps`` leading steps of an image may be lifted, and why no more.

    ``times`` counts how often that was made less.
    """

    steps: int
    refusal: Refusal
    times: int = 1


def candidates(
    images: ImageSet,
    settings: PlanSettings,
    excluded: Mapping[str, Refusal],
    limits: Mapping[str, Limit],
    tier: Tier,
) -> tuple[list[Candidate], dict[str, Refusal]]:
    """The tier's images that may move, and by id why the others may not.

    ``excluded`` are images that the caller leaves out, with its reasons; ``limits`` hold some to
    fewer steps.
    """
    heights = _heights(images)
    found: list[Candidate] = []
    refused: dict[str, Refusal] = {}
    others = _other_builds(images)
    for image in images.images:
        if image.id in others.follower_of or not tier.takes(image):
            continue
        refusal = excluded.get(image.id) or _whole(image)
        levels = settings.max_depth - 2 - heights.get(image.id, 0)
        if refusal is None and levels < tier.depth:
            refusal = Refusal(
                image.id,
                "depth-limit",
                f"one more image below it would make its chain deeper than {settings.max_depth}",
            )
        if refusal is not None:
            refused[image.id] = refusal
        else:
            if image.ground is None:
                # What it stands on is outside the tree, and takes its share of the depth.
                levels -= tier.depth - 1
            candidate = _candidate(image, levels, others.followers.get(image.id, ()), tier.inside)
            if (limit := limits.get(image.id)) is not None and limit.steps < candidate.steps:
                steps = limit.steps
                candidate = replace(candidate, steps=steps, inside=steps, stop=limit.refusal)
            found.append(candidate)
    return found, refused


@dataclass(frozen=True, slots=True)
class OtherBuilds:
    """Images that are the same stage of the same file, built in another way.

    A file has one text, so the first of them, the leader, decides for all.
    """

    followers: dict[str, list[Image]]
    follower_of: dict[str, str]


def _other_builds(images: ImageSet) -> OtherBuilds:
    leaders: dict[tuple[str, int], Image] = {}
    result = OtherBuilds({}, {})
    for image in images.images:
        leader = leaders.setdefault((image.path, image.stage.index), image)
        if leader is not image:
            result.followers.setdefault(leader.id, []).append(image)
            result.follower_of[image.id] = leader.id
    return result


def followers_of(images: ImageSet) -> dict[str, list[Image]]:
    """By the id of the image that decides, the other builds of the same stage."""
    return _other_builds(images).followers


def _heights(images: ImageSet) -> dict[str, int]:
    """By image id, how many images of the set lie above it on the longest chain."""
    heights: dict[str, int] = {}
    for image in images.images:
        height, at = image.adds, image
        while at.below is not None and heights.get(at.below.id, -1) < height:
            at = at.below
            heights[at.id] = height
            height += at.adds
    return heights


def _whole(image: Image) -> Refusal | None:
    """What keeps the image as a whole from moving."""
    stage = image.stage
    if stage.problem is not None:
        return Refusal(image.id, "does-not-build", stage.problem)
    if stage.barrier is not None:
        return Refusal(image.id, stage.barrier.reason, stage.barrier.message)
    if image.parent is not None and image.parent.stage.config.onbuild:
        message = f"{image.parent.id} runs ONBUILD triggers with its child's own build context"
        return Refusal(image.id, "onbuild-parent", message)
    build = image.evaluation.build
    name = image.named.stage.image
    if build is not None and context_name(name) in dict(build.contexts):
        message = f"{name} is a named context of its build"
        return Refusal(image.id, "named-context", message)
    return None


def _candidate(image: Image, levels: int, followers: Sequence[Image], inside: bool) -> Candidate:
    steps = image.steps
    stop: Refusal | None = None
    reach = len(steps)
    for other in followers:
        agreed = _agreed(image, other)
        if agreed < reach:
            reach = agreed
            who = other.evaluation.build.service if other.evaluation.build is not None else ""
            stop = Refusal(
                image.id,
                "built-in-several-ways",
                f"is built in another way by {who or other.id}: from line"
                f" {steps[agreed].instruction.start_line} on the results differ",
            )
    for position, step in enumerate(steps[:reach]):
        line = step.instruction.start_line
        if step.barrier is not None:
            message = f"line {line}: {step.barrier.message}"
            stop = stop or Refusal(image.id, step.barrier.reason, message)
            reach = position
            break
    if inside:
        return Candidate(image, reach, reach, levels, stop)
    apart = _apart(image, reach)
    if apart is None:
        return Candidate(image, reach, reach, levels, stop)
    return Candidate(image, apart[0], reach, levels, apart[1])


def _apart(image: Image, reach: int) -> tuple[int, Refusal] | None:
    """How much less than ``reach`` a base in another file can have, and why."""
    if any(it.stage.platform is not None for it in image.way):
        message = (
            "FROM --platform names a platform of its own; a base in another file is built for the"
            " target's"
        )
        return 0, Refusal(image.id, "other-platform", message)
    for position, step in enumerate(image.steps[:reach]):
        if not _can_come_along(image, step):
            line = step.instruction.start_line
            message = f"line {line} takes files from another stage of its file"
            return position, Refusal(image.id, "stage-source", message)
    return None


def _can_come_along(image: Image, step: Step) -> bool:
    """Whether a base in another file can have the stages that the step takes files from.

    It can once these are nothing but a name for an image that the set builds: one FROM line.
    """
    stages = [image.evaluation.stages[index] for index in step.stages]
    return all(stage.base and not stage.steps for stage in stages)


def by_file(able: Sequence[Candidate]) -> list[list[Candidate]]:
    """The candidates of each file that has several, in their order."""
    found: dict[str, list[Candidate]] = {}
    for candidate in able:
        found.setdefault(candidate.image.path, []).append(candidate)
    return [group for group in found.values() if len(group) > 1]


def waiting(images: ImageSet) -> set[str]:
    """Images that may go on further once a stage that they take files from is a base itself.

    Such a stage has nothing but steps that other images have too. To move its takers before it
    would leave these on a base that ends where they take from it.
    """
    counts = Counter(step.chain for image in images.images for step in image.steps)
    shared = {
        id(image.stage)
        for image in images.images
        if image.steps and all(counts[step.chain] > 1 for step in image.steps)
    }
    found: set[str] = set()
    for image in images.images:
        for step in image.steps if image.ground is None else ():
            stages = [image.evaluation.stages[index] for index in step.stages]
            if any(id(stage) in shared for stage in stages):
                found.add(image.id)
            if stages:
                break
    return found


def _agreed(one: Image, other: Image) -> int:
    """How many steps two builds of one stage have in common."""
    if (one.ground is None) != (other.ground is None):
        return 0
    if one.stage.start_chain != other.stage.start_chain:
        return 0
    count = 0
    for mine, theirs in zip(one.steps, other.steps, strict=False):
        if mine.chain != theirs.chain:
            break
        count += 1
    return count
