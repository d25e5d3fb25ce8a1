"""The hooks, with the real pre-commit in a scratch repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HOOKS = REPOSITORY / ".pre-commit-hooks.yaml"


def test_the_two_files_are_one() -> None:
    assert HOOKS.read_bytes() == (REPOSITORY / "pre-commit-hooks.yaml").read_bytes()


def test_manifest_is_valid() -> None:
    pytest.importorskip("pre_commit")
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(HOOKS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("Dockerfile", True),
        ("a/b/Dockerfile.web", True),
        ("a/web.Dockerfile", True),
        ("web.dockerfile", True),
        ("Dockerfile-alpine", True),
        ("Containerfile", True),
        ("Dockerfile.md", False),
        ("Dockerfile.j2", False),
        ("Dockerfile.dockerignore", False),
        ("dockerfile.py.txt", False),
        ("MyDockerfile", False),
        ("Dockerfiles/readme", False),
    ],
)
def test_which_files(path: str, taken: bool) -> None:
    import re

    from ruamel.yaml import YAML

    for hook in YAML(typ="safe").load(HOOKS)[:2]:
        matched = re.search(hook["files"], path) and not re.search(hook["exclude"], path)
        assert bool(matched) is taken


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A cache of its own for pre-commit, shared by this module's tests."""
    home = tmp_path_factory.mktemp("pre-commit")
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "test"), ("EMAIL", "test@example.com"))
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, **identity, "PRE_COMMIT_HOME": str(home)}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """This checkout, uncommitted work included, as one commit: what a user's pre-commit clones."""
    folder = tmp_path_factory.mktemp("snapshot") / "dockstrata"
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z", "lint", "rules", "*.toml",
         "README.md", "LICENSE", "*.yaml"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if files.returncode != 0:
        pytest.skip("not a git checkout")
    for name in filter(None, files.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((REPOSITORY / name).read_bytes())
    _commit(folder, environment)
    return folder


@pytest.fixture
def scratch(tmp_path: Path, environment: dict[str, str]) -> Path:
    shared = "FROM debian:12.5\nRUN useradd app && mkdir /data\nRUN chown app /data\n"
    for name, last in (("api", "COPY api /api\n"), ("web", "COPY web /web\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(shared + last)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "Dockerfile").write_text("from debian:latest\nCOPY a /a\n")
    (tmp_path / "Dockerfile.md").write_text("# About\n")
    _commit(tmp_path, environment)
    return tmp_path


def _commit(folder: Path, environment: dict[str, str]) -> None:
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True)


def _try(
    hook: str, scratch: Path, snapshot: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("pre_commit")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "try-repo", str(snapshot), hook, "--all-files",
         "--verbose"],
        cwd=scratch, env=environment, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode == 3 and "pip" in done.stdout and "install" in done.stdout:
        offline = ("No matching distribution", "ConnectionError", "Temporary failure", "Max retr")
        if any(word in done.stdout for word in offline):
            pytest.skip("no package index can be reached to build the hook's environment")
    assert "Traceback" not in done.stdout
    return done


def test_lint(scratch: Path, snapshot: Path, environment: dict[str, str]) -> None:
    done = _try("dockstrata", scratch, snapshot, environment)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "old/Dockerfile:1:" in done.stdout
    assert " DL3007 " in done.stdout
    assert "Dockerfile.md" not in done.stdout
    assert " DS1" not in done.stdout


def test_fix(scratch: Path, snapshot: Path, environment: dict[str, str]) -> None:
    done = _try("dockstrata-fix", scratch, snapshot, environment)
    assert done.returncode == 1, done.stdout + done.stderr
    assert (scratch / "old" / "Dockerfile").read_text().startswith("FROM debian:latest\n")
    assert "files were modified by this hook" in done.stdout


def test_layers(scratch: Path, snapshot: Path, environment: dict[str, str]) -> None:
    done = _try("dockstrata-layers", scratch, snapshot, environment)
    assert "dockstrata (layers)" in done.stdout, done.stdout + done.stderr
    assert " DL3007 " not in done.stdout
    if not _has_set_rules():
        pytest.skip("no rule about the set is installed")
    assert done.returncode == 1, done.stdout
    assert " DS1" in done.stdout


def _has_set_rules() -> bool:
    from dockstrata.registry import load_registry

    return any(rule.check_set is not None for rule in load_registry().rules)
