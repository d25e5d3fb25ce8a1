"""The example pack of the documentation, installed by pip as a user would, and broken ones."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "example_pack"
DOCKERFILE = "FROM debian:12.5\n# dockstrata ignore=ACME001 as we like it\nFROM alpine:3.20\n"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the example pack, as pip installs it; nothing is downloaded."""
    for module in ("pip", "hatchling"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    source, target = tmp_path_factory.mktemp("source") / "pack", tmp_path_factory.mktemp("target")
    shutil.copytree(EXAMPLE, source)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
         "--no-build-isolation", "--target", str(target), str(source)],
        check=True,
    )  # fmt: skip
    return target


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    return tmp_path


def dockstrata(
    path: Path | list[Path], folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    paths = [path] if isinstance(path, Path) else path
    return subprocess.run(
        [sys.executable, "-m", "dockstrata", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        capture_output=True,
        encoding="utf-8",
    )


def pack(folder: Path, name: str, text: str) -> Path:
    """A folder with an installed pack of one module."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[dockstrata.rules]\n{name} = {name}_rules:RULES\n")
    (folder / f"{name}_rules.py").write_text(text)
    return folder


def rule(code: str) -> str:
    return (
        '"""A page."""\nfrom dockstrata.rule import Severity, rule\n'
        f'@rule(code="{code}", name="a-strangers", severity=Severity.INFO)\n'
        "def strange(context):\n"
        "    for node in context.instructions('FROM'):\n"
        "        yield context.finding(node, 'strange')\n"
        '@rule(code="ZZ002", name="anothers", severity=Severity.INFO)\n'
        "def other(context):\n"
        "    for node in context.instructions('FROM'):\n"
        "        yield context.finding(node, 'other')\n"
        "RULES = (strange, other)\n"
    )


def test_its_rules_are_listed_and_have_pages(installed: Path, work: Path) -> None:
    listed = dockstrata(installed, work, "rule")
    assert listed.returncode == 0
    assert "image-not-mirrored: A root image does not come from Acme's mirror." in listed.stdout
    page = dockstrata(installed, work, "rule", "acme001")
    assert "Fix: unsafe, because the mirror may lack the image." in page.stdout


def test_its_rules_lint_and_hear_comments(installed: Path, work: Path) -> None:
    linted = dockstrata(installed, work, "lint", "--select", "ACME", "--quiet")
    assert linted.stdout == (
        "Dockerfile:1:1: ACME001 [*] warning: pull debian:12.5 through mirror.acme.example"
        " (image-not-mirrored)\n"
    )
    assert linted.returncode == 1
    assert "ACME001" in dockstrata(installed, work, "lint").stdout
    assert "ACME001" not in dockstrata(installed, work, "lint", "--ignore", "ACME001").stdout


def test_its_fixes_are_applied(installed: Path, work: Path) -> None:
    dockstrata(installed, work, "lint", "--select", "ACME", "--fix", "--unsafe-fixes")
    text = (work / "Dockerfile").read_text()
    assert text == DOCKERFILE.replace("debian", "mirror.acme.example/debian")


def test_its_rules_about_the_set_run(installed: Path, work: Path) -> None:
    (work / "other").mkdir()
    (work / "other" / "Dockerfile").write_text("FROM debian:12.6\n")
    linted = dockstrata(installed, work, "lint", "--select", "ACME101", "--quiet")
    assert "other/Dockerfile:1:1: ACME101 info: other images of the set use" in linted.stdout


def test_its_own_tests_pass_and_can_fail(installed: Path, tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    shutil.copytree(EXAMPLE / "tests", tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTEST_ADDOPTS": ""}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
        )

    done = run()
    assert done.returncode == 0, done.stdout
    fixed = tests / "cases" / "image-not-mirrored" / "from-the-hub" / "fixed.Dockerfile"
    fixed.write_text(fixed.read_text() + "RUN false\n")
    done = run()
    assert done.returncode == 1
    assert "-RUN false" in done.stdout
    assert "1 failed" in done.stdout


def test_a_pack_that_does_not_import_loses_itself_alone(
    installed: Path, work: Path, tmp_path: Path
) -> None:
    broken = pack(tmp_path / "broken", "aaa", "import no_such_module\n")
    linted = dockstrata([broken, installed], work, "lint", "--select", "ACME,BBB1")
    assert linted.returncode == 2
    assert "Dockerfile:1:1: ACME001" in linted.stdout
    assert (
        "error: the rule pack 'aaa' (aaa_rules:RULES) cannot be loaded: ModuleNotFoundError:"
        " No module named 'no_such_module'\n" in linted.stderr
    )
    assert "Traceback" not in linted.stderr
    listed = dockstrata([broken, installed], work, "rule")
    assert listed.returncode == 2
    assert "ACME001" in listed.stdout
    assert "rule pack 'aaa'" in listed.stderr


@pytest.mark.parametrize("code", ["DL3007", "dl3007", "SC9999", "untagged-image", "ALL", "A 1"])
def test_a_clash_of_codes_loses_that_rule_alone(work: Path, tmp_path: Path, code: str) -> None:
    clashing = pack(tmp_path / "clash", "aaa", rule(code))
    (work / "Dockerfile").write_text("FROM debian:latest\n")
    linted = dockstrata(clashing, work, "lint", "--select", "ZZ002,DL3007")
    assert linted.returncode == 2
    assert f"error: the rule pack 'aaa': {code} is left out: " in linted.stderr
    assert "DL3007 warning: Using latest" in linted.stdout
    assert "ZZ002 info: other" in linted.stdout


def test_a_rule_that_raises_is_told_and_stops_nothing(work: Path, tmp_path: Path) -> None:
    text = rule("ZZ001").replace("        yield context.finding(node, 'strange')", "        1 / 0")
    linted = dockstrata(pack(tmp_path / "raises", "aaa", text), work, "lint", "--select", "ZZ")
    assert linted.returncode == 2
    assert "ZZ002 info: other" in linted.stdout
    assert "error: Dockerfile: internal error in rule ZZ001: ZeroDivisionError" in linted.stderr
