"""Proves a draft equal to what it replaces, image by image, before anything is written.

What would be written is parsed and evaluated again, each child flattened onto its base, and every
stage's meaning (root, steps with their contexts) and configuration compared with the original's.
Files of the build contexts are read as they are now on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockstrata.load.wiring import Build
from dockstrata.meaning.evaluate import Evaluation, Resolver, Stage, canonical_image, evaluate
from dockstrata.meaning.images import ImageSet
from dockstrata.meaning.library import reader
from dockstrata.plan.model import Base, Plan
from dockstrata.rewrite.draft import Draft
from dockstrata.source import Source
from dockstrata.syntax.parse import parse


@dataclass(frozen=True, slots=True)
class Disproof:
    """An image that would not come out equal, and the first difference."""

    id: str
    message: str


def prove(plan: Plan, draft: Draft, images: ImageSet, resolve: Resolver) -> list[Disproof]:
    """What would not be equal after the draft; empty: everything is proved.

    ``resolve`` knows the images that the set builds already.
    """
    found: dict[str, Disproof] = {}
    ids: dict[int, dict[int, str]] = {}
    for image in images.images:
        ids.setdefault(id(image.evaluation), {})[image.stage.index] = image.id
    for carry_shell in (False, True):
        known = _Known(plan, draft, resolve, carry_shell)
        for before in images.evaluations:
            path = before.document.path
            if path in draft.children:
                after = known.evaluate(path, draft.children[path], before.build)
                for disproof in _compare(before, after, draft.moved[path], ids[id(before)]):
                    found.setdefault(disproof.id, disproof)
        if not known.have_shell:
            break  # it makes no difference whether SHELL survives
    return list(found.values())


class _Known:
    """Evaluates drafts, and bases among them by what children call them."""

    def __init__(self, plan: Plan, draft: Draft, resolve: Resolver, carry_shell: bool) -> None:
        self.draft = draft
        self.resolve_old = resolve
        self.carry_shell = carry_shell
        self.bases: Mapping[str, Base] = {
            canonical_image(base.ref): base for base in plan.bases if base.kind == "file"
        }
        self.made: dict[str, Stage | None] = {}
        self.have_shell = False

    def evaluate(self, path: str, text: str, build: Build | None) -> Evaluation:
        directory = build.context if build is not None else path.rpartition("/")[0] or "."
        document = parse(Source(path, text))
        return evaluate(
            document,
            reader(directory, path),
            self.resolve,
            build=build,
            carry_shell=self.carry_shell,
        )

    def resolve(self, reference: str) -> Stage | None:
        if reference not in self.made:
            self.made[reference] = None  # a base that leads to itself is never equal to anything
            self.made[reference] = stage = self._stage(reference)
            self.have_shell = self.have_shell or (
                stage is not None and stage.config.shell is not None
            )
        return self.made[reference]

    def _stage(self, reference: str) -> Stage | None:
        base = self.bases.get(reference)
        if base is None:
            return self.resolve_old(reference)
        evaluation = self.evaluate(
            base.path, self.draft.bases[base.path], self.draft.builds[base.path]
        )
        return evaluation.stages[-1] if not evaluation.document.faults else None


def _compare(
    before: Evaluation, after: Evaluation, moved: Mapping[int, int], ids: Mapping[int, str]
) -> list[Disproof]:
    found: list[Disproof] = []
    if after.document.faults:
        fault = after.document.faults[0]
        message = f"the rewritten file would not parse: line {fault.line}: {fault.message}"
        return [Disproof(image_id, message) for image_id in ids.values()]
    added = len(after.stages) - len(before.stages)
    for stage in before.stages:
        now = moved[stage.index]
        lost = added < 0 or now >= len(after.stages)
        apart = "it would be lost" if lost else difference(stage, after.stages[now])
        if apart is not None:
            found.append(Disproof(ids[stage.index], apart))
    return found


def difference(before: Stage, after: Stage) -> str | None:
    """The first difference between two evaluated stages, ``None`` where they are equal."""
    if before.name != after.name:
        return "the stage would have another name"
    if after.problem is not None and before.problem is None:
        return f"it would no longer build: {after.problem}"
    if before.meaning != after.meaning:
        return "its steps or their contexts would differ" + _first_step(before, after)
    if before.config_digest() != after.config_digest():
        return f"its configuration would differ: {_first_setting(before, after)}"
    return None


def _first_step(before: Stage, after: Stage) -> str:
    """Which of the last steps, that both states have, is the first to differ."""
    common = min(len(before.steps), len(after.steps))
    pairs = zip(before.steps[-common:], after.steps[-common:], strict=True) if common else ()
    for old, new in pairs:
        if old.meaning != new.meaning:
            return f", first at line {old.instruction.start_line} ({old.kind})"
    return ""


def _first_setting(before: Stage, after: Stage) -> str:
    names = (
        "PATH", "environment", "labels", "ports", "volumes", "command", "entrypoint", "command",
        "healthcheck", "stop signal", "author", "user", "working directory", "shell", "ONBUILD",
    )  # fmt: skip
    pairs = zip(names, before.config.key(), after.config.key(), strict=True)
    return next((name for name, old, new in pairs if old != new), "root image")
