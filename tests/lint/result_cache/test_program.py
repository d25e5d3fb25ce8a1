"""The digest of the program changes with whatever a rule could be made of."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockstrata.registry import load_registry
from dockstrata.result_cache import program
from dockstrata.result_cache.program import loose_modules, packages_of, program_digest

NAME = "acme_digest_rules"
RULE = """\
from dockstrata.rule import Severity, rule

@rule(code="ACME9", name="says", severity=Severity.ERROR)
def says(context):
    \"\"\"A page.\"\"\"
    with open({ran!r}, "a") as file:
        file.write("ran\\n")
    yield context.finding(context.stages[0].node, {message!r})

RULES = (says,)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the path with an imported package, outside of any distribution."""
    monkeypatch.setattr(program, "STARTED", float("inf"))
    package = tmp_path / NAME
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "rule.py").write_text("x = 1\n")
    (package / "images.txt").write_text("debian\n")
    (tmp_path / f"{NAME}_helper.py").write_text("y = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module(NAME)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(NAME)]:
        del sys.modules[name]


def digest() -> bytes:
    found = program_digest([NAME])
    assert found is not None
    return found


def test_same(folder: Path) -> None:
    before = digest()
    cache = folder / NAME / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "rule.pyc").write_text("x")
    os.utime(folder / NAME / "images.txt", (1, 1))
    assert digest() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / NAME / "inner" / "rule.py").write_text("x = 2\n"),
        lambda folder: (folder / NAME / "images.txt").write_text("alpine\n"),
        lambda folder: (folder / NAME / "inner" / "new.py").write_text(""),
        lambda folder: (folder / NAME / "images.txt").unlink(),
        lambda folder: (folder / NAME / "images.txt").rename(folder / NAME / "other.txt"),
        lambda folder: (folder / "tool-1.1.dist-info").mkdir(),
        lambda folder: importlib.import_module(f"{NAME}_helper"),
    ],
)
def test_another(folder: Path, change: Callable[[Path], object]) -> None:
    before = digest()
    change(folder)
    assert digest() != before


def test_a_checkout_beside_it_is_read(folder: Path) -> None:
    importlib.import_module(f"{NAME}_helper")
    path = folder / f"{NAME}_helper.py"
    assert (f"{NAME}_helper", str(path)) in loose_modules([NAME])
    before = digest()
    path.write_text("y = 2\n")
    assert digest() != before


def test_what_changed_since_it_was_loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "STARTED", time.time() - 60)
    assert program_digest([NAME]) is None
    monkeypatch.setattr(program, "STARTED", time.time() + 60)
    assert program_digest([NAME]) is not None


def test_nothing_to_be_seen(folder: Path) -> None:
    assert program_digest(["no_such_package"]) is None
    assert program_digest(["sys"]) is None


def test_ours() -> None:
    registry = load_registry()
    assert packages_of(registry) >= {"dockstrata", "dockstrata_rules"}


def test_an_edited_rule(tmp_path: Path) -> None:
    """As whoever writes a rule works: its pack on the path, edit, lint."""
    pack, work, ran = tmp_path / "pack", tmp_path / "work", tmp_path / "ran"
    info = pack / "acme_edited-1.0.dist-info"
    info.mkdir(parents=True)
    work.mkdir()
    (info / "entry_points.txt").write_text("[dockstrata.rules]\nacme = acme_edited:RULES\n")
    (work / "Dockerfile").write_text("FROM debian:12.5\n")

    def said(message: str) -> None:
        output = subprocess.run(
            [sys.executable, "-m", "dockstrata", "lint", "--select", "ACME", "Dockerfile"],
            cwd=work,
            env={**os.environ, "PYTHONPATH": str(pack), "XDG_CACHE_HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            encoding="utf-8",
        ).stdout
        assert output == f"Dockerfile:1:1: ACME9 error: {message} (says)\n"

    def write(message: str) -> None:
        (pack / "acme_edited.py").write_text(RULE.format(ran=str(ran), message=message))

    def served(message: str) -> bool:
        before = ran.read_text()
        said(message)
        return ran.read_text() == before

    write("one")
    said("one")
    # Right after somebody wrote the program, its results are not kept.
    assert any(not time.sleep(1.5) and served("one") for _ in range(8))
    write("two")
    assert not served("two")
