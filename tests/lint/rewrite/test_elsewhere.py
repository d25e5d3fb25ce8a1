"""What is written for some folders of a repository leaves the others as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.meaning.repository import read_repository
from dockstrata.rewrite.journal import write_all
from dockstrata.rewrite.refactor import Options, refactor


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lay(folder: str, setting: str) -> None:
    for name in "ab":
        path = Path(folder, name, "Dockerfile")
        path.parent.mkdir(parents=True)
        path.write_text(f"FROM debian:12\nENV A={setting}\nRUN make\nRUN {name}\n")


def names(folder: str) -> list[str]:
    done = refactor(read_repository([folder]), Options())
    write_all(".", {**done.new, **done.changed})
    return [base.ref for base in done.plan.bases]


@pytest.mark.parametrize("git", [True, False])
def test_two_bases_of_one_repository_have_two_names(git: bool) -> None:
    """Both would be one image in the builder's store."""
    lay("one", "1")
    lay("two", "2")
    if git:
        Path(".git").mkdir()
    (first,), (second,) = names("one"), names("two")
    assert (first != second) == git
    assert names("one") == []
