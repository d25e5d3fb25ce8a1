"""What each step of a set weighs: the cost model that a plan minimises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockstrata.meaning.step import Step
from dockstrata.plan.settings import PlanSettings
from dockstrata.similarity.trie import Trie

if TYPE_CHECKING:
    from dockstrata.meaning.images import Image
    from dockstrata.plan.measured import Size


@dataclass(frozen=True, slots=True)
class CostModel:
    """How steps are weighed.

    ``rate`` gives a step's expected changes a month: then a weight is work a month. ``sizes`` are
    those of measured layers, by the meaning of their steps: then a step costs what its layer has
    in MB, where one is known. ``name`` and ``unit`` say it to the user; ``image_cost`` is that of
    one more image in the same unit.
    """

    name: str
    unit: str
    image_cost: float
    rate: Callable[[Step], float] | None = None
    sizes: Mapping[str, Size] = field(default_factory=dict)

    def weights(self, trie: Trie, settings: PlanSettings) -> dict[str, float]:
        """By chain digest, what each step of the set weighs where it stands."""
        found: dict[str, float] = {}
        rates: dict[int, float] = {}
        for node in trie.walk():
            if node.step is None:
                continue
            size = self.sizes.get(node.step.meaning)
            cost = settings.cost(node.step.kind) if size is None else size.megabytes
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


def measured(model: CostModel, sources: Sequence[str], images: Sequence[Image]) -> CostModel:
    """``model`` with the sizes of the set's layers that sources tell of (see
    :mod:`dockstrata.plan.layers`). Raises :class:`DockstrataError`."""
    from dockstrata.plan.layers import read_images
    from dockstrata.plan.measured import sizes_of

    told = [image for source in sources for image in read_images(source)]
    unit = "MB" if model.rate is None else "MB a month"
    return CostModel("measured", unit, model.image_cost, model.rate, sizes_of(images, told))
