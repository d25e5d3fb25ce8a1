"""Which prefixes become base images: exact dynamic programming on the tree of candidates.

Pure: a tree of weights in, the cheapest choice out. The total cost of a choice is, for each chosen
vertex, one image plus the weight from the base that it is built on, and for each leaf the weight
from its base to it. A vertex or leaf may be built on any chosen vertex above it, or on none; how
many lie on top of each other, its *level*, is limited.
"""

from __future__ import annotations

import heapq
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
class Root:
    """A tree to choose from. ``above`` are bases that exist already, the lowest first; the
    vertex of a tree that stands on some is the last of them, and is not chosen again. ``fixed``:
    everything in the tree stands on it, and no base may pass it by."""

    vertex: Vertex
    above: tuple[Vertex, ...] = ()
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen prefixes in order of the walk, the base of each leaf and base, and the cost."""

    chosen: tuple[str, ...]
    base_of: dict[str, str]
    cost: float


_MOST_TRIED = 500
"""Choices looked at for one tree before what serves too few images is left out all at once."""

_Best = tuple["Vertex | None", ...]
"""By level, the deepest chosen vertex above that has at most that level."""


def choose(roots: Sequence[Root], settings: PlanSettings) -> Choice:
    """The cheapest choice; of equally cheap ones the one with fewer bases."""
    chosen: list[str] = []
    base_of: dict[str, str] = {}
    cost = 0.0
    for root in roots:
        found, bases, total = _solve(root, settings)
        chosen += found
        base_of |= bases
        cost += total
    return Choice(tuple(chosen), base_of, cost)


def _solve(root: Root, settings: PlanSettings) -> tuple[list[str], dict[str, str], float]:
    """The cheapest choice whose bases all serve enough images: best first, by what is barred."""
    queue: list[tuple[float, int, frozenset[str]]] = [(0.0, 0, frozenset())]
    seen: set[frozenset[str]] = set()
    while True:
        _, number, barred = heapq.heappop(queue)
        found, bases, total = _Solver(root, settings, barred).solve()
        few = _serving_few(bases, found, settings.min_images)
        if few is None:
            return found, bases, total
        # It serves too few because deeper bases pass it by: one of these has to go.
        below = found[found.index(few) :]
        for key in below:
            more = barred | {key}
            if more not in seen and len(seen) < _MOST_TRIED:
                seen.add(more)
                cost = _Solver(root, settings, more).solve()[2]
                heapq.heappush(queue, (cost, len(seen) + number, more))
        if not queue:
            queue.append((0.0, 0, barred | set(found)))


def _serving_few(base_of: dict[str, str], chosen: list[str], least: int) -> str | None:
    """A chosen vertex that serves too few images."""
    if least <= 2:
        return None  # one that is built on once never pays
    served = dict.fromkeys(chosen, 0)
    for key in base_of:
        if key not in served:
            at = base_of.get(key)
            while at is not None:
                served[at] = served.get(at, 0) + 1
                at = base_of.get(at)
    return next((key for key in chosen if served[key] < least), None)


class _Solver:
    def __init__(self, root: Root, settings: PlanSettings, barred: frozenset[str]) -> None:
        self.root = root
        self.settings = settings
        self.barred = barred
        self.room: dict[int, list[int]] = {}
        self.memo: dict[tuple[int, tuple[int, ...]], tuple[float, int, int]] = {}
        self.levels = max(0, settings.max_depth - 2)
        self.least_added = max(1, settings.min_steps)
        self.each_adds = True
        height, least = self.measure(root.vertex)
        # Where no limit can bind, the nearest base is the best one and levels do not matter.
        self.free = self.each_adds and min(self.levels, least) >= height + len(root.above)
        if self.free:
            self.levels = 1

    def measure(self, vertex: Vertex) -> tuple[int, int]:
        """The longest chain of vertices, and the lowest limit of a leaf; fills ``room``."""
        room = [0] * (self.levels + 1)
        least = self.levels
        for leaf in vertex.leaves:
            least = min(least, leaf.levels)
            for level in range(min(leaf.levels, self.levels) + 1):
                room[level] += 1
        height = 0
        for child in vertex.children:
            self.each_adds = self.each_adds and child.steps - vertex.steps >= self.least_added
            below, lowest = self.measure(child)
            height, least = max(height, below), min(least, lowest)
            for level, count in enumerate(self.room[id(child)]):
                room[level] += count
        self.room[id(vertex)] = room
        return height + 1, least

    def solve(self) -> tuple[list[str], dict[str, str], float]:
        chosen: list[str] = []
        base_of: dict[str, str] = {}
        nothing: _Best = (None,) * (self.levels + 1)
        if self.root.above:
            level = 0 if self.free else len(self.root.above)
            start = (*nothing[:level], *(self.root.above[-1],) * (self.levels + 1 - level))
            cost = self.below(self.root.vertex, start)[0]
            self.read_below(self.root.vertex, start, chosen, base_of)
        else:
            cost = self.best(self.root.vertex, nothing)[0]
            self.read(self.root.vertex, nothing, chosen, base_of)
        return chosen, base_of, cost

    def best(self, vertex: Vertex, above: _Best) -> tuple[float, int, int]:
        """Cheapest cost below, its number of bases, and the level of ``vertex``, 0 for none."""
        key = (id(vertex), tuple(map(id, above)))
        found = self.memo.get(key)
        if found is None:
            found = (*self.below(vertex, above), 0)
            for level in self.possible(vertex, above):
                parent = self.parent(above, level)
                cost, bases = self.below(vertex, self.with_base(vertex, above, level))
                cost += self.settings.image_cost + vertex.weight - _weight(parent)
                if (cost + 1e-9, bases + 1) < found[:2]:
                    found = (cost, bases + 1, level)
            self.memo[key] = found
        return found

    def possible(self, vertex: Vertex, above: _Best) -> list[int]:
        """The levels at which ``vertex`` may be chosen, each on another parent."""
        if vertex.key in self.barred:
            return []
        levels: list[int] = []
        lowest = len(self.root.above) if self.root.fixed and not self.free else 0
        for level in range(lowest + 1, self.levels + 1):
            parent = self.parent(above, level)
            if levels and parent is self.parent(above, levels[-1]):
                continue
            added = vertex.steps - (parent.steps if parent is not None else 0)
            room = self.room[id(vertex)][0 if self.free else level]
            if room >= self.settings.min_images and added >= self.least_added:
                levels.append(level)
        return levels

    def parent(self, above: _Best, level: int) -> Vertex | None:
        return above[-1] if self.free else above[level - 1]

    def with_base(self, vertex: Vertex, above: _Best, level: int) -> _Best:
        if self.free:
            return (vertex,) * len(above)
        return (*above[:level], *(vertex,) * (len(above) - level))

    def hangs_on(self, leaf: Leaf, above: _Best) -> Vertex | None:
        return above[-1] if self.free else above[max(0, min(leaf.levels, self.levels))]

    def below(self, vertex: Vertex, above: _Best) -> tuple[float, int]:
        cost, bases = 0.0, 0
        for leaf in vertex.leaves:
            cost += leaf.weight - _weight(self.hangs_on(leaf, above))
        for child in vertex.children:
            more, count, _ = self.best(child, above)
            cost += more
            bases += count
        return cost, bases

    def read(
        self, vertex: Vertex, above: _Best, chosen: list[str], base_of: dict[str, str]
    ) -> None:
        level = self.best(vertex, above)[2]
        if level:
            if (parent := self.parent(above, level)) is not None:
                base_of[vertex.key] = parent.key
            chosen.append(vertex.key)
            above = self.with_base(vertex, above, level)
        self.read_below(vertex, above, chosen, base_of)

    def read_below(
        self, vertex: Vertex, above: _Best, chosen: list[str], base_of: dict[str, str]
    ) -> None:
        for leaf in vertex.leaves:
            if (base := self.hangs_on(leaf, above)) is not None:
                base_of[leaf.key] = base.key
        for child in vertex.children:
            self.read(child, above, chosen, base_of)


def _weight(vertex: Vertex | None) -> float:
    return vertex.weight if vertex is not None else 0.0
