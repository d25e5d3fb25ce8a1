"""What the planner is told: limits and costs. Read by rules too, so free of everything heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

STEP_COST: Mapping[str, float] = {"RUN": 10.0, "ADD": 3.0, "COPY": 3.0, "WORKDIR": 0.0}
"""What building and maintaining a step costs, by instruction; a unit has no meaning of its own."""

IMAGE_COST = 2.0
"""What one more image to build, name and keep costs, in the same unit."""


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """Limits and costs of a plan.

    ``max_depth`` counts the images on a FROM path, external root and image itself included;
    ``min_images`` how many images a base must serve; ``min_steps`` how many steps other than
    WORKDIR it must add to the base below it. ``merge_stages``: the depth was asked for, so that
    stages of one file are merged for it even where steps are written twice.
    """

    max_depth: int = 4
    min_images: int = 2
    min_steps: int = 1
    merge_stages: bool = False
    image_cost: float = IMAGE_COST
    step_cost: Mapping[str, float] = field(default_factory=lambda: dict(STEP_COST))

    def cost(self, kind: str) -> float:
        return self.step_cost.get(kind, 0.0)
