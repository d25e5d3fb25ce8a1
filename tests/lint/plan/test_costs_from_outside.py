"""The cost model that reads git's history."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dockstrata.errors import DockstrataError
from dockstrata.meaning.repository import read_repository
from dockstrata.plan.history import PRIOR, read_history
from dockstrata.plan.planner import Placement, make_plan
from dockstrata.plan.settings import PlanSettings
from dockstrata.plan.weights import by_history

SETTINGS = PlanSettings()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commit(month: int) -> None:
    when = f"2020-{month:02}-01T00:00:00Z"
    author = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    names = {f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER")
             for what in ("NAME", "EMAIL")}  # fmt: skip
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *arguments], check=True, env={**os.environ, **author, **names})


def test_lines_keep_count_of_their_changes_when_others_move(here: Path) -> None:
    file = here / "Dockerfile"
    file.write_text("FROM debian:12\nRUN os\nRUN mw 1\nRUN app\n")
    commit(1)
    for number in (2, 3, 4):
        file.write_text(f"FROM debian:12\nRUN os\nRUN mw {number}\nRUN app\n")
        commit(number)
    file.write_text("# a comment\nFROM debian:12\nRUN os\nRUN mw 4\nRUN new\nRUN app\n")
    commit(5)
    found = read_history(".").rewritten["Dockerfile"]
    assert found.lines == [0, 0, 0, 3, 0, 0]
    steps = read_repository(["."]).set.images[0].steps
    history = read_history(".")
    assert [history.rate(step) > PRIOR for step in steps] == [False, True, False, False]


def test_copy_counts_commits_to_the_files_that_it_takes(here: Path) -> None:
    (here / "app/src").mkdir(parents=True)
    (here / "app/Dockerfile").write_text("FROM debian:12\nCOPY src /src\nCOPY fixed /\n")
    (here / "app/fixed").write_text("x")
    for number in (1, 2, 3, 4):
        (here / "app/src/main").write_text(str(number))
        commit(number)
    history = read_history(".")
    often, once = (history.rate(step) for step in read_repository(["."]).set.images[0].steps)
    assert often > 3 * (once - PRIOR)


def test_a_step_weighs_all_changes_above_it_too(here: Path) -> None:
    for name in ("a", "b"):
        (here / name).mkdir()
    for number in (1, 2, 3, 4, 5, 6):
        for name in ("a", "b"):
            text = f"FROM debian:12\nRUN often {number}\nRUN never\n"
            (here / name / "Dockerfile").write_text(text)
        commit(number)
    images = read_repository(["."]).set
    plan = make_plan(images, SETTINGS, Placement(), model=by_history(".", SETTINGS))
    (base,) = plan.bases
    assert [step.instruction.line for step in base.own_steps] == ["RUN often 6", "RUN never"]
    history = read_history(".")
    first, second = (history.rate(step) for step in base.own_steps)
    assert base.saved_cost == pytest.approx(10 * first + 10 * (first + second) - 2 * PRIOR)


def test_no_history_is_an_error_that_says_so(here: Path) -> None:
    with pytest.raises(DockstrataError, match="history cannot be read"):
        read_history(".")
