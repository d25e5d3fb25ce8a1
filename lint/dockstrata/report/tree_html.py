"""``tree --format html``: every image, folded by root image, by what repeats, and by folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from dockstrata.report.html_page import SEARCH, code, figures, folded, page, text
from dockstrata.report.picture import Totals, Vertex, called, facts, place, summary
from dockstrata.report.plain import count

_SIBLINGS = 12
"""More images than these, side by side, are folded by folder."""
_TOP = 15
"""So many of the repetitions that cost most are listed above the tree."""


def tree_html(roots: Sequence[Vertex], totals: Totals) -> str:
    """A whole page."""
    return page("Images and what they repeat", _body(roots, totals))


def _body(roots: Sequence[Vertex], totals: Totals) -> Iterator[str]:
    yield figures(
        [
            (totals.dockerfiles, "Dockerfiles"),
            (totals.images, "images"),
            (len(roots), "root images"),
            (totals.steps, "steps"),
            (totals.repeated, "of them a repetition"),
        ]
    )
    shared = sorted(_shared(roots), key=lambda vertex: -_saved(vertex))
    if shared:
        yield "<h2>What repeats most</h2>"
        yield (
            '<table><tr><th>Steps</th><th class="number">in images</th>'
            '<th class="number">repetitions</th><th>for example in</th></tr>'
        )
        for vertex in shared[:_TOP]:
            steps = "<br>".join(code(_cut(summary(step))) for step in vertex.steps[:3])
            if len(vertex.steps) > 3:
                steps += f'<br><span class="soft">and {len(vertex.steps) - 3} more</span>'
            yield (
                f'<tr><td>{steps}</td><td class="number">{len(vertex.images)}</td>'
                f'<td class="number">{_saved(vertex)}</td>'
                f"<td>{code(place(vertex.steps[0]))}</td></tr>"
            )
        yield "</table>"
    yield "<h2>All images</h2>"
    yield SEARCH
    yield "<main>"
    small = sum(len(list(root.leaves())) for root in roots) <= 60
    plain = [root for root in roots if not any(_shared([root]))]
    if len(plain) <= _SIBLINGS:
        plain = []
    yield from (_root(root, small) for root in roots if root not in plain)
    if plain:
        title = f"{len(plain)} more root images, on which nothing repeats"
        yield folded(title, (_root(root, False) for root in plain), "root")
    yield "</main>"


def _root(root: Vertex, is_open: bool) -> str:
    images = len(list(root.leaves()))
    repeated = sum(map(_saved, _shared([root])))
    mark = f' <span class="repeat">{count(repeated, "repetition")}</span>' if repeated else ""
    title = f'{code(root.name)} <span class="soft">{count(images, "image")}</span>{mark}'
    return folded(title, _below(root), "root", is_open)


def _shared(vertices: Sequence[Vertex]) -> Iterator[Vertex]:
    for vertex in vertices:
        if vertex.kind == "shared":
            yield vertex
        yield from _shared(vertex.children)


def _saved(vertex: Vertex) -> int:
    return len(vertex.steps) * (len(vertex.images) - 1)


def _cut(line: str) -> str:
    return line if len(line) <= 110 else f"{line[:108]} …"


def _below(vertex: Vertex) -> Iterator[str]:
    for child in vertex.children:
        if child.kind != "image":
            yield folded(_title(child), [_steps(child), *_below(child)], is_open=True)
    images = [child for child in vertex.children if child.kind == "image"]
    if len(images) <= _SIBLINGS:
        yield from map(_image, images)
        return
    groups: dict[str, list[Vertex]] = defaultdict(list)
    for child in images:
        groups[child.images[0].path.rpartition("/")[0].rpartition("/")[0] or "."].append(child)
    for folder in sorted(groups):
        title = f'{code(folder)} <span class="soft">{count(len(groups[folder]), "image")}</span>'
        yield folded(title, map(_image, groups[folder]))


def _title(vertex: Vertex) -> str:
    if vertex.kind == "shared":
        return f'<span class="repeat">{text(vertex.name)}</span>'
    return text(vertex.name)


def _steps(vertex: Vertex) -> str:
    lines = (
        f'{text(summary(step))}  <span class="soft">{text(place(step))}</span>'
        for step in vertex.steps
    )
    return f"<pre>{chr(10).join(lines)}</pre>"


def _image(vertex: Vertex) -> str:
    name = code(called(vertex.images[0]))
    return f'<div class="image">{name} <span class="soft">{text(facts(vertex))}</span></div>'
