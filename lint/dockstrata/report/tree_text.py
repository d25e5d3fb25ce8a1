"""``tree`` for people: root images, what repeats below them, and how deep each image lies."""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.meaning.repository import Repository
from dockstrata.report.picture import Vertex, facts, place, roots, summary, totals
from dockstrata.report.terminal import printable, shorten
from dockstrata.similarity.trie import Trie


def tree_text(repository: Repository, trie: Trie, width: int = 100) -> Iterator[str]:
    """The lines of the picture."""
    yield str(totals(repository, trie))
    for root in roots(trie):
        yield ""
        yield printable(root.name)
        yield from _below(root, "", width)


def _below(vertex: Vertex, indent: str, width: int) -> Iterator[str]:
    for position, child in enumerate(vertex.children):
        last = position == len(vertex.children) - 1
        branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        extra = f"  ({printable(facts(child))})" if child.kind == "image" else ""
        yield indent + branch + printable(child.name) + extra
        if child.kind == "shared":
            for step in child.steps:
                text = f"{printable(summary(step))}   ({printable(place(step))})"
                yield f"{indent}{below}│  {shorten(text, width - len(indent) - 6)}"
        yield from _below(child, indent + below, width)
