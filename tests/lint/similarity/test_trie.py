"""The prefix trie against a plain count of what repeats, on random sets."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest

from dockstrata.meaning.repository import read_repository
from dockstrata.similarity.trie import build_trie

BENCH = Path(__file__).resolve().parents[3] / "bench"
sys.path.insert(0, str(BENCH))

from refactor_fuzz import generate  # noqa: E402


@pytest.mark.parametrize("seed", range(30))
def test_nodes_are_the_prefixes(seed: int, tmp_path: Path) -> None:
    generate(Random(seed)).write(tmp_path)
    images = read_repository([str(tmp_path)]).set.images
    trie = build_trie(images)
    having: dict[str, list[str]] = defaultdict(list)
    for image in images:
        for step in image.steps:
            having[step.chain].append(image.id)
    for node in trie.walk():
        assert sorted(image.id for image in node.images) == sorted(having.get(node.chain, []))
        assert len(node.path()) == node.length
        assert all(child.parent is node for child in node.children)
    for image in images:
        end = trie.end_of[image.id]
        steps = [node.chain for node in end.path()]
        assert steps == [step.chain for step in image.all_steps]
    for node in trie.shared():
        assert len(node.images) > 1
        assert all(len(child.images) < len(node.images) for child in node.children)
    # Every prefix that repeats is on the way to a shared node, or a longer one has fewer images.
    longest = {chain for node in trie.shared() for chain in (n.chain for n in node.path())}
    assert {chain for chain, ids in having.items() if len(ids) > 1} <= longest
