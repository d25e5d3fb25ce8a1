"""``dockstrata build`` with buildah and podman: real images, built in order, in a store apart.

No network is used: everything is FROM scratch.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from dockstrata.cli.main import main


class Store(Protocol):
    """The fixture ``store``: buildah with a store of its own."""

    run: Callable[..., str]
    read: Callable[[str, str], str]


COMMON = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox ln -s busybox /bin/sh"]
ARG VERSION=1
RUN --mount=type=secret,id=token /bin/busybox cat /run/secrets/token > /token; echo $VERSION > /v
"""
COMPOSE = """\
services:
  one:
    image: registry.example/one:2
    build:
      context: one
      args: {VERSION: "7"}
      secrets: [token]
  two:
    build: {context: two, args: {VERSION: "7"}, secrets: [token], target: small}
  tool:
    build:
      context: tool
      additional_contexts:
        first: service:one
secrets:
  token:
    file: ./token
"""


@pytest.fixture
def project(tmp_path: Path, store: Store, busybox: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three images, two of which begin alike; the third takes a file from the first."""
    folder = tmp_path / "a project"
    for name, rest in {
        "one": "RUN echo one > /one\n",
        "two": "RUN echo two > /two\nFROM scratch AS small\nCOPY --from=0 /two /v /\n"
        "FROM scratch\nRUN false\n",
        "tool": "",
    }.items():
        (folder / name).mkdir(parents=True)
        shutil.copy(busybox, folder / name / "busybox")
        (folder / name / "Dockerfile").write_text(COMMON + rest)
    (folder / "tool/Dockerfile").write_text(
        "FROM first\nCOPY --from=first /one /copied\nRUN echo tool > /tool\n"
    )
    (folder / "compose.yaml").write_text(COMPOSE)
    (folder / "token").write_text("hush")
    monkeypatch.chdir(folder)
    return folder


def test_bases_first_with_what_compose_says(
    project: Path, store: Store, builder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply"]) == 0
    capfd.readouterr()
    assert main(["build", "--builder", builder]) == 0
    told = capfd.readouterr()
    assert "this runs what the Dockerfiles say" in told.err
    built = told.out.split()
    assert len(built) == 4
    assert built[0].startswith("localhost/")
    assert set(built[1:]) == {"registry.example/one:2", "localhost/two", "localhost/tool"}
    assert built.index("registry.example/one:2") < built.index("localhost/tool")
    assert store.read("registry.example/one:2", "v") == "7\n"
    assert store.read("registry.example/one:2", "token") == "hush"
    assert store.read("localhost/two", "two") == "two\n"
    assert store.read("localhost/tool", "copied") == "one\n"
    assert store.read("localhost/tool", "v") == "7\n"


def test_the_users_arguments_win(
    project: Path, store: Store, builder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ["--build-arg", "VERSION=8", "--build-arg", "NOBODY=1", "--secret", "id=token,src=new"]
    (project / "new").write_text("louder")
    assert main(["build", "--builder", builder, "--only", "one", *given]) == 0
    told = capfd.readouterr()
    assert told.out.split() == ["registry.example/one:2"]
    assert "no Dockerfile declares ARG NOBODY" in told.err
    assert store.read("registry.example/one:2", "v") == "8\n"
    assert store.read("registry.example/one:2", "token") == "louder"


def test_what_fails_stops_only_what_needs_it(
    project: Path, store: Store, builder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    one = project / "one/Dockerfile"
    one.write_text(one.read_text() + "RUN exit 3\n")
    assert main(["build", "--builder", builder]) == 1
    told = capfd.readouterr()
    assert told.out.split() == ["localhost/two"]
    assert f"error: one/Dockerfile: the build failed: {builder} ended with exit code" in told.err
    assert "error: tool/Dockerfile: not built: it needs one/Dockerfile" in told.err
    assert "Built 1 of 3 images." in told.err


def test_a_dry_run_prints_commands_that_a_shell_runs(
    project: Path, store: Store, builder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "--builder", builder, "--dry-run", "--only", "one/Dockerfile"]) == 0
    told = capfd.readouterr()
    assert store.run("images", "--json") in ("null", "[]")
    (line,) = told.out.splitlines()
    assert shlex.split(line)[:2] == [builder, "build"]
    subprocess.run(line, shell=True, check=True, capture_output=True, env=os.environ)
    images = json.loads(store.run("images", "--json"))
    assert [image["names"] for image in images if image.get("names")] == [
        ["registry.example/one:2"]
    ]


PLATFORMS = """\
services:
  base:
    image: localhost/base
    build: {context: base, platforms: [linux/amd64, linux/arm64]}
  app:
    image: localhost/app
    build: {context: app, platforms: [linux/amd64, linux/arm64]}
"""


def test_several_platforms_are_built_anew(
    tmp_path: Path, store: Store, builder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {
        "base": "FROM scratch\nARG TARGETARCH\nENV ARCH=$TARGETARCH\nCOPY file /\n",
        "app": "FROM localhost/base\nCOPY file /app\n",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(text)
        (tmp_path / name / "file").write_text("first")
    (tmp_path / "compose.yaml").write_text(PLATFORMS)
    monkeypatch.chdir(tmp_path)
    assert main(["build", "--builder", builder, "--only", "base"]) == 0
    if len(_listed(store, "localhost/base")) == 1:
        pytest.skip("this builder takes one platform's steps for the other's")
    for text in ("second", "third"):
        Path("base/file").write_text(text)
        assert main(["build", "--builder", builder]) == 0
        assert store.read("localhost/app", "file") == text
    assert _listed(store, "localhost/base") == ["amd64", "arm64"]


def _listed(store: Store, image: str) -> list[str]:
    entries = json.loads(store.run("manifest", "inspect", image))["manifests"]
    return sorted(entry["platform"]["architecture"] for entry in entries)
