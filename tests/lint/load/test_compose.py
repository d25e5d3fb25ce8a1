"""Compose files as Docker Compose 2 reads them; expected is what ``compose config`` answers."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dockstrata.load.builds import Build, load_builds
from dockstrata.load.discover import discover

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "part", "sub/x"):
        put(f"{name}/Dockerfile", "FROM scratch\n")
    return tmp_path


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def load() -> dict[str, Build]:
    found = discover(["."])
    builds = load_builds(["."], found.files, wiring=found.wiring)
    assert builds.problems == ()
    every = [build for all_ in builds.by_dockerfile.values() for build in all_]
    assert len({(it.origin, it.service) for it in every}) == len(every)
    return {build.service: build for build in every}


NUMBERS = {
    "1.10": "1.1",
    "1.0": "1",
    "010": "8",
    "08": "8",
    "0x1F": "31",
    "0o17": "15",
    "0b11": "3",
    "1_000": "1000",
    "+4": "4",
    "-0": "0",
    "1e3": "1000",
    "1e21": "1e+21",
    "1234567.0": "1.234567e+06",
    "123456.75": "123456.75",
    "0.00001": "1e-05",
    "12345678901234567890": "12345678901234567890",
    "yes": "yes",
    "True": "true",
    "12:30:45": "12:30:45",
    "1.2.3": "1.2.3",
    "'1.10'": "1.10",
    "!!str 1.10": "1.10",
}


def test_numbers_are_written_as_go_does() -> None:
    args = "".join(f"        V{n}: {text}\n" for n, text in enumerate(NUMBERS))
    put("compose.yaml", f"services:\n  s:\n    build:\n      context: a\n      args:\n{args}")
    assert list(dict(load()["s"].args).values()) == list(NUMBERS.values())


def test_include_brings_files_that_nothing_else_names() -> None:
    put(".env", "TAG=7\n")
    put("part/.env", "TAG=part\nOWN=own\n")
    put("sub/.env", "MODE=sub\n")
    put(
        "compose.yaml",
        """
include:
  - part/service.yaml
  - path: [sub/base.yml, sub/more.yml]
    project_directory: sub
  - none/there.yaml
services:
  here: {build: {context: a, additional_contexts: {p: "service:part"}}}
""",
    )
    put(
        "part/service.yaml",
        "include: [../deep.yml]\n"
        'services:\n  part: {build: {context: ., args: {T: "${TAG}", O: "${OWN}"}}}\n',
    )
    put("deep.yml", "include: [part/service.yaml]\nservices: {deep: {build: b}}\n")
    put("sub/base.yml", 'services: {x: {build: {context: x, args: {M: "${MODE}", N: "1"}}}}\n')
    put("sub/more.yml", "services: {x: {build: {args: {N: '2'}}}}\n")
    found = load()
    assert set(found) == {"here", "part", "deep", "x"}
    # The project that includes a file has the last word on its variables.
    assert found["part"].args == (("T", "7"), ("O", "own"))
    assert (found["x"].context, found["x"].args) == ("sub/x", (("M", "sub"), ("N", "2")))


def test_a_file_that_is_met_anyway_is_not_built_twice() -> None:
    put("compose.yaml", "include: [part/compose.yaml]\n")
    put("part/compose.yaml", "services: {p: {build: .}}\n")
    assert set(load()) == {"p"}


def test_a_service_that_only_extends() -> None:
    put("compose.yaml", "services: {only: {extends: {file: sub/common.yml, service: x}}}\n")
    put("sub/common.yml", "services: {x: {extends: y, build: {target: t}}, y: {build: x}}\n")
    assert (load()["only"].context, load()["only"].target) == ("sub/x", "t")


def test_overrides_of_a_file_that_builds_nothing() -> None:
    put("compose.yaml", "services: {s: {image: acme/s}}\n")
    put("compose.override.yaml", "services: {s: {build: a}}\n")
    assert load()["s"].tags == ("acme/s",)


def test_reset_and_override() -> None:
    put(
        "compose.yaml",
        """
services:
  s: {image: i, build: {context: a, args: {A: "1", B: "2"}, target: t, tags: [x, y]}}
  replaced: {build: {context: a, args: {A: "1"}}}
  dropped: {build: a}
""",
    )
    put(
        "compose.override.yaml",
        """
services:
  s: {image: !reset null, build: {args: !override {C: 3}, target: !reset null, tags: !reset []}}
  replaced: {build: !override {context: b}}
  dropped: {build: !reset null}
""",
    )
    found = load()
    assert set(found) == {"s", "replaced"}
    assert (found["s"].args, found["s"].target, found["s"].tags) == ((("C", "3"),), None, ())
    assert (found["replaced"].context, found["replaced"].args) == ("b", ())


def test_a_project_with_a_name_names_its_images() -> None:
    text = 'name: "shop-${STAGE:-dev}"\nservices: {s: {build: a}, t: {image: x, build: b}}\n'
    put("compose.yaml", text)
    found = load()
    assert (found["s"].tags, found["t"].tags) == (("shop-dev-s",), ("x",))


def test_corpus_as_docker_compose_reads_it(corpus: Path) -> None:
    program = shutil.which("docker-compose")
    version = program and subprocess.run(
        [program, "version", "--short"], capture_output=True, text=True, check=False
    )
    if not program or not version or not version.stdout.lstrip("v").startswith(("2.", "5.")):
        pytest.skip("Docker Compose 2 is not on PATH as docker-compose")
    script = str(REPOSITORY / "bench" / "compare_compose.py")
    command = [sys.executable, script, str(corpus), "--compose", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
