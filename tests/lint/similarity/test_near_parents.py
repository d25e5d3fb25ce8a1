"""Near misses among images that the set builds on one another."""

from __future__ import annotations

from pathlib import Path

from dockstrata.meaning.repository import read_repository
from dockstrata.similarity.near import near_misses
from dockstrata.similarity.trie import build_trie


def test_images_on_one_parent_of_the_set(tmp_path: Path) -> None:
    """The step that nearly is another's is their parent's: it is edited there, once."""
    start = "FROM debian:12\nRUN apt-get install -y curl jq "
    files = {
        "parent/Dockerfile": start + "cmake\n",
        "a/Dockerfile": "FROM acme/parent\nRUN next\n",
        "b/Dockerfile": "FROM acme/parent\nRUN next\n",
        **{f"{name}/Dockerfile": start + "make\nRUN next\n" for name in "cdef"},
        "compose.yaml": "services: {parent: {image: acme/parent, build: parent}}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (found,) = near_misses(build_trie(read_repository([str(tmp_path)]).set.images))
    assert [edit.path for edit in found.edits] == [f"{tmp_path}/parent/Dockerfile"]
    assert {Path(image.path).parent.name for image in found.images} == set("abcdef")
    assert found.gained == 2
