"""Near misses between steps whose words are the same and whose contexts are not."""

from __future__ import annotations

from pathlib import Path

from dockstrata.meaning.repository import read_repository
from dockstrata.similarity.near import NearMiss, near_misses
from dockstrata.similarity.trie import build_trie


def misses(folder: Path, *texts: str, compose: str = "") -> list[NearMiss]:
    for number, text in enumerate(texts):
        (folder / str(number)).mkdir()
        (folder / str(number) / "Dockerfile").write_text(f"FROM debian:12\n{text}RUN work\n")
    if compose:
        (folder / "compose.yaml").write_text(compose)
    return near_misses(build_trie(read_repository([str(folder)]).set.images))


def test_another_value(tmp_path: Path) -> None:
    (found,) = misses(tmp_path, "ENV A=1 B=x\n", "ENV A=2 B=x\n")
    assert {(edit.kind, edit.old, edit.new) for edit in found.edits} == {("context", "A=2", "A=1")}


def test_another_order(tmp_path: Path) -> None:
    (found,) = misses(tmp_path, "ENV A=1 B=x\n", "ENV B=x A=1\n")
    (edit,) = found.edits
    assert "B=x A=1" in edit.old
    assert "A=1 B=x" in edit.new


def test_what_the_builds_are_given_is_no_edit_of_a_dockerfile(tmp_path: Path) -> None:
    services = "".join(
        f"  s{number}:\n    build:\n      context: '{number}'\n      args: {{V: '{number}'}}\n"
        for number in (0, 1)
    )
    found = misses(tmp_path, "ARG V=1\n", "ARG V=1\n", compose=f"services:\n{services}")
    assert all(edit.old and edit.new for miss in found for edit in miss.edits)
