"""Which images may be put on a new base, how far, and what stands in the way of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dockstrata.meaning.images import Image, ImageSet
from dockstrata.meaning.step import Step
from dockstrata.plan.model import Refusal
from dockstrata.plan.settings import PlanSettings


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that may move: how many leading steps, and on how many bases at most.

    ``file_steps`` is the same for a base in a file of its own, which sees no stage of this file.
    ``stop`` says why it is not all of its steps.
    """

    image: Image
    steps: int
    file_steps: int
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
) -> tuple[list[Candidate], dict[str, Refusal]]:
    """The images that may move, and by id why the others may not.

    ``excluded`` are images that the caller leaves out, with its reasons; ``limits`` hold some to
    fewer steps.
    """
    heights = _heights(images)
    found: list[Candidate] = []
    refused: dict[str, Refusal] = {}
    others = _other_builds(images)
    for image in images.images:
        if image.id in others.follower_of:
            continue
        refusal = excluded.get(image.id) or _whole(image)
        levels = settings.max_depth - image.depth - heights.get(image.id, 0)
        if refusal is None and image.parent is None and levels < 1:
            refusal = Refusal(
                image.id,
                "depth-limit",
                f"one more image below it would make its chain deeper than {settings.max_depth}",
            )
        if refusal is not None:
            refused[image.id] = refusal
        elif image.parent is None:
            candidate = _candidate(image, levels, others.followers.get(image.id, ()))
            if (limit := limits.get(image.id)) is not None and limit.steps < candidate.file_steps:
                steps = limit.steps
                candidate = replace(candidate, steps=steps, file_steps=steps, stop=limit.refusal)
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
        height, below = 1, image.parent
        while below is not None and heights.get(below.id, 0) < height:
            heights[below.id] = height
            height, below = height + 1, below.parent
    return heights


def _whole(image: Image) -> Refusal | None:
    """What keeps the image as a whole from moving."""
    stage = image.stage
    if stage.problem is not None:
        return Refusal(image.id, "does-not-build", stage.problem)
    if stage.barrier is not None:
        return Refusal(image.id, stage.barrier.reason, stage.barrier.message)
    return None


def _candidate(image: Image, levels: int, followers: Sequence[Image]) -> Candidate:
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
    file_reach = reach
    for position, step in enumerate(steps[:reach]):
        line = step.instruction.start_line
        if step.barrier is not None:
            message = f"line {line}: {step.barrier.message}"
            stop = stop or Refusal(image.id, step.barrier.reason, message)
            reach = position
            break
        if position < file_reach and not _can_come_along(image, step):
            file_reach = position
            message = f"line {line} takes files from another stage of its file"
            stop = Refusal(image.id, "stage-source", message)
    if image.stage.platform is not None:
        file_reach = 0
        stop = stop or Refusal(
            image.id,
            "other-platform",
            "FROM --platform names a platform of its own; a base in another file is built for the"
            " target's",
        )
    return Candidate(image, reach, min(reach, file_reach), levels, stop)


def _can_come_along(image: Image, step: Step) -> bool:
    """Whether a base in another file can have the stages that the step takes files from.

    It can once these are nothing but a name for an image that the set builds: one FROM line.
    """
    stages = [image.evaluation.stages[index] for index in step.stages]
    return all(stage.name and stage.base and not stage.steps for stage in stages) and (
        not stages or _by_name(step)
    )


def _by_name(step: Step) -> bool:
    """Whether the step names the stage that it takes files from, and does not count it."""
    return not any(flag.removeprefix("--from=").isdecimal() for flag in step.instruction.flags)


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
        for step in image.steps if image.parent is None else ():
            stages = [image.evaluation.stages[index] for index in step.stages]
            if _by_name(step) and any(id(stage) in shared and stage.name for stage in stages):
                found.add(image.id)
            if stages:
                break
    return found


def _agreed(one: Image, other: Image) -> int:
    """How many steps two builds of one stage have in common."""
    if one.parent is not None or one.stage.start_chain != other.stage.start_chain:
        return 0
    count = 0
    for mine, theirs in zip(one.steps, other.steps, strict=False):
        if mine.chain != theirs.chain:
            break
        count += 1
    return count
