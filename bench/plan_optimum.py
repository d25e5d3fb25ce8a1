"""The planner's choice on the trees of real sets, against an integer program solved by HiGHS.

    python bench/plan_optimum.py FOLDER... [--seconds N]

Brute force ends at trees of a few prefixes; real sets have trees of hundreds. Here every tree that
the planner is asked about, for each depth limit, is written down as an integer program from the
rules in docs/plan.md alone, and solved by scipy's `milp`. The cheapest cost must be the planner's,
and the fewest bases that reach it too. ``--seconds`` limits each solution; what HiGHS does not
prove in that time is counted as such. Needs scipy.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from dockstrata.meaning.repository import read_repository
from dockstrata.plan import planner
from dockstrata.plan.choose import Choice, Leaf, Root, Vertex, choose
from dockstrata.plan.settings import PlanSettings
from dockstrata.rewrite.refactor import Options, refactor

DEPTHS = (2, 3, 4, 5, 6)
TOLERANCE = 1e-5


@dataclass
class Program:
    """Minimise ``cost`` over variables from 0 to 1, where each row is at most its limit."""

    cost: list[float] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float]] = field(default_factory=list)

    def variable(self, cost: float = 0.0) -> int:
        self.cost.append(cost)
        return len(self.cost) - 1

    def at_most(self, row: dict[int, float], limit: float) -> None:
        self.rows.append((row, limit))

    def exactly(self, row: dict[int, float], value: float) -> None:
        self.at_most(row, value)
        self.at_most({key: -factor for key, factor in row.items()}, -value)

    def solve(self, cost: Sequence[float], seconds: float) -> float | None:
        """The least that ``cost`` can be; ``None``: not proved in time."""
        if not cost:
            return 0.0
        entries = [
            (number, key, factor)
            for number, (row, _) in enumerate(self.rows)
            for key, factor in row.items()
        ]
        places = ([e[0] for e in entries], [e[1] for e in entries])
        matrix = coo_array(
            ([e[2] for e in entries], places), shape=(len(self.rows), len(cost))
        ).tocsr()
        found = milp(
            numpy.array(cost),
            integrality=numpy.ones(len(cost)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, ub=numpy.array([row[1] for row in self.rows])),
            options={"time_limit": seconds, "mip_rel_gap": 0.0},
        )
        return float(found.fun) if found.status == 0 else None


class Tree:
    """One tree as an integer program.

    Variables: ``level[v][l]``, prefix ``v`` is a base with ``l - 1`` bases below it; ``on[v][p]``,
    it is built on the base ``p`` or on none; and for images alike, which base they are built on.
    """

    def __init__(self, root: Root, settings: PlanSettings) -> None:
        self.program = Program()
        self.constant = 0.0
        self.bases: dict[int, float] = {}
        self.root, self.settings = root, settings
        self.level: dict[str, dict[int, int]] = {}
        self.existing = len(root.above)
        self.add(root.vertex, [])

    def add(self, vertex: Vertex, above: list[Vertex]) -> None:
        path = [*above, vertex]
        if not (self.existing and vertex is self.root.vertex):
            self.add_base(vertex, above)
        alike = Counter((leaf.weight, leaf.levels) for leaf in vertex.leaves)
        for (weight, levels), number in alike.items():
            self.add_images(Leaf("", weight, levels), number, path)
        for child in vertex.children:
            self.add(child, path)

    def add_base(self, vertex: Vertex, above: list[Vertex]) -> None:
        program = self.program
        lowest = self.existing + 1 if self.root.fixed else 1
        level = {n: program.variable() for n in range(lowest, self.settings.max_depth - 1)}
        self.level[vertex.key] = level
        program.at_most(dict.fromkeys(level.values(), 1.0), 1.0)
        for variable in level.values():
            program.cost[variable] = self.settings.image_cost
            self.bases[variable] = 1.0
        chosen = dict.fromkeys(level.values(), -1.0)
        ways: list[int] = []
        if not self.root.fixed and vertex.steps >= self.settings.min_steps:
            ways.append(program.variable(vertex.weight))
        for parent in above:
            if vertex.steps - parent.steps < self.settings.min_steps:
                continue
            way = program.variable(vertex.weight - parent.weight)
            ways.append(way)
            for number, variable in level.items():
                # Built on the parent, and so far up: the parent lies lower.
                lower = dict.fromkeys(self.levels(parent, number - 1), -1.0)
                program.at_most(
                    {way: 1.0, variable: 1.0, **lower}, 1.0 + self.fixed(parent, number - 1)
                )
        program.exactly({**dict.fromkeys(ways, 1.0), **chosen}, 0.0)

    def levels(self, vertex: Vertex, most: int) -> list[int]:
        """The variables that say: it is a new base with at most that level."""
        found = self.level.get(vertex.key, {})
        return [variable for number, variable in found.items() if number <= most]

    def fixed(self, vertex: Vertex, most: int) -> int:
        """1 where it is a base that exists already, with at most that level."""
        return int(bool(self.existing) and vertex is self.root.vertex and self.existing <= most)

    def add_images(self, image: Leaf, number: int, path: list[Vertex]) -> None:
        """``number`` images alike: each is built on what leaves least to do, or on no base."""
        most = min(image.levels, self.settings.max_depth - 2)
        self.constant += number * image.weight
        ways: dict[int, float] = {}
        for vertex in path:
            lower = self.levels(vertex, most)
            exists = self.fixed(vertex, most)
            if not lower and not exists:
                continue
            way = self.program.variable(-number * vertex.weight)
            ways[way] = 1.0
            self.program.at_most({way: 1.0, **dict.fromkeys(lower, -1.0)}, float(exists))
        self.program.at_most(ways, 1.0)

    def cheapest(self, seconds: float) -> tuple[float, int] | None:
        """The least cost, and the fewest bases that reach it."""
        program = self.program
        least = program.solve(program.cost, seconds)
        if least is None:
            return None
        program.at_most(dict(enumerate(program.cost)), least + TOLERANCE)
        fewest = program.solve(
            [self.bases.get(number, 0.0) for number in range(len(program.cost))], seconds
        )
        return None if fewest is None else (self.constant + least, round(fewest))


def size(vertex: Vertex) -> int:
    return 1 + sum(size(child) for child in vertex.children)


class Asked:
    """Stands in for the planner's `choose`: compares each tree, and hands on what it found."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.counts: Counter[str] = Counter()
        self.sizes: list[int] = []
        self.different: list[str] = []

    def __call__(self, roots: Sequence[Root], settings: PlanSettings) -> Choice:
        for root in roots:
            ours = choose([root], settings)
            theirs = Tree(root, settings).cheapest(self.seconds)
            vertices = size(root.vertex)
            if theirs is None:
                self.counts["not proved in time"] += 1
                continue
            self.sizes.append(vertices)
            if abs(ours.cost - theirs[0]) < TOLERANCE and len(ours.chosen) == theirs[1]:
                self.counts["equal"] += 1
                self.counts["equal, with bases to choose"] += bool(ours.chosen)
            else:
                self.different.append(
                    f"{root.vertex.key}, {vertices} prefixes, depth {settings.max_depth}:"
                    f" {ours.cost} with {len(ours.chosen)} bases, and {theirs[0]} with {theirs[1]}"
                )
        return choose(roots, settings)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    asked = Asked(options.seconds)
    planner.choose = asked  # type: ignore[attr-defined]
    for folder in map(os.path.abspath, options.folders):
        os.chdir(folder)
        repository = read_repository(["."])
        for depth in DEPTHS:
            refactor(repository, Options(PlanSettings(max_depth=depth), include_generated=True))
        print(Path(folder).name, dict(asked.counts), flush=True)
    larger = ", ".join(f"{sum(n > m for n in asked.sizes)} of more than {m}" for m in (3, 20))
    print(f"trees of {max(asked.sizes, default=0)} prefixes at most, {larger}")
    for text in asked.different:
        print("DIFFERENT", text)
    return bool(asked.different)


if __name__ == "__main__":
    sys.exit(main())
