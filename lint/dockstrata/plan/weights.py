"""What each step of a set weighs: the cost model that a plan minimises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockstrata.meaning.step import Step
from dockstrata.plan.settings import PlanSettings
from dockstrata.similarity.trie import Trie

if TYPE_CHECKING:
    from dockstrata.plan.layers import Image


@dataclass(frozen=True, slots=True)
class CostModel:
    """How steps are weighed.

    ``rate`` gives a step's expected changes a month: then a weight is work a month. ``images`` are
    measured ones: then a step costs what its layer has in MB, where they tell of it. ``name`` and
    ``unit`` say it to the user; ``image_cost`` is that of one more image in the same unit.
    """

    name: str
    unit: str
    image_cost: float
    rate: Callable[[Step], float] | None = None
    images: Sequence[Image] = ()

    def weights(self, trie: Trie, settings: PlanSettings) -> dict[str, float]:
        """By chain digest, what each step of the set weighs where it stands."""
        found: dict[str, float] = {}
        rates: dict[int, float] = {}
        sizes: dict[str, float] = {}
        if self.images:
            from dockstrata.plan.measured import sizes_of

            sizes = sizes_of(trie, self.images)
        for node in trie.walk():
            if node.step is None:
                continue
            cost = sizes.get(node.chain, settings.cost(node.step.kind))
            if self.rate is not None:
                above = rates.get(id(node.parent), 0.0)
                rates[id(node)] = above + self.rate(node.step)
                cost *= rates[id(node)]
            found[node.chain] = cost
        return found


def by_kind(settings: PlanSettings) -> CostModel:
    """Each step costs what its instruction does."""
    return CostModel("kind", "units", settings.image_cost)


def by_history(path: str, settings: PlanSettings) -> CostModel:
    """Steps weigh what they are expected to be rebuilt a month, from git's history."""
    from dockstrata.plan.history import PRIOR, read_history

    # One more image is kept in order as often as a step that never changed.
    history = read_history(path)
    return CostModel("history", "work a month", settings.image_cost * PRIOR, history.rate)


def measured(model: CostModel, sources: list[str]) -> CostModel:
    """``model`` with the sizes of the layers that sources tell of (see
    :mod:`dockstrata.plan.layers`). Raises :class:`DockstrataError`."""
    from dockstrata.plan.layers import read_images

    images = tuple(image for source in sources for image in read_images(source))
    return CostModel("measured", "MB", model.image_cost, model.rate, images)
