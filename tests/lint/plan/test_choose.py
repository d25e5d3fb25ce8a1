"""The choice of bases against brute force: every subset of every small tree, for every limit."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from dockstrata.plan.choose import Choice, Leaf, Root, Vertex, choose
from dockstrata.plan.settings import PlanSettings

FAST = settings(
    deadline=None, max_examples=250, suppress_health_check=list(HealthCheck), print_blob=True
)


@st.composite
def trees(draw: st.DrawFn, most: int = 7) -> Vertex:
    """A tree of at most ``most`` vertices, with leaves of every kind of depth limit."""
    total = draw(st.integers(1, most))
    made: list[Vertex] = []
    leaves = 0
    for number in range(total):
        parent = draw(st.integers(0, number - 1)) if number else None
        above = made[parent] if parent is not None else None
        added = draw(st.integers(0, 3))  # WORKDIR alone adds no step
        weight = float(draw(st.integers(0 if added == 0 else 3, 30)))
        vertex = Vertex(
            f"v{number}",
            (above.weight if above else 0.0) + weight,
            (above.steps if above else 0) + added,
        )
        if above is not None:
            above.children.append(vertex)
        made.append(vertex)
        for _ in range(draw(st.integers(0, 2))):
            extra = draw(st.integers(0, 20))
            levels = draw(st.integers(-1, 5))
            vertex.leaves.append(Leaf(f"l{leaves}", vertex.weight + extra, levels))
            leaves += 1
    return made[0]


LIMITS = st.builds(
    PlanSettings,
    max_depth=st.integers(2, 6),
    min_images=st.integers(2, 4),
    min_steps=st.integers(1, 3),
    image_cost=st.sampled_from([0.5, 2.0, 11.0]),
)


def _paths(root: Vertex) -> dict[str, list[Vertex]]:
    """By vertex key, the vertices from the root to it."""
    found: dict[str, list[Vertex]] = {}

    def walk(vertex: Vertex, above: list[Vertex]) -> None:
        found[vertex.key] = [*above, vertex]
        for child in vertex.children:
            walk(child, found[vertex.key])

    walk(root, [])
    return found


def best_by_brute_force(
    root: Vertex, limits: PlanSettings, existing: int = 0, fixed: bool = False
) -> tuple[float, int]:
    """The cheapest cost of any choice, and the fewest bases that reach it.

    Every chosen vertex gets every level (0: not chosen) and stands on the heaviest chosen one of a
    lower level; a leaf on the heaviest of the levels that it admits. ``existing``: the root is a
    base that is there already, at that level, and with ``fixed`` no other lies as low.
    """
    paths = _paths(root)
    keys = [key for key in paths if not existing or key != root.key]
    best: tuple[float, int] | None = None
    free = [
        level for level in range(limits.max_depth - 1) if not fixed or not 0 < level <= existing
    ]
    for levels in product(free, repeat=len(keys)):
        level = dict(zip(keys, levels, strict=True))
        cost = _cost_of_levels(paths, {root.key: existing, **level}, limits, existing)
        count = sum(map(bool, levels))
        if cost is not None and (
            best is None or cost < best[0] - 1e-6 or (cost < best[0] + 1e-6 and count < best[1])
        ):
            best = (cost, count)
    assert best is not None
    return best


def _cost_of_levels(
    paths: dict[str, list[Vertex]], level: dict[str, int], limits: PlanSettings, existing: int = 0
) -> float | None:
    """What a choice costs, written from the rules alone; ``None`` where it breaks one."""
    parents: dict[str, Vertex | None] = {}
    cost = 0.0
    for key, path in paths.items():
        if level[key]:
            below = [v for v in path[:-1] if 0 < level[v.key] < level[key]]
            parents[key] = parent = below[-1] if below else None
            if existing and len(path) == 1:
                continue
            if path[-1].steps - (parent.steps if parent else 0) < limits.min_steps:
                return None
            cost += limits.image_cost + path[-1].weight - (parent.weight if parent else 0.0)
    served = dict.fromkeys(parents, 0)
    for path in paths.values():
        for leaf in path[-1].leaves:
            able = [v for v in path if 0 < level[v.key] <= leaf.levels]
            base = able[-1] if able else None
            cost += leaf.weight - (base.weight if base else 0.0)
            while base is not None:
                served[base.key] += 1
                base = parents[base.key]
    few = [key for key, count in served.items() if count < limits.min_images]
    return None if set(few) - set(list(paths)[: bool(existing)]) else cost


SMALL_LIMITS = LIMITS.filter(lambda limits: limits.max_depth <= 5)


def _skipping() -> Vertex:
    """Two leaves end at the top, two far below it: at depth 3 each pair wants a base of its own."""
    top = Vertex("top", 3.0, 1, leaves=[Leaf("a", 3.0, 9), Leaf("b", 3.0, 9)])
    top.children.append(Vertex("low", 23.0, 3, leaves=[Leaf("c", 23.0, 9), Leaf("d", 23.0, 9)]))
    return top


def _adding_too_little() -> Vertex:
    """The lower prefix adds too little to stand on the upper one, and enough to stand beside it."""
    top = Vertex("top", 10.0, 2, leaves=[Leaf("a", 10.0, 9), Leaf("b", 10.0, 9)])
    top.children.append(Vertex("low", 20.0, 3, leaves=[Leaf("c", 20.0, 9), Leaf("d", 20.0, 9)]))
    return top


@settings(FAST, max_examples=200)
@example(_adding_too_little(), PlanSettings(max_depth=6, min_steps=2, image_cost=0.5))
@example(_skipping(), PlanSettings(max_depth=3))
@given(trees(5), SMALL_LIMITS.map(lambda limits: replace(limits, min_images=2)))
def test_as_cheap_as_brute_force(root: Vertex, limits: PlanSettings) -> None:
    choice = choose([Root(root)], limits)
    best, bases = best_by_brute_force(root, limits)
    assert abs(choice.cost - best) < 1e-6
    assert len(choice.chosen) == bases


def _passed_by() -> Vertex:
    """Two images on the top alone, three on its child: one base for all is best for groups of 3."""
    top = Vertex("top", 4.0, 1, leaves=[Leaf("a", 4.0, 9), Leaf("b", 4.0, 9)])
    leaves = [Leaf(key, 7.0, 9) for key in "cde"]
    top.children.append(Vertex("child", 7.0, 2, leaves=leaves))
    return top


@settings(FAST, max_examples=100)
@example(_passed_by(), PlanSettings(max_depth=3, min_images=3, image_cost=0.5))
@given(trees(4), SMALL_LIMITS)
def test_as_cheap_with_more_images(root: Vertex, limits: PlanSettings) -> None:
    assert choose([Root(root)], limits).cost <= best_by_brute_force(root, limits)[0] + 1e-6


@settings(FAST, max_examples=100)
@given(trees(5), SMALL_LIMITS)
def test_never_cheaper_than_the_rules_admit(root: Vertex, limits: PlanSettings) -> None:
    assert choose([Root(root)], limits).cost >= best_by_brute_force(root, limits)[0] - 1e-6


@FAST
@given(trees(), LIMITS)
def test_the_choice_keeps_the_rules_and_costs_what_it_says(
    root: Vertex, limits: PlanSettings
) -> None:
    choice = choose([Root(root)], limits)
    paths, bases = _paths(root), choice.base_of
    served = dict.fromkeys(choice.chosen, 0)
    vertices = {key: path[-1] for key, path in paths.items()}
    cost = 0.0

    def chain(key: str, path: list[Vertex]) -> list[str]:
        """The bases that something of this path stands on, the nearest first."""
        found: list[str] = []
        while key in bases:
            key = bases[key]
            assert key in served
            assert vertices[key] in path
            found.append(key)
        return found

    for key, path in paths.items():
        for leaf in path[-1].leaves:
            below = chain(leaf.key, path)
            assert len(below) <= max(0, leaf.levels)
            assert len(below) + 2 <= limits.max_depth
            cost += leaf.weight - (vertices[below[0]].weight if below else 0.0)
            for base in below:
                served[base] += 1
        if key in served:
            below = chain(key, path[:-1])
            lower = vertices[below[0]] if below else None
            cost += limits.image_cost + path[-1].weight - (lower.weight if lower else 0.0)
            assert path[-1].steps - (lower.steps if lower else 0) >= limits.min_steps
    assert all(count >= limits.min_images for count in served.values())
    assert set(bases) <= set(vertices) | {
        leaf.key for vertex in vertices.values() for leaf in vertex.leaves
    }
    assert abs(cost - choice.cost) < 1e-6


@FAST
@given(st.lists(trees(4), min_size=2, max_size=3), LIMITS)
def test_trees_do_not_look_at_each_other(roots: list[Vertex], limits: PlanSettings) -> None:
    for number, root in enumerate(roots):
        _rename(root, f"t{number}-")
    together = choose([Root(root) for root in roots], limits)
    apart = [choose([Root(root)], limits) for root in roots]
    assert together.cost == sum(choice.cost for choice in apart)
    assert together.chosen == tuple(key for choice in apart for key in choice.chosen)


def _rename(vertex: Vertex, prefix: str) -> None:
    vertex.key = prefix + vertex.key
    vertex.leaves = [Leaf(prefix + leaf.key, leaf.weight, leaf.levels) for leaf in vertex.leaves]
    for child in vertex.children:
        _rename(child, prefix)


@settings(FAST, max_examples=100)
@given(
    trees(5),
    SMALL_LIMITS.map(lambda limits: replace(limits, min_images=2)),
    st.integers(1, 3),
    st.booleans(),
)
def test_on_bases_that_exist_already(
    tree: Vertex, limits: PlanSettings, count: int, fixed: bool
) -> None:
    """Existing bases are never chosen, cost nothing, and take their share of the depth."""
    assume(count <= limits.max_depth - 2)
    above = [Vertex(f"e{n}", 0.0, 0) for n in range(count - 1)] + [tree]
    choice = choose([Root(tree, tuple(above), fixed)], limits)
    assert not {vertex.key for vertex in above} & set(choice.chosen)
    best = best_by_brute_force(tree, limits, existing=count, fixed=fixed)[0]
    assert abs(choice.cost - best) < 1e-6
    if fixed:
        assert set(choice.chosen) <= choice.base_of.keys()


def test_nothing_to_choose_from() -> None:
    assert choose([], PlanSettings()) == Choice((), {}, 0.0)


def test_depth_two_has_no_room_for_a_base() -> None:
    top = Vertex("v", 30.0, 3, leaves=[Leaf("a", 40.0, 9), Leaf("b", 40.0, 9)])
    assert choose([Root(top)], PlanSettings(max_depth=2)).chosen == ()
    assert choose([Root(top)], PlanSettings(max_depth=3)).chosen == ("v",)
