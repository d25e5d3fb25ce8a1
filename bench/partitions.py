"""Which prefixes are one build: by our digests, and by BuildKit's cache."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations

from dockstrata.meaning.step import Step

_COPY_PARTS = ("where from", "files", "destination", "exclude", "options")
_RUN_PARTS = ("command", "script", "user", "workdir", "mounts", "flags")


@dataclass(frozen=True)
class Prefix:
    """The build up to a step.

    ``theirs`` is the digest of its layers, ``chain`` ours with symbols, ``steps`` are all from the
    root on with values in place of symbols.
    """

    place: str
    kind: str
    theirs: str
    chain: str
    steps: tuple[Step, ...]


def compare_partitions(
    prefixes: list[Prefix], counts: Counter[str], pairs: Counter[str], differences: list[str]
) -> None:
    """Count the pairs; equal ones that BuildKit did not find in its cache are differences.

    A layer that only copies may be the same for two builds, so what BuildKit alone calls equal is
    counted where the last step is a RUN.
    """
    counts["prefixes"] += len(prefixes)
    ours: dict[str, dict[str, list[Prefix]]] = defaultdict(lambda: defaultdict(list))
    theirs: dict[str, dict[str, list[Prefix]]] = defaultdict(lambda: defaultdict(list))
    for prefix in prefixes:
        ours[prefix.chain][prefix.theirs].append(prefix)
        if prefix.kind == "RUN":
            theirs[prefix.theirs][prefix.chain].append(prefix)
    for group in ours.values():
        counts["pairs that we call equal"] += _pairs(sum(map(len, group.values())))
        for one, other in combinations([members[0] for members in group.values()], 2):
            differences.append(f"EQUAL for us alone: {one.place} and {other.place}")
    for group in theirs.values():
        counts["pairs of RUNs that BuildKit calls equal"] += _pairs(sum(map(len, group.values())))
        for one, other in combinations(group.values(), 2):
            pairs[_reason(one[0], other[0])] += len(one) * len(other)


def _pairs(number: int) -> int:
    return number * (number - 1) // 2


def _reason(one: Prefix, other: Prefix) -> str:
    """Why we hold two prefixes apart: what is other in the first step that is."""
    if one.steps[-1].chain == other.steps[-1].chain:
        return "symbols: the same for these arguments alone"
    if len(one.steps) != len(other.steps):
        return "another number of steps"
    for left, right in zip(one.steps, other.steps, strict=True):
        if left.chain == right.chain:
            continue
        if left.kind != right.kind:
            return f"{left.kind} and {right.kind}"
        names = _RUN_PARTS if left.kind == "RUN" else _COPY_PARTS
        parts = [name for name, a, b in zip(names, left.body, right.body, strict=False) if a != b]
        if left.env != right.env:
            parts.append("environment")
        return f"{left.kind}: {', '.join(parts) or 'a stage that is not the same'}"
    return "another root"
