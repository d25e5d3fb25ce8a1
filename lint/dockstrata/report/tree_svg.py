"""``tree --format svg``: a layered drawing, laid out here; no other program is needed."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dockstrata.report.boxes import Box, boxes
from dockstrata.report.picture import Totals, Vertex
from dockstrata.report.xml import quoted

MOST = 400
"""Boxes in one drawing; more are folded."""
_CHARACTER = 6.7
"""Width of a character of the font, in pixels, with some room for other fonts."""
_LINE = 15
_PADDING = 7
_GAP = 10
_COLUMN_GAP = 36
_TOP = 44
_STYLE = """
text { font: 11px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328 }
.title { font-weight: 600 }
.line { fill: #59636e }
.box { fill: #ffffff; stroke: #8c959f }
.root { fill: #dbe7f6; stroke: #4a6785 }
.shared { fill: #fdf0cd; stroke: #a3812b }
.own { stroke-dasharray: 4 }
.images { fill: #f1f3f5 }
.edge { fill: none; stroke: #8c959f }
.page { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .line { fill: #a3adb8 }
  .box { fill: #0d1117; stroke: #6e7681 }
  .root { fill: #1c2f47; stroke: #5f8dc4 }
  .shared { fill: #3d3212; stroke: #c9a23f }
  .images { fill: #1b2028 }
  .edge { stroke: #6e7681 }
  .page { fill: #0d1117 }
}
"""


@dataclass(slots=True)
class _Placed:
    box: Box
    level: int
    y: float
    children: list[_Placed]

    @property
    def height(self) -> float:
        return _LINE * (1 + len(self.box.lines)) + 2 * _PADDING - 3

    @property
    def width(self) -> float:
        lines = (self.box.title, *self.box.lines)
        return max(map(len, lines)) * _CHARACTER + 2 * _PADDING

    def walk(self) -> Iterator[_Placed]:
        yield self
        for child in self.children:
            yield from child.walk()


def tree_svg(roots: Sequence[Vertex], totals: Totals) -> str:
    """A whole SVG document, light or dark as the reader's browser is."""
    drawn, y = [], float(_TOP)
    for box in boxes(roots, MOST):
        placed, y = _place(box, 0, y)
        drawn.append(placed)
        y += _GAP
    everything = [item for root in drawn for item in root.walk()]
    widths: dict[int, float] = {}
    for item in everything:
        widths[item.level] = max(widths.get(item.level, 0), item.width)
    columns: dict[int, float] = {}
    x = 12.0
    for level in sorted(widths):
        columns[level] = x
        x += widths[level] + _COLUMN_GAP
    head = str(totals)
    width = max(x - _COLUMN_GAP + 12, len(head) * _CHARACTER + 24)
    size = f'width="{width:.0f}" height="{y:.0f}" viewBox="0 0 {width:.0f} {y:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoted(head)}>',
        f"<style>{_STYLE}</style>",
        '<rect class="page" width="100%" height="100%"/>',
        f'<text x="12" y="24" class="title">{html.escape(head)}</text>',
        *(line for item in everything for line in _edges(item, columns, widths)),
        *(line for item in everything for line in _drawn(item, columns, widths)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _place(box: Box, level: int, y: float) -> tuple[_Placed, float]:
    """The box with all below it, its top at ``y`` or lower; and where the next may begin."""
    item = _Placed(box, level, y, [])
    below = y
    for child in box.children:
        placed, below = _place(child, level + 1, below)
        item.children.append(placed)
    if item.children:
        first, last = item.children[0], item.children[-1]
        middle = (first.y + last.y + last.height) / 2
        # Beside its first child where it would be drawn far from it: long branches are scrolled.
        item.y = max(y, min(middle - item.height / 2, first.y + 120))
    return item, max(below, item.y + item.height + _GAP)


def _edges(item: _Placed, columns: dict[int, float], widths: dict[int, float]) -> Iterator[str]:
    start = columns[item.level] + widths[item.level]
    for child in item.children:
        end = columns[child.level]
        middle = (start + end) / 2
        one, other = item.y + item.height / 2, child.y + child.height / 2
        path = f"M{start:.0f} {one:.1f}C{middle:.0f} {one:.1f} {middle:.0f} {other:.1f}"
        yield f'<path class="edge" d="{path} {end:.0f} {other:.1f}"/>'


def _drawn(item: _Placed, columns: dict[int, float], widths: dict[int, float]) -> Iterator[str]:
    x, y, width = columns[item.level], item.y, widths[item.level]
    size = f'x="{x:.0f}" y="{y:.1f}" width="{width:.0f}" height="{item.height:.0f}"'
    yield f'<rect class="box {item.box.kind}" rx="4" {size}/>'
    for number, line in enumerate((item.box.title, *item.box.lines)):
        at = y + _PADDING + 8 + number * _LINE
        kind = "line" if number else "title"
        yield f'<text class="{kind}" x="{x + _PADDING:.0f}" y="{at:.1f}">{html.escape(line)}</text>'
