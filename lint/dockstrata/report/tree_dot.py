"""``tree --format dot``: for Graphviz (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockstrata.report.boxes import Box, boxes
from dockstrata.report.picture import Vertex

MOST = 400
"""Boxes in one drawing; more are folded."""
_STYLES = {
    "root": 'shape=box, style=filled, fillcolor="#dbe7f6"',
    "shared": 'shape=box, style="filled,rounded", fillcolor="#fdf0cd"',
    "own": "shape=box, style=dashed",
    "image": "shape=box",
    "images": "shape=box, peripheries=2",
}

# Graphviz reads HTML's entities in labels.
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "&": "&amp;"})


def tree_dot(roots: Sequence[Vertex]) -> Iterator[str]:
    """The lines of a digraph."""
    yield "digraph images {"
    yield "  rankdir=LR;"
    yield '  node [fontname="monospace", fontsize=10, margin="0.12,0.06"];'
    number = 0

    def draw(box: Box, parent: int | None) -> Iterator[str]:
        nonlocal number
        mine, number = number, number + 1
        yield f"  n{mine} [label={_label(box)}, {_STYLES[box.kind]}];"
        if parent is not None:
            yield f"  n{parent} -> n{mine};"
        for child in box.children:
            yield from draw(child, mine)

    for box in boxes(roots, MOST):
        yield from draw(box, None)
    yield "}"


def _label(box: Box) -> str:
    """A quoted string; ``\\l`` ends a line and sets it to the left."""
    lines = (box.title, *box.lines)
    escaped = (line.translate(_ESCAPES) for line in lines)
    return '"' + "".join(f"{line}\\l" for line in escaped) + '"'
