"""Other names for images in a Dockerfile, where a store is shared."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.build.builders import read_given
from dockstrata.build.order import jobs_of
from dockstrata.build.stores import renamed, throw_away
from dockstrata.meaning.repository import read_repository

BASE = "# dockstrata base localhost/java:1\nFROM debian:12\nRUN java\n"
APP = """\
# FROM localhost/java:1
ARG BASE=localhost/java:1
FROM \\
  # the base
  --platform=linux/amd64 localhost/java:1 AS localhost
FROM ${BASE} AS other
COPY --chown=1 --from=localhost/java:1 /from=localhost/java:1 /x
COPY --from=localhost/java:12 /a /b
COPY --from=other /a /b
RUN --mount=type=bind,from=localhost/java:1,target=/a \\
    --mount=from=localhost/java:1,target=/b echo from=localhost/java:1
FROM other
FROM service:tool
ONBUILD COPY --from=localhost/java:1 / /
"""
EXPECTED = """\
# FROM localhost/java:1
ARG BASE=localhost/java:1
FROM \\
  # the base
  --platform=linux/amd64 NEW AS localhost
FROM NEW AS other
COPY --chown=1 --from=NEW /from=localhost/java:1 /x
COPY --from=localhost/java:12 /a /b
COPY --from=other /a /b
RUN --mount=type=bind,from=NEW,target=/a \\
    --mount=from=NEW,target=/b echo from=localhost/java:1
FROM other
FROM service:tool
ONBUILD COPY --from=NEW / /
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {"bases/java": BASE, "app": APP}.items():
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "Dockerfile").write_text(text)
    (tmp_path / "app/Dockerfile.dockerignore").write_text("*\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_place_that_names_it(here: Path) -> None:
    job = next(job for job in jobs_of(read_repository(["."])) if job.name == "app")
    assert renamed(APP, job.named, {"java": "NEW"}) == EXPECTED
    assert renamed(APP, job.named, {}) == APP


@pytest.mark.parametrize("builder", ["docker", "podman", "buildah"])
def test_names_of_its_own_in_a_store_of_all(
    here: Path, builder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """docker's, and that of a podman that does not say that it keeps images where it is told."""
    called = tmp_path / "called"
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / builder
    program.write_text(f'#!/bin/sh\necho "$@" >> {called}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    repository = read_repository(["."])
    jobs = jobs_of(repository)
    with throw_away(builder, read_given([], [], []), jobs, repository.library.documents) as store:
        base, app = (store.command(job) for job in jobs)
        assert base[base.index("--file") + 1] == "./bases/java/Dockerfile"
        (name,) = (base[at + 1] for at, word in enumerate(base) if word == "--tag")
        copy = Path(app[app.index("--file") + 1])
        assert copy.read_text() == EXPECTED.replace("NEW", name)
        assert Path(f"{copy}.dockerignore").read_text() == "*\n"
        assert app[-1] == "./app"
        assert "localhost/app" not in app
    assert not copy.exists()
    assert f"rmi {name}" in called.read_text().splitlines()
    assert "--all" not in called.read_text()
    assert (here / "app/Dockerfile").read_text() == APP


@pytest.mark.parametrize(
    ("machine", "platforms", "built"),
    [
        ("x86_64", "linux/arm64, linux/amd64", ["linux/amd64"]),
        ("aarch64", "linux/amd64, linux/arm64/v8", ["linux/arm64/v8"]),
        ("riscv64", "linux/amd64, linux/arm64", ["linux/amd64"]),
        ("x86_64", "", []),
    ],
)
def test_one_platform(
    tmp_path: Path, machine: str, platforms: str, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("platform.machine", lambda: machine)
    Path("Dockerfile").write_text("FROM scratch\n")
    Path("compose.yaml").write_text(
        f"services: {{app: {{build: {{context: ., platforms: [{platforms}]}}}}}}\n"
    )
    repository = read_repository(["."])
    jobs = jobs_of(repository)
    given = read_given([], [], [])
    for builder in ("podman", "buildah", "buildx"):
        with throw_away(builder, given, jobs, repository.library.documents) as store:
            (command,) = map(store.command, jobs)
        found = [command[at + 1] for at, word in enumerate(command) if word == "--platform"]
        assert found == built
        assert "--manifest" not in command
