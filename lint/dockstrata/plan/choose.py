"""Which prefixes become base images: exact dynamic programming on the tree of candidates.

Pure: a tree of weights in, the cheapest choice out. The total cost of a choice is, for each chosen
vertex, one image plus the weight from its nearest chosen ancestor to it, and for each leaf the
weight from the deepest chosen ancestor that its depth limit admits to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dockstrata.plan.settings import PlanSettings


@dataclass(frozen=True, slots=True)
class Leaf:
    """An image: its weight from the root, and how many bases may lie between root and it."""

    key: str
    weight: float
    levels: int


@dataclass(slots=True, eq=False)
class Vertex:
    """A prefix that may become a base: weight and number of real steps from the root."""

    key: str
    weight: float
    steps: int
    children: list[Vertex] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen prefixes in order of the walk, the base of each leaf and base, and the cost."""

    chosen: tuple[str, ...]
    base_of: dict[str, str]
    cost: float


_Ancestors = tuple[Vertex, ...]


@dataclass(frozen=True, slots=True)
class Root:
    """A tree to choose from. ``above`` are bases that exist already, the lowest first; the
    vertex of a tree that stands on some is the last of them, and is not chosen again."""

    vertex: Vertex
    above: tuple[Vertex, ...] = ()


def choose(roots: Sequence[Root], settings: PlanSettings) -> Choice:
    """The cheapest choice; of equally cheap ones the one with fewer bases."""
    solver = _Solver(settings)
    chosen: list[str] = []
    base_of: dict[str, str] = {}
    cost = 0.0
    for root in roots:
        solver.measure(root.vertex)
        if root.above:
            cost += solver.below(root.vertex, root.above)[0]
            solver.read_below(root.vertex, root.above, chosen, base_of)
        else:
            cost += solver.best(root.vertex, ())[0]
            solver.read(root.vertex, (), chosen, base_of)
    return Choice(tuple(chosen), base_of, cost)


class _Solver:
    def __init__(self, settings: PlanSettings) -> None:
        self.settings = settings
        self.levels = max(0, settings.max_depth - 2)
        self.memo: dict[tuple[int, tuple[int, ...]], tuple[float, int, bool]] = {}
        self.room: dict[int, list[int]] = {}
        self.uniform: dict[int, bool] = {}

    def measure(self, vertex: Vertex) -> list[int]:
        """By level, how many leaves below may have that many bases above them."""
        room = [0] * (self.levels + 1)
        for leaf in vertex.leaves:
            for level in range(min(leaf.levels, self.levels) + 1):
                room[level] += 1
        for child in vertex.children:
            for level, count in enumerate(self.measure(child)):
                room[level] += count
        self.room[id(vertex)] = room
        self.uniform[id(vertex)] = room[-1] == room[0]
        return room

    def key(self, vertex: Vertex, above: _Ancestors) -> tuple[int, tuple[int, ...]]:
        # Only leaves that cannot hang on the nearest ancestor look at those above it.
        if self.uniform[id(vertex)]:
            return id(vertex), (len(above), id(above[-1]) if above else 0)
        return id(vertex), (-1, *map(id, above))

    def best(self, vertex: Vertex, above: _Ancestors) -> tuple[float, int, bool]:
        """Cheapest cost below, its number of bases, and whether ``vertex`` is one."""
        key = self.key(vertex, above)
        found = self.memo.get(key)
        if found is None:
            without = self.below(vertex, above)
            found = (*without, False)
            if self.may_choose(vertex, above):
                cost, bases = self.below(vertex, (*above, vertex))
                cost += self.settings.image_cost + vertex.weight - _weight(above)
                if (cost + 1e-9, bases + 1) < without:
                    found = (cost, bases + 1, True)
            self.memo[key] = found
        return found

    def below(self, vertex: Vertex, above: _Ancestors) -> tuple[float, int]:
        cost, bases = 0.0, 0
        for leaf in vertex.leaves:
            cost += leaf.weight - _weight(above[: max(0, leaf.levels)])
        for child in vertex.children:
            more, count, _ = self.best(child, above)
            cost += more
            bases += count
        return cost, bases

    def may_choose(self, vertex: Vertex, above: _Ancestors) -> bool:
        level = len(above) + 1
        if level > self.levels or self.room[id(vertex)][level] < self.settings.min_images:
            return False
        added = vertex.steps - (above[-1].steps if above else 0)
        return added >= max(1, self.settings.min_steps)

    def read(
        self, vertex: Vertex, above: _Ancestors, chosen: list[str], base_of: dict[str, str]
    ) -> None:
        if self.best(vertex, above)[2]:
            if above:
                base_of[vertex.key] = above[-1].key
            chosen.append(vertex.key)
            above = (*above, vertex)
        self.read_below(vertex, above, chosen, base_of)

    def read_below(
        self, vertex: Vertex, above: _Ancestors, chosen: list[str], base_of: dict[str, str]
    ) -> None:
        for leaf in vertex.leaves:
            if hangs_on := above[: max(0, leaf.levels)]:
                base_of[leaf.key] = hangs_on[-1].key
        for child in vertex.children:
            self.read(child, above, chosen, base_of)


def _weight(above: _Ancestors) -> float:
    return above[-1].weight if above else 0.0
