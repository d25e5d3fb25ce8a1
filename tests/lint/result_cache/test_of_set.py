"""A set's result is served again exactly where the rules about it would say the same."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dockstrata import set_check
from dockstrata.checker import Options
from dockstrata.finding import Finding
from dockstrata.load.context import forget_contexts
from dockstrata.load.discover import discover
from dockstrata.load.witness import still, witness, witnessed
from dockstrata.plan.settings import PlanSettings
from dockstrata.result_cache import of_set
from dockstrata.result_cache import store as store_module
from dockstrata.runner import Job, lint_files
from dockstrata.selection import Selection

SET = Selection((("DS1", 1), ("DS2", 1), ("CopyIgnoredFile", 1)))
COMPOSE = "services:\n  a: {build: {context: a, args: {V: '1'}}}\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(store_module, "program_digest", lambda packages: b"the same")
    monkeypatch.setattr(of_set, "FEWEST", 2)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path(".git").mkdir()
    for name in ("a", "b", "c"):
        put(f"{name}/Dockerfile", f"FROM debian:12\nARG V\nCOPY f /\nRUN make $V\nRUN {name}\n")
        put(f"{name}/f", "same")
    put("compose.yaml", COMPOSE)
    return tmp_path


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the sets that the rules looked at."""
    sizes: list[int] = []
    check_set = set_check.check_set

    def counted(sources: object, *rest: object) -> set_check.SetOutcome:
        sizes.append(len(sources))  # type: ignore[arg-type]
        return check_set(sources, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("dockstrata.runner.check_set", counted)
    return sizes


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def lint(*, cache: bool = True, plan: PlanSettings | None = None) -> list[Finding]:
    forget_contexts()
    found = discover(["."])
    options = Options(SET, cache=cache, plan=plan or PlanSettings(), shellcheck=False)
    return lint_files(found.files, Job(options), jobs=1, wiring=found.wiring).findings


def move(old: str, new: str) -> None:
    os.rename(old, new)
    os.symlink(new, old)


CHANGES: dict[str, Callable[[], object]] = {
    "a Dockerfile": lambda: put("b/Dockerfile", "FROM debian:12\nCOPY f /\n"),
    "a Dockerfile more": lambda: put("d/Dockerfile", "FROM debian:12\nARG V\nCOPY f /\n"),
    "a Dockerfile less": lambda: os.unlink("c/Dockerfile"),
    "what COPY takes": lambda: put("b/f", "other"),
    "its mode": lambda: os.chmod("b/f", 0o755),
    "that it is there": lambda: os.unlink("b/f"),
    "an ignore file": lambda: put("b/.dockerignore", "f\n"),
    "an ignore file of its own": lambda: put("c/Dockerfile.dockerignore", "f\n"),
    "the compose file": lambda: put("compose.yaml", COMPOSE.replace("1", "2")),
    "a template": lambda: put("b/Dockerfile.template", "FROM debian:{{ n }}\n"),
    "a base in a folder above": lambda: put("../bases/x/Dockerfile", "FROM a\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_counts(change: Callable[[], object], looked: list[int]) -> None:
    before = lint()
    assert {finding.code for finding in before} >= {"DS101"}
    assert lint() == before
    assert looked == [3]
    change()
    after = lint()
    assert after == lint(cache=False)
    assert lint() == after


def test_a_change_is_seen(looked: list[int]) -> None:
    """Of what a set's rules look at beside the Dockerfiles, changes that change findings."""
    first = lint()
    put("b/f", "other")
    second = lint()
    assert second != first
    put("b/.dockerignore", "f\n")
    third = lint()
    assert third != second
    for name in ("a", "c"):
        put(f"{name}/Dockerfile.template", "FROM debian:{{ n }}\n")
    assert lint() != third
    assert looked == [3, 3, 3, 3]
    assert lint() == lint(cache=False)
    assert looked == [3, 3, 3, 3, 3]


def test_what_does_not_count(looked: list[int]) -> None:
    put("b/g", "not copied")
    before = lint()
    put("b/g", "other")
    os.utime("a/f", (0, 0))
    assert lint() == before
    assert looked == [3]


def test_options_count(looked: list[int]) -> None:
    lint()
    lint(plan=PlanSettings(min_images=4))
    assert looked == [3, 3]


def test_another_place_counts(looked: list[int], here: Path) -> None:
    lint()
    shutil.copytree(here / "here", here / "there")
    os.chdir(here / "there")
    lint()
    assert looked == [3, 3]


def test_a_link_that_turns_elsewhere(looked: list[int]) -> None:
    put("one/f", "1")
    put("two/f", "1")
    os.symlink("one", "ctx")
    for name in ("a", "b"):
        put(f"{name}/Dockerfile", f"FROM debian:12\nCOPY f /\nRUN {name}\n")
    services = "".join(
        f"  {name}: {{build: {{context: {context}, dockerfile: ../{file}/Dockerfile}}}}\n"
        for name, context, file in (("a", "ctx", "a"), ("a2", "one", "a"), ("b", "two", "b"))
    )
    put("compose.yaml", f"services:\n{services}")
    lint()
    os.unlink("ctx")
    os.symlink("two", "ctx")
    assert lint() == lint(cache=False)
    assert len(looked) == 3


def test_rules_that_fail_are_not_kept(looked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("dockstrata.facts.Facts.generated", property(fails))
    lint()
    lint()
    assert looked == [3, 3]


def test_small_sets_are_not_kept(looked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_set, "FEWEST", 4)
    lint()
    lint()
    assert looked == [3, 3]


@witnessed
def _asked(name: str, *more: object) -> object:
    if name.startswith("missing"):
        raise FileNotFoundError(name)
    return _ANSWERS[name]


_ANSWERS: dict[str, object] = {}


def test_witness() -> None:
    _ANSWERS.update(a=[1, 2], b=frozenset({"x", "y"}))
    with witness() as noted:
        assert _asked("a", ("p", "q")) == [1, 2]
        _asked("b")
        with pytest.raises(FileNotFoundError):
            _asked("missing")
    questions = [
        (name, list(map(_as_json, args)), digest) for (name, args), digest in noted.items()
    ]
    assert len(questions) == 3
    assert still(questions)
    _ANSWERS["b"] = frozenset({"x"})
    assert not still(questions)
    assert still(questions[:1])
    assert still(questions[2:])
    assert not still([("nobody.knows", [], "")])


def _as_json(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@witnessed
def _asks_in_turn(name: str) -> object:
    return [_asked(name)]


def test_what_is_asked_in_turn_is_in_the_answer() -> None:
    _ANSWERS.update(a=1)
    with witness() as noted:
        _asks_in_turn("a")
        _asks_in_turn("a")
        assert [name.rpartition(".")[2] for name, _ in noted] == ["_asks_in_turn"]
        _asked("a")
    assert len(noted) == 2
    _ANSWERS["a"] = 2
    assert not still([(name, args, digest) for (name, args), digest in list(noted.items())[:1]])
