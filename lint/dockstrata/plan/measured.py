"""Which step of a set which measured layer belongs to.

The layers of an image are followed from its first own one on, from step to step along the
prefixes of the set; the longest way is the image's. Where several are as long, what the image's
history says of other instructions tells which it is, and where that does not, only what is alike
on all of them counts. Of a step that no image was followed to, a RUN's text is enough if nothing
of it is hidden.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from dockstrata.meaning.images import Image
from dockstrata.meaning.stage import Stage, canonical_image, find_stage
from dockstrata.plan.layers import Image as Measured
from dockstrata.plan.written import Fit, History, Made, Pattern, Saying, read_history, tell_same
from dockstrata.similarity.trie import Node, build_trie

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """What a step's layer has, in MB, the mean of several; ``known`` tells whether by an image
    that was followed to this step, or by an equal step elsewhere; ``sources`` are those images'."""

    megabytes: float
    known: Literal["image", "text"]
    sources: tuple[str, ...]


class _Told(NamedTuple):
    """A size that a layer tells; ``against`` as in :class:`Fit`."""

    against: int
    size: float
    source: str


def sizes_of(images: Sequence[Image], measured: Sequence[Measured]) -> dict[str, Size]:
    """By its meaning, the size of each step of a set that the measured images tell of."""
    follow = _Follow(images)
    patterns = follow.patterns
    own: dict[str, list[_Told]] = defaultdict(list)
    alike: dict[str, list[_Told]] = defaultdict(list)
    loose: list[tuple[Made, _Told]] = []
    for history in map(read_history, measured):
        source = history.image.source
        ways = follow.ways(history)
        for number, made in enumerate(history.made):
            if made.size is None:
                continue
            found = {way.chains[number]: way.fits[number] for way in ways if number in way.chains}
            looks = {patterns[chain].look for chain in found}
            for chain, fit in found.items():
                told = _Told(fit.against, made.size, source)
                if len(found) == 1:
                    own[patterns[chain].step.meaning].append(told)
                if len(looks) == 1:
                    alike[patterns[chain].look].append(told)
            if not found and made.kind == "RUN":
                loose.append((made, _Told(0, made.size, source)))
    known: dict[str, Size] = {}
    for pattern in patterns.values():
        meaning = pattern.step.meaning
        if meaning in own:
            known[meaning] = _mean(own[meaning], "image")
        elif equal := alike.get(pattern.look) or list(_by_text(pattern, loose)):
            known[meaning] = _mean(equal, "text")
    return known


def coverage(images: Sequence[Image], sizes: Mapping[str, Size]) -> str:
    """How many different steps of a set have a size, and how it is known, in words."""
    steps = {step.chain: step.meaning for image in images for step in image.steps}
    known = Counter(sizes[meaning].known for meaning in steps.values() if meaning in sizes)
    text = f"{known.total()} of {len(steps)} different steps"
    return f"{text}: {known['image']} by their own image, {known['text']} by text alone"


def _mean(told: Sequence[_Told], known: Literal["image", "text"]) -> Size:
    """Of those that fit best."""
    best = min(one.against for one in told)
    told = [one for one in told if one.against == best]
    size = sum(one.size for one in told) / len(told) / MEGABYTE
    return Size(size, known, tuple(sorted({one.source for one in told})))


def _by_text(pattern: Pattern, loose: Sequence[tuple[Made, _Told]]) -> Iterator[_Told]:
    if pattern.step.kind == "RUN":
        for made, told in loose:
            if (fit := pattern.fit(made)) is not None and pattern.says_all(made):
                yield told._replace(against=fit.against)


@dataclass(frozen=True, slots=True)
class _Way:
    """Steps that layers of an image lead through one after another: the last one, and of each
    layer by its number the chain of its step and how it fits."""

    node: Node
    chains: Mapping[int, str]
    fits: Mapping[int, Fit]

    @property
    def first(self) -> int:
        return min(self.chains)

    @property
    def last(self) -> int:
        return max(self.chains)

    def then(self, node: Node, number: int, fit: Fit) -> _Way:
        return _Way(node, {**self.chains, number: node.chain}, {**self.fits, number: fit})


