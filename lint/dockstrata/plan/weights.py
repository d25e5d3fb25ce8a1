"""What each step of a set weighs: the cost model that a plan minimises."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dockstrata.errors import DockstrataError
from dockstrata.meaning.step import Step
from dockstrata.plan.settings import PlanSettings
from dockstrata.similarity.trie import Trie

_SIZE = re.compile(r"^([\d.]+)\s*([kKMGT]?i?)B?$")
_UNIT = {"": 1e-6, "k": 1e-3, "K": 1e-3, "M": 1.0, "G": 1e3, "T": 1e6}


@dataclass(frozen=True, slots=True)
class CostModel:
    """How steps are weighed.

    ``rate`` gives a step's expected changes a month: then a weight is work a month. ``sizes`` are
    measured layer sizes in MB by instruction text: then costs are MB where one is known. ``name``
    and ``unit`` say it to the user; ``image_cost`` is that of one more image in the same unit.
    """

    name: str
    unit: str
    image_cost: float
    rate: Callable[[Step], float] | None = None
    sizes: Mapping[str, float] = field(default_factory=dict)

    def weights(self, trie: Trie, settings: PlanSettings) -> dict[str, float]:
        """By chain digest, what each step of the set weighs where it stands."""
        found: dict[str, float] = {}
        rates: dict[int, float] = {}
        for node in trie.walk():
            if node.step is None:
                continue
            cost = self.cost(node.step, settings)
            if self.rate is not None:
                above = rates.get(id(node.parent), 0.0)
                rates[id(node)] = above + self.rate(node.step)
                cost *= rates[id(node)]
            found[node.chain] = cost
        return found

    def cost(self, step: Step, settings: PlanSettings) -> float:
        measured = self.sizes.get(layer_text(step.kind, step.instruction.line))
        return settings.cost(step.kind) if measured is None else measured


def by_kind(settings: PlanSettings) -> CostModel:
    """Each step costs what its instruction does."""
    return CostModel("kind", "units", settings.image_cost)


def by_history(path: str, settings: PlanSettings) -> CostModel:
    """Steps weigh what they are expected to be rebuilt a month, from git's history."""
    from dockstrata.plan.history import PRIOR, read_history

    # One more image is kept in order as often as a step that never changed.
    history = read_history(path)
    return CostModel("history", "work a month", settings.image_cost * PRIOR, history.rate)


def measured(model: CostModel, paths: list[str]) -> CostModel:
    """``model`` with layer sizes from ``docker history --no-trunc --format json`` (one JSON object
    a line, or a list of them). Raises :class:`DockstrataError`."""
    sizes: dict[str, float] = {}
    for path in paths:
        for record in _records(path):
            created, size = str(record.get("CreatedBy", "")), str(record.get("Size", ""))
            parsed = _SIZE.match(size)
            if not created or parsed is None:
                raise DockstrataError("is no output of docker history --format json", path)
            sizes[_created_text(created)] = float(parsed[1]) * _UNIT[parsed[2].rstrip("i")]
    return CostModel("measured", "MB", model.image_cost, model.rate, sizes)


def _records(path: str) -> list[Mapping[str, object]]:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise DockstrataError(f"cannot be read: {error}", path) from None
    records: list[Mapping[str, object]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            raise DockstrataError("is not JSON", path, number) from None
        records += value if isinstance(value, list) else [value]
    if not all(isinstance(record, dict) for record in records):
        raise DockstrataError("is no output of docker history --format json", path)
    return records


def layer_text(kind: str, line: str) -> str:
    """An instruction as two histories of it compare: keyword, arguments, blanks made one."""
    return " ".join([kind, *line.split()[1:]])


def _created_text(created: str) -> str:
    """The same of a layer's ``CreatedBy``, as docker's builders write it."""
    text = created.removesuffix("# buildkit").strip()
    text = re.sub(r"^RUN (?:\|\d+ (?:\S+=\S* )*)?/bin/(?:ba)?sh (?:-\w+ )*-c ", "RUN ", text)
    text = re.sub(r"^/bin/sh -c (?:#\(nop\)\s*)?", "", text)
    if text.split(" ")[0] not in ("RUN", "COPY", "ADD", "WORKDIR"):
        text = f"RUN {text}"
    return " ".join(text.split())
