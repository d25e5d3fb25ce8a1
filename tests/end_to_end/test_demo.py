"""What a newcomer does with ``examples/``, through the real command line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("java", "services", "web")


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    for folder in FOLDERS:
        shutil.copytree(ROOT / "examples" / folder, tmp_path / folder)
    return tmp_path


def dockstrata(*arguments: str, cwd: Path, code: int = 0) -> str:
    """Run the command, and give its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "dockstrata", *arguments],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def as_json(*arguments: str, cwd: Path) -> Any:
    return json.loads(dockstrata(*arguments, "--format", "json", cwd=cwd))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the examples, but those of the journal."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".dockstrata" not in path.parts
    }


def test_the_plan_is_the_tree_of_the_story(examples: Path) -> None:
    plan = as_json("plan", cwd=examples)
    runtime, middleware = plan["bases"][:2]
    assert runtime["from"] == "redhat/ubi9:9.4"
    assert [step["instruction"] for step in runtime["steps"]] == ["RUN", "RUN"]
    assert middleware["from"] == runtime["ref"]
    assert len(middleware["steps"]) == 6
    assert (runtime["depth"], middleware["depth"]) == (2, 3)
    after = {image["id"]: (image["base"], image["depth_after"]) for image in plan["images"]}
    for name in ("billing", "claims", "policies"):
        assert after[f"java/{name}/Dockerfile#0"] == (middleware["name"], 4)
    assert after["java/statements/Dockerfile#0"] == (runtime["name"], 3)
    assert max(depth for _, depth in after.values()) == plan["max_depth"] == 4


def test_two_stages_of_one_file_share_a_stage_of_it(examples: Path) -> None:
    plan = as_json("plan", cwd=examples)
    (stage,) = [base for base in plan["bases"] if base["kind"] == "stage"]
    assert stage["path"] == "web/Dockerfile"
    assert stage["images"] == ["web/Dockerfile#test", "web/Dockerfile#site"]


def test_a_stage_that_is_a_base_by_then_comes_along(examples: Path) -> None:
    plan = as_json("plan", cwd=examples)
    assert plan["refused"] == []
    (wheels,) = [
        base for base in plan["bases"] if "services/quotes/Dockerfile#wheels" in base["images"]
    ]
    (runtime,) = [
        base for base in plan["bases"] if "services/quotes/Dockerfile#1" in base["images"]
    ]
    assert "COPY --from=0 /wheels /wheels" in [step["text"] for step in runtime["steps"]]
    dockstrata("apply", cwd=examples)
    text = (examples / runtime["path"]).read_text()
    assert f"\nFROM {wheels['ref']} AS wheels\n\nFROM python:3.12-slim-bookworm\n" in text


def test_another_order_of_packages_is_a_near_miss(examples: Path) -> None:
    (miss,) = as_json("plan", cwd=examples)["near_misses"]
    assert miss["shared_steps_gained"] == 2
    assert [(edit["path"], edit["kind"]) for edit in miss["edits"]] == [
        ("services/alerts/Dockerfile", "order")
    ]


def test_plan_writes_nothing(examples: Path) -> None:
    before = contents(examples)
    for form in ("text", "json", "diff"):
        dockstrata("plan", "--format", form, cwd=examples)
    dockstrata("apply", "--check", cwd=examples, code=1)
    assert contents(examples) == before
    assert not (examples / ".dockstrata").exists()


def test_apply_then_apply_again_then_undo(examples: Path) -> None:
    before = contents(examples)
    plan = as_json("plan", cwd=examples)
    dockstrata("apply", cwd=examples)
    after = contents(examples)
    new = {base["path"] for base in plan["bases"] if base["kind"] == "file"}
    assert after.keys() - before.keys() == {*new, "bases/docker-bake.hcl"}
    changed = {path for path in before if after[path] != before[path]}
    assert changed == {image["path"] for image in plan["images"] if image["base"]}
    assert as_json("tree", cwd=examples)["totals"]["steps"] == plan["totals"]["steps_after"]

    assert dockstrata("apply", cwd=examples) == "Nothing to change.\n"
    dockstrata("apply", "--check", cwd=examples)
    assert as_json("plan", cwd=examples)["bases"] == []
    assert contents(examples) == after

    dockstrata("apply", "--undo", cwd=examples)
    assert contents(examples) == before
    assert not (examples / "bases").exists()


def test_the_diff_is_what_apply_writes(examples: Path) -> None:
    diff = dockstrata("plan", "--format", "diff", cwd=examples)
    other = examples.parent / "patched"
    shutil.copytree(examples, other)
    subprocess.run(
        ["git", "apply", "--unsafe-paths", "-"], cwd=other, input=diff, check=True, text=True
    )
    dockstrata("apply", cwd=examples)
    assert contents(other) == contents(examples)


def test_a_child_keeps_every_line_that_is_not_lifted(examples: Path) -> None:
    old = (examples / "java/claims/Dockerfile").read_text().splitlines()
    dockstrata("apply", "java", cwd=examples)
    new = (examples / "java/claims/Dockerfile").read_text().splitlines()
    assert new[0].startswith("from localhost/")
    rest = iter(old)
    assert all(line in rest for line in new[1:])  # in their order
    assert "run mkdir /scans && chown 1001:0 /scans" in new


def test_lint_finds_what_is_planted(examples: Path) -> None:
    report = json.loads(dockstrata("lint", "--format", "json", cwd=examples, code=1))
    codes = {(finding["code"], finding["path"]) for finding in report["findings"]}
    assert ("DL4000", "java/claims/Dockerfile") in codes
    assert any(code == "DS101" for code, _ in codes)
    assert report["summary"]["files"] == 8


@pytest.mark.skipif(os.name == "nt", reason="a shell script")
def test_the_demo_runs_to_its_end_and_leaves_examples_alone(tmp_path: Path) -> None:
    program = tmp_path / "dockstrata"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m dockstrata "$@"\n')
    program.chmod(0o755)
    before = contents(ROOT / "examples")
    done = subprocess.run(
        ["sh", str(ROOT / "examples" / "demo.sh"), str(program)],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No difference from examples/." in done.stdout
    assert contents(ROOT / "examples") == before
    assert [path.name for path in tmp_path.iterdir()] == ["dockstrata"]


def test_documents_show_what_the_commands_print() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "blocks.py"), "--check"],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
