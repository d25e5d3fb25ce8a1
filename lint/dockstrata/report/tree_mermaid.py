"""``tree --format mermaid``: a flowchart that GitHub, GitLab and wikis draw inside Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dockstrata.report.boxes import Box, boxes
from dockstrata.report.picture import Vertex

_MOST = (120, 60, 30, 15)
"""Boxes in one drawing: as many as fit into the text that GitHub draws."""
_LARGEST = 45_000
"""Mermaid refuses more than 50,000 characters (``maxTextSize``), and more than 500 edges."""
_SHAPES = {"root": ("[[", "]]"), "shared": ("(", ")"), "images": ("[/", "/]")}
_PLAIN = re.compile(r"[^A-Za-z0-9 .,/_:=@+-]")


def tree_mermaid(roots: Sequence[Vertex]) -> str:
    """The text of a flowchart, without the fence around it."""
    text = ""
    for most in _MOST:
        text = "\n".join(_flowchart(boxes(roots, most)))
        if len(text) <= _LARGEST:
            break
    return text


def _flowchart(drawn: Sequence[Box]) -> Iterator[str]:
    yield "flowchart LR"
    number = 0

    def draw(box: Box, parent: int | None) -> Iterator[str]:
        nonlocal number
        mine, number = number, number + 1
        begin, end = _SHAPES.get(box.kind, ("[", "]"))
        node = f"n{mine}{begin}{_label(box)}{end}:::{box.kind}"
        yield f"  {node}" if parent is None else f"  n{parent} --> {node}"
        for child in box.children:
            yield from draw(child, mine)

    for box in drawn:
        yield from draw(box, None)
    yield "  classDef root fill:#dbe7f6,stroke:#4a6785,color:#000"
    yield "  classDef shared fill:#fdf0cd,stroke:#a3812b,color:#000,text-align:left"
    yield "  classDef own stroke-dasharray:4"
    yield "  classDef image text-align:left"
    yield "  classDef images text-align:left"


def _label(box: Box) -> str:
    return '"' + "<br>".join(map(_escaped, (box.title, *box.lines))) + '"'


def _escaped(text: str) -> str:
    """All that Mermaid, Markdown or HTML could read as its own, as entities of Mermaid's."""
    return _PLAIN.sub(lambda match: f"#{ord(match[0])};", text)
