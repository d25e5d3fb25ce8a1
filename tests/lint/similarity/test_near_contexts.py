"""Near misses: steps whose words are the same and whose contexts are not, and versions."""

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


def test_the_keyword_s_case_is_no_difference(tmp_path: Path) -> None:
    (found,) = misses(
        tmp_path, "RUN apt-get install -y a  b\n", "run apt-get install -y \\\n a b\n"
    )
    assert {edit.kind for edit in found.edits} == {"whitespace"}


def test_what_the_builds_are_given_is_no_edit_of_a_dockerfile(tmp_path: Path) -> None:
    services = "".join(
        f"  s{number}:\n    build:\n      context: '{number}'\n      args: {{V: '{number}'}}\n"
        for number in (0, 1)
    )
    found = misses(tmp_path, "ARG V=1\n", "ARG V=1\n", compose=f"services:\n{services}")
    assert all(edit.old and edit.new for miss in found for edit in miss.edits)


def test_nobody_goes_back_to_an_older_version(tmp_path: Path) -> None:
    for number, (tag, tool) in enumerate((("11", "1.9"), ("11", "1.9"), ("11", "1.10"))):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "Dockerfile").write_text(
            f"FROM debian:{tag}\nRUN apt-get install -y tool={tool}\nRUN next\n"
        )
    (found,) = near_misses(build_trie(read_repository([str(tmp_path)]).set.images))
    assert {Path(edit.path).parent.name for edit in found.edits} == {"0", "1"}
    assert all(edit.new.endswith("tool=1.10") for edit in found.edits)


def test_nor_to_an_older_root(tmp_path: Path) -> None:
    for number, tag in enumerate(("11", "12")):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "Dockerfile").write_text(f"FROM debian:{tag}\nRUN next\n")
    (found,) = near_misses(build_trie(read_repository([str(tmp_path)]).set.images))
    assert {edit.new for edit in found.edits} == {"debian:12"}
