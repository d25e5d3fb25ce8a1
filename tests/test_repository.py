"""What the repository promises about itself: its documents, its package, its examples."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import dockstrata
from dockstrata.cli.main import COMMANDS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/rules/*.md", "examples/*.md")
    for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
OTHERS_OPTIONS = {
    "--check", "--from", "--platform", "--mount", "--parents", "--exclude", "--type", "--layers"
}  # fmt: skip
"""Options of other programs, and flags of Dockerfile instructions, that the documents name."""


def project() -> dict[str, object]:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = data["project"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    links = _LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["README.md", "docs/plan.md"])
def test_documents_name_options_that_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    known: set[str] = set(OTHERS_OPTIONS)
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "dockstrata", command, "--help"],
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        known |= set(_OPTION.findall(done.stdout))
    assert set(_OPTION.findall(prose)) - known == set()


def test_plan_document_has_every_reason_of_a_refusal() -> None:
    from dockstrata.report import plan_text

    document = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
    assert [reason for reason in plan_text.REASONS if f"`{reason}`" not in document] == []


def test_readme_names_the_hooks_that_there_are() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    hooks = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    named = re.findall(r"^\s*- id: ([\w-]+)", readme, re.M)
    assert named
    assert set(named) == set(re.findall(r"^- id: ([\w-]+)", hooks, re.M))


def test_configuration_in_the_readme_is_valid(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```$", readme, re.S | re.M)
    (tmp_path / "dockstrata.toml").write_text(block, encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("FROM debian:12\n", encoding="utf-8")
    for command in ("lint", "plan"):
        done = subprocess.run(
            [sys.executable, "-m", "dockstrata", command],
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == 0, done.stderr


def test_version_is_one() -> None:
    assert project()["version"] == dockstrata.__version__


def test_all_that_is_imported_is_declared() -> None:
    declared = _declared(project()["dependencies"])
    extra = _declared(project()["optional-dependencies"]["server"])  # type: ignore[index]
    provided = packages_distributions()
    missing = set()
    for source in ("lint", "rules"):
        for path in (ROOT / source).rglob("*.py"):
            for name in _imports(path):
                owners = {owner.lower().replace("_", "-") for owner in provided.get(name, [name])}
                server = "server" in path.relative_to(ROOT).parts
                if not owners & (declared | extra if server else declared):
                    missing.add(f"{path.relative_to(ROOT)}: {name}")
    assert missing == set()


def _declared(requirements: object) -> set[str]:
    assert isinstance(requirements, list)
    return {
        re.split(r"[\s<>=!~;\[]", str(line), maxsplit=1)[0].lower().replace("_", "-")
        for line in requirements
    }


def _imports(path: Path) -> set[str]:
    """The top-level names of other people's modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    ours = {"dockstrata", "dockstrata_rules"}
    return names - ours - set(sys.stdlib_module_names) - {"tomllib"}


def test_examples_are_not_applied() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dockstrata", "tree", "--format", "json", "examples"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    tree = json.loads(done.stdout)
    assert not (ROOT / "examples" / "bases").exists()
    assert {image["depth"] for image in tree["images"]} == {2}


def test_examples_have_the_files_that_they_copy() -> None:
    for path in (ROOT / "examples").rglob("Dockerfile"):
        for line in path.read_text(encoding="utf-8").splitlines():
            match = re.match(r"(?i)copy (?!--from)(?:--\S+ )*(.+) \S+$", line)
            for source in match[1].split() if match else ():
                assert (path.parent / source).exists(), f"{path}: {source}"


@pytest.mark.skipif(os.name == "nt", reason="no such modes")
def test_ci_runs_what_people_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text(encoding="utf-8").splitlines()[-1]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("demo", "test", "clean"):
        assert re.search(rf"^{target}:", makefile, re.M)
