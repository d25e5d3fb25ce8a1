"""Every real set: planned, applied, planned again, undone; every written image proved."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dockstrata.cli.main import main
from dockstrata.load.context import forget_contexts

SETS = (
    "Azure+azureml-examples",
    "CircleCI-Public+cimg-python",
    "FudanSELab+train-ticket",
    "GoogleCloudPlatform+microservices-demo",
    "GoogleCloudPlatform+python-docs-samples",
    "WASdev+ci.docker.websphere-traditional",
    "adoptium+containers",
    "devcontainers+images",
    "docker+awesome-compose",
    "docker-library+php",
    "docker-library+python",
    "docker-library+tomcat",
    "dotnet+dotnet-docker",
    "jessfraz+dockerfiles",
    "jupyter+docker-stacks",
    "nodejs+docker-node",
    "open-telemetry+opentelemetry-demo",
    "osrf+docker_images",
    "sclorg+s2i-python-container",
    "vulhub+vulhub",
)


def run(*arguments: str) -> tuple[int, str]:
    forget_contexts()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    return code, out.getvalue() + ("" if code in (0, 1) else err.getvalue())


def as_json(*arguments: str) -> Any:
    forget_contexts()
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert main([*arguments, "--format", "json"]) == 0
    return json.loads(out.getvalue())


def digests(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mode,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and ".dockstrata" not in path.parts
    }


def test_all_sets_are_here(corpus: Path) -> None:
    assert tuple(sorted(path.name for path in corpus.iterdir())) == SETS


@pytest.mark.parametrize("name", SETS)
def test_apply_again_and_undo(corpus: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    shutil.copytree(corpus / name, folder, symlinks=True)
    before = digests(folder)
    everything = (str(folder), "--include-generated")
    plan = as_json("plan", *everything)
    code, out = run("apply", *everything)
    assert code == 0, out
    after = digests(folder)
    changed = {path for path in before if after[path] != before[path]}
    new = set(after) - set(before)
    assert "each image proved equal" in out or not plan["bases"]
    assert bool(changed) == bool(plan["bases"])
    assert {Path(base["path"]).resolve() for base in plan["bases"] if base["kind"] == "file"} <= {
        (folder / path).resolve() for path in new
    }
    again = as_json("plan", *everything)
    assert again["bases"] == []
    assert again["totals"]["steps"] == plan["totals"]["steps_after"]
    assert run("apply", *everything, "--check")[0] == 0
    assert digests(folder) == after
    if changed:
        code, out = run("apply", str(folder), "--undo")
        assert code == 0, out
    assert digests(folder) == before


def test_generated_files_are_left_alone(corpus: Path, tmp_path: Path) -> None:
    for name in ("docker-library+php", "adoptium+containers", "docker-library+tomcat"):
        folder = tmp_path / name
        shutil.copytree(corpus / name, folder, symlinks=True)
        before = digests(folder)
        code, out = run("apply", str(folder))
        assert code == 0, out
        now = digests(folder)
        generated = {
            refusal["id"].rpartition("#")[0]
            for refusal in as_json("plan", str(folder))["refused"]
            if refusal["reason"] == "generated"
        }
        assert generated
        for path in generated:
            relative = Path(path).resolve().relative_to(folder.resolve()).as_posix()
            assert now[relative] == before[relative], path


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_depth_limits_hold(corpus: Path, depth: int) -> None:
    for name in ("docker-library+python", "docker+awesome-compose", "osrf+docker_images"):
        given = ("--include-generated", "--max-depth", str(depth))
        plan = as_json("plan", str(corpus / name), *given)
        assert bool(plan["bases"]) == (depth > 2)
        for image in plan["images"]:
            assert image["depth_after"] <= max(depth, image["depth_before"]), image["id"]
