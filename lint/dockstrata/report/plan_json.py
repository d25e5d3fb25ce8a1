"""``plan --format json``: the object of the JSON contract, version 1."""

from __future__ import annotations

from collections.abc import Sequence

from dockstrata.meaning.images import Image
from dockstrata.meaning.repository import Repository
from dockstrata.meaning.step import Step
from dockstrata.plan.measured import Size
from dockstrata.plan.model import Base, Plan
from dockstrata.plan.weights import CostModel
from dockstrata.report.plain import valid
from dockstrata.rewrite.refactor import Refactoring
from dockstrata.similarity.near import NearMiss
from dockstrata.syntax.readable import readable


def plan_json(
    repository: Repository, refactoring: Refactoring, near: Sequence[NearMiss]
) -> dict[str, object]:
    """The plan as data; paths as the user writes them."""
    plan = refactoring.plan
    return {
        "version": 1,
        "max_depth": plan.settings.max_depth,
        "totals": {
            "dockerfiles": len(repository.set.evaluations),
            "images": len(repository.set.images),
            "steps": plan.steps,
            "steps_after": plan.steps_after,
            "bases": len(plan.bases),
            "images_changed": len(plan.base_of),
        },
        "costs": {
            "model": plan.model.name,
            "unit": plan.model.unit,
            "image": plan.settings.image_cost,
            "step": dict(plan.settings.step_cost),
        },
        "bases": [_base(base, refactoring) for base in plan.bases],
        "reused": [_base(base, refactoring) for base in plan.reused],
        "images": [_image(image, plan) for image in repository.set.images],
        "refused": [
            {"id": refusal.id, "reason": refusal.reason, "message": valid(refusal.message)}
            for refusal in (*refactoring.merged.refused, *plan.refused)
        ],
        "merged": [
            {
                "id": merge.image,
                "parent": merge.parent,
                "steps": merge.steps,
                "cost": merge.cost,
                "removed": merge.removed,
            }
            for merge in (*refactoring.merged.merges, *refactoring.dissolved)
        ],
        "near_misses": [_near(miss) for miss in near],
        "generated": _generated(refactoring.generated),
        "skipped": [
            {"path": skip.path, "reason": skip.reason, "message": skip.message}
            for skip in repository.skipped
        ],
        "problems": [
            {"path": problem.path, "line": problem.line, "message": valid(problem.message)}
            for problem in repository.problems
        ],
    }


def _base(base: Base, refactoring: Refactoring) -> dict[str, object]:
    root = readable(base.served[0].stage.root)
    return {
        "name": base.name,
        "kind": base.kind,
        "ref": base.ref,
        "path": base.path,
        "context": _context(base, refactoring),
        "from": base.parent.ref if base.parent is not None else valid(root),
        "steps": [_step(step, refactoring.plan.model) for step in base.own_steps],
        "depth": base.depth,
        "images": [image.id for image in base.served],
        "saves": {"steps": base.saved_steps, "cost": base.saved_cost},
    }


def _step(step: Step, model: CostModel) -> dict[str, object]:
    told: dict[str, object] = {"instruction": step.kind, "text": valid(step.instruction.line)}
    if model.name == "measured":
        size = model.sizes.get(step.meaning)
        told["size"] = None if size is None else _size(size)
    return told


def _size(size: Size) -> dict[str, object]:
    return {"mb": size.megabytes, "known_by": size.known, "sources": list(map(valid, size.sources))}


def _context(base: Base, refactoring: Refactoring) -> str:
    build = refactoring.draft.builds.get(base.path)
    if build is None and base.served[0].evaluation.build is not None:
        build = base.served[0].evaluation.build
    return build.context if build is not None else base.path.rpartition("/")[0] or "."


def _image(image: Image, plan: Plan) -> dict[str, object]:
    base = plan.base_of.get(image.id)
    return {
        "id": image.id,
        "path": image.path,
        "stage": image.stage.label,
        "base": base.name if base is not None else None,
        "depth_before": image.depth,
        "depth_after": plan.depth_of(image),
    }


def _near(miss: NearMiss) -> dict[str, object]:
    return {
        "images": [image.id for image in miss.images],
        "shared_steps_gained": miss.gained,
        "edits": [
            {
                "path": edit.path,
                "line": edit.line,
                "kind": edit.kind,
                "from": valid(edit.old),
                "to": valid(edit.new),
            }
            for edit in miss.edits
        ],
    }


def _generated(plan: Plan | None) -> dict[str, object] | None:
    if plan is None:
        return None
    return {
        "bases": len(plan.bases),
        "images_changed": len(plan.base_of),
        "steps_after": plan.steps_after,
    }
