"""What holds for every plan: limits, sums, names, and that nothing depends on chance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[3] / "bench"
sys.path.insert(0, str(BENCH))

from refactor_fuzz import SetSpec, generate, run  # noqa: E402

SEEDS = range(40)
TWO = 'FROM debian:12\nRUN one\nRUN two\nCMD ["{}"]\n'


def planned(folder: Path, *options: str) -> Any:
    code, out, err = run("plan", str(folder), "--format", "json", *options)
    assert code == 0, err
    return json.loads(out)


def option(spec: SetSpec, name: str, default: int) -> int:
    return int(spec.options[spec.options.index(name) + 1]) if name in spec.options else default


@pytest.fixture(params=SEEDS)
def spec(request: pytest.FixtureRequest) -> SetSpec:
    return generate(Random(request.param))


def test_limits_are_kept(spec: SetSpec, tmp_path: Path) -> None:
    spec.write(tmp_path)
    plan = planned(tmp_path, *spec.options)
    deepest = option(spec, "--max-depth", 4)
    assert plan["max_depth"] == deepest
    for image in plan["images"]:
        assert image["depth_after"] <= max(deepest, image["depth_before"])
    for base in plan["bases"]:
        assert base["depth"] < deepest
        assert len(base["images"]) >= option(spec, "--min-images", 2)
        real = [step for step in base["steps"] if step["instruction"] != "WORKDIR"]
        assert len(real) >= option(spec, "--min-steps", 1)
    names = [base["name"] for base in plan["bases"]]
    assert len(names) == len(set(names))


def test_saved_steps_are_those_that_are_gone(spec: SetSpec, tmp_path: Path) -> None:
    spec.write(tmp_path)
    plan = planned(tmp_path, *spec.options)
    totals = plan["totals"]
    saved = sum(base["saves"]["steps"] for base in [*plan["bases"], *plan["reused"]])
    twice = sum(merge["steps"] for merge in plan["merged"])
    assert totals["steps"] - totals["steps_after"] == saved - twice
    run("apply", str(tmp_path), *spec.options)
    code, out, err = run("tree", str(tmp_path), "--format", "json")
    assert code == 0, err
    assert json.loads(out)["totals"]["steps"] == totals["steps_after"]


def test_depths_are_those_of_what_is_written(spec: SetSpec, tmp_path: Path) -> None:
    spec.write(tmp_path)
    plan = planned(tmp_path, *spec.options)
    run("apply", str(tmp_path), *spec.options)
    _, out, _ = run("tree", str(tmp_path), "--format", "json")
    found = {image["id"]: image["depth"] for image in json.loads(out)["images"]}
    stages = {base["path"] for base in plan["bases"] if base["kind"] == "stage"}
    for image in plan["images"]:
        named = not image["stage"].isdigit()
        if named or image["path"] not in stages:  # numbers move behind a new stage
            assert found[image["id"]] == image["depth_after"], image


def test_the_order_of_paths_does_not_matter(spec: SetSpec, tmp_path: Path) -> None:
    spec.write(tmp_path)
    paths = sorted(str(path) for path in tmp_path.iterdir() if not path.name.startswith("."))
    plans = []
    for given in (paths, paths[::-1]):
        code, out, err = run("plan", *given, "--format", "json", *spec.options)
        assert code == 0, err
        plans.append(json.loads(out))
    assert plans[0] == plans[1]


def test_names_do_not_depend_on_the_folder(tmp_path: Path) -> None:
    spec = generate(Random(3))
    names = []
    for folder in (tmp_path / "one", tmp_path / "other" / "deeper"):
        spec.write(folder)
        names.append([base["name"] for base in planned(folder, *spec.options)["bases"]])
    assert names[0]
    assert names[0] == names[1]


def test_names_stay_when_an_unrelated_dockerfile_comes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(TWO.format(name))
    before = [(base["name"], base["ref"]) for base in planned(tmp_path)["bases"]]
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "Dockerfile").write_text("FROM alpine\nRUN other\n")
    assert [(base["name"], base["ref"]) for base in planned(tmp_path)["bases"]] == before


def test_two_processes_plan_the_same(tmp_path: Path) -> None:
    specs = [generate(Random(seed)) for seed in range(5)]
    for number, spec in enumerate(specs):
        spec.write(tmp_path / str(number))
    command = [sys.executable, "-m", "dockstrata", "plan", ".", "--format"]
    for form in ("json", "text", "diff"):
        outputs = {
            subprocess.run(
                [*command, form],
                cwd=tmp_path,
                env={**os.environ, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("1", "2", "3")
        }
        assert len(outputs) == 1, form


def test_content_tags_follow_the_content(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(TWO.format(name))
    first = planned(tmp_path, "--tag", "content")["bases"][0]["ref"]
    assert planned(tmp_path)["bases"][0]["ref"].endswith(":12")
    for name in ("a", "b"):
        text = TWO.format(name).replace("two", "three")
        (tmp_path / name / "Dockerfile").write_text(text)
    assert planned(tmp_path, "--tag", "content")["bases"][0]["ref"] != first
