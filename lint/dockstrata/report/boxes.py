"""The image tree as boxes for a drawing, folded until it is one that people can look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dockstrata.meaning.images import Image
from dockstrata.report.picture import Vertex, called, facts, summary
from dockstrata.report.plain import count, valid
from dockstrata.report.terminal import printable, shorten

WIDTH = 60
"""Characters of a line at most."""
_LINES = 5
_SIBLINGS = 6
"""More images than these, side by side, are one box."""


@dataclass(frozen=True, slots=True)
class Box:
    """``kind`` as in :class:`Vertex`, or ``images`` for several in one; all text is printable."""

    kind: str
    title: str
    lines: tuple[str, ...] = ()
    children: tuple[Box, ...] = ()

    def walk(self) -> Iterator[Box]:
        yield self
        for child in self.children:
            yield from child.walk()


def boxes(roots: Sequence[Vertex], most: int) -> list[Box]:
    """At most about ``most`` boxes: images beside each other are folded, then small branches."""
    least, siblings = 0, _SIBLINGS
    while True:
        found = _forest(roots, siblings, least)
        drawn = sum(1 for box in found for _ in box.walk())
        if drawn <= most or least > sum(len(list(root.leaves())) for root in roots):
            return found
        siblings, least = 1, max(2, least * 2)


def _forest(roots: Sequence[Vertex], siblings: int, least: int) -> list[Box]:
    plain = [root for root in roots if not _repeats(root)]
    drawn = [root for root in roots if _repeats(root)]
    if len(plain) <= siblings:
        drawn, plain = list(roots), []
    small = [root for root in drawn if len(list(root.leaves())) < least]
    found = [_box(root, siblings, least) for root in drawn if root not in small]
    for rest, what in ((small, "few"), (plain, "no")):
        if rest:
            images = [image for root in rest for image in root.leaves()]
            title = f"{count(len(rest), 'more root image')} with {what} repetition"
            below = Box("images", count(len(images), "image"), _listed(images))
            names = [_clean(root.name) for root in rest]
            found.append(Box("root", title, _first(names), (below,)))
    return found


def _repeats(vertex: Vertex) -> bool:
    return any(child.kind == "shared" or _repeats(child) for child in vertex.children)


def _box(vertex: Vertex, siblings: int, least: int) -> Box:
    images = [child for child in vertex.children if child.kind == "image"]
    branches = [child for child in vertex.children if child.kind != "image"]
    folded = [branch for branch in branches if len(list(branch.leaves())) < least]
    children = [_box(child, siblings, least) for child in branches if child not in folded]
    gathered = [image for branch in folded for image in branch.leaves()]
    if len(images) > siblings or folded:
        gathered += [image for child in images for image in child.images]
    else:
        children += [_box(child, siblings, least) for child in images]
    if gathered:
        children.append(Box("images", count(len(gathered), "image"), _listed(gathered)))
    return replace(_alone(vertex), children=tuple(children))


def _alone(vertex: Vertex) -> Box:
    lines: tuple[str, ...] = ()
    if vertex.kind == "shared":
        lines = _first([_clean(summary(step)) for step in vertex.steps])
    elif vertex.kind == "image":
        lines = (_clean(facts(vertex)),)
        return Box(vertex.kind, _clean(called(vertex.images[0])), lines)
    return Box(vertex.kind, _clean(vertex.name), lines)


def _clean(text: str) -> str:
    return shorten(printable(valid(text)), WIDTH)


def _first(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) <= _LINES:
        return tuple(lines)
    return (*lines[: _LINES - 1], f"and {len(lines) - _LINES + 1} more")


def _listed(images: Sequence[Image]) -> tuple[str, ...]:
    """The images' names where they are few, else their folders, as deep as there is room."""
    if len(images) <= _LINES:
        return tuple(_clean(called(image)) for image in images)
    deepest = max(image.path.count("/") for image in images)
    for depth in range(deepest, 0, -1):
        groups = _by_folder(images, depth)
        if len(groups) <= _LINES:
            break
    else:
        groups = _by_folder(images, 1)
    return _first([_clean(f"{folder}  ({number})") for folder, number in groups.most_common()])


def _by_folder(images: Sequence[Image], depth: int) -> Counter[str]:
    return Counter("/".join(image.path.split("/")[:-1][:depth]) or "." for image in images)