class _Follow:
    """Finds the ways that images go through a set."""

    def __init__(self, images: Sequence[Image]) -> None:
        self.trie = build_trie(images)
        nodes = self.trie.walk()
        self.patterns = {node.chain: Pattern(node.step) for node in nodes if node.step is not None}
        self.starts: dict[tuple[str, str], list[tuple[Node, Fit]]] = {}
        self.called = _names(images)
        self.sayings: dict[str, list[list[Saying]]] = {}

    def ways(self, history: History) -> list[_Way]:
        """The way of an image, several where nothing tells them apart, none that is not sure."""
        named = self._named(history.image.names)
        ends = [self.trie.end_of[image.id] for image in named]
        allowed = {node.chain for end in ends for node in end.path()} if named else None
        ways = list(self._possible(history, allowed))
        return list(self._within(range(len(history.made)), ways, history, bool(named)))

    def _within(
        self, span: range, ways: Sequence[_Way], history: History, named: bool
    ) -> Iterator[_Way]:
        """The longest of the ways inside a span of layers. One image of the set may stand on
        another though no name says so: then the ways below and above it too."""
        ways = [way for way in ways if way.first in span and way.last in span]
        longest = max((len(way.chains) for way in ways), default=0)
        best = [way for way in ways if len(way.chains) == longest]
        ranks = [self._rank(way, history, span.stop, named) for way in best]
        ranked = zip(best, ranks, strict=True)
        best = [way for way, rank in ranked if rank == max(ranks) and rank.is_sure]
        if len({tuple(way.chains) for way in best}) == 1:  # else it is in doubt where it begins
            yield from best
            first, last, node = best[0].first, best[0].last, best[0].node
            below = [way for way in ways if way.node.ends and way.last == first - 1]
            yield from self._within(range(span.start, first), below, history, named)
            above = [way for way in ways if node.ends and way.first == last + 1]
            yield from self._within(range(last + 1, span.stop), above, history, named)

    def _named(self, names: Sequence[str]) -> list[Image]:
        """The images of the set that the set itself calls by one of the names; by the repository
        alone, where none has the tag."""
        full = [image for name in names for image in self.called.get(canonical_image(name), ())]
        return full or [i for name in names for i in self.called.get(_repository(name), ())]

    def _possible(self, history: History, allowed: set[str] | None) -> Iterator[_Way]:
        """Every way that begins at any layer; what an image of a name may not have is left out."""
        before: list[_Way] = []
        for number, made in enumerate(history.made):
            after = [
                (way, child, self.patterns[child.chain].fit(made))
                for way in before
                for child in way.node.children
            ]
            after += [(_Way(child, {}, {}), child, fit) for child, fit in self._starts(made)]
            reached = [
                way.then(child, number, fit)
                for way, child, fit in after
                if fit is not None and (allowed is None or child.chain in allowed)
            ]
            yield from reached
            before = [*reached, *(before if _may_be_no_step(made) else ())]

    def _starts(self, made: Made) -> list[tuple[Node, Fit]]:
        key = (made.kind, made.text)
        if key not in self.starts:
            first = (child for root in self.trie.roots for child in root.children)
            fits = ((node, self.patterns[node.chain].fit(made)) for node in first)
            self.starts[key] = [(node, fit) for node, fit in fits if fit is not None]
        return self.starts[key]

    def _rank(self, way: _Way, history: History, stop: int, named: bool) -> _Rank:
        """``stop``: the number of the layer from which on the image is another's."""
        ends = bool(way.node.ends) and all(map(_may_be_no_step, history.made[way.last + 1 : stop]))
        through = way.node.ends if ends else way.node.images
        entries = list(_between(history, way, stop + 1 if ends else way.last + 2))
        found, against = max(
            (self._told(image, entries) for image in through), key=lambda one: one[0] - one[1]
        )
        exact = found + sum(fit.exact for fit in way.fits.values())
        against += sum(fit.against for fit in way.fits.values())
        from_nothing = way.first == 0 and through[0].stage.root == "scratch"
        ran = any(fit.exact and history.made[at].kind == "RUN" for at, fit in way.fits.items())
        whole = ends and exact + named >= (2 if against else 1)
        return _Rank(ends, -against, exact, from_nothing or whole or (ran and exact > 1))

    def _told(self, image: Image, entries: Sequence[Sequence[str]]) -> tuple[int, int]:
        """How many entries beside the steps fit an image, and how many of its instructions and of
        the entries do not."""
        if image.id not in self.sayings:
            self.sayings[image.id] = list(_sayings(image))
        found = against = 0
        for number, (group, sayings) in enumerate(
            zip(entries, self.sayings[image.id], strict=False)
        ):
            fitting, lacking, beyond = tell_same(group, sayings)
            found += fitting
            # What stands before the first step may be the root image's.
            against += lacking + (beyond if number else 0)
        return found, against


class _Rank(NamedTuple):
    """How well an image's history goes with a way: whether both end together, how little speaks
    against it, how much fits by all of its text. It ``is_sure`` from nothing on; to the end, where
    something fits so, or two things where anything speaks against it; else with two things, one
    of them a RUN.
    """

    ends: bool
    against: int
    exact: int
    is_sure: bool


def _between(history: History, way: _Way, stop: int) -> Iterator[list[str]]:
    """The entries before the first step of a way, those between its steps, those after the last
    up to ``stop``."""
    edges = [way.first, *(number + 1 for number in way.chains), stop]
    for start, end in pairwise(edges):
        yield [text for group in history.between[start:end] for text in group]


def _sayings(image: Image) -> Iterator[list[Saying]]:
    """An image's instructions beside its steps, from the root on: those before its first step,
    those after it, and so on."""
    group: list[Saying] = []
    for stage in _stages(image):
        states = [*(item.before for item in stage.evaluated[1:]), stage.end]
        for item, after in zip(stage.evaluated, states, strict=False):
            if item.step is not None:
                yield group
                group = []
            elif item.instruction.keyword != "WORKDIR":
                group.append(Saying(item.instruction, after))
    yield group


def _stages(image: Image) -> list[Stage]:
    return [*(_stages(image.parent) if image.parent is not None else ()), image.stage]


def _may_be_no_step(made: Made) -> bool:
    """Whether it is a WORKDIR that may change nothing."""
    return made.kind == "WORKDIR" and not re.match(r"/+[^/]", made.text)


def _names(images: Sequence[Image]) -> dict[str, list[Image]]:
    """By what compose, bake and configuration call them, the images that they build; each also by
    its repository alone."""
    found: dict[str, list[Image]] = defaultdict(list)
    for image in images:
        build, stages = image.evaluation.build, image.evaluation.stages
        if build is None or image.stage is not _target(build.target, stages):
            continue
        for tag in build.tags:
            for name in {canonical_image(tag), _repository(tag)}:
                found[name].append(image)
    return found


def _target(target: str | None, stages: Sequence[Stage]) -> Stage:
    if target is None:
        return stages[-1]
    number = int(target) if target.isdecimal() else len(stages)
    return find_stage(stages, target) or stages[min(number, len(stages) - 1)]


def _repository(name: str) -> str:
    return re.sub(r"[:@][^/]*$", "", canonical_image(name))
