"""``verify --build`` with buildah and podman: two states are built and compared.

No network is used: everything is FROM scratch.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Protocol

import pytest

from dockstrata.cli.main import main


class Store(Protocol):
    """The fixture ``store``: buildah with a store of its own."""

    folder: Path


COMMON = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox ln -s busybox /bin/sh; cd /bin; ./busybox mkdir /d"]
RUN echo common > /d/common; cd /d; /bin/busybox ln common same; /bin/busybox mkfifo pipe
# The name of the container that builds is another one each time.
RUN cd /d; echo "$HOSTNAME" > name; /bin/busybox hostname >> name; /bin/busybox hostname -f >> name
"""
VERIFY = ["verify", "--build", "--against", "HEAD", "--builder"]


def git(*arguments: str) -> None:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@y", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, store: Store, busybox: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A committed set of two images; the second copies all of its context, Dockerfile and all."""
    folder = tmp_path / "project"
    rest = {
        "one": "RUN /bin/busybox rm /d/common; echo one > /one\nUSER 7\n",
        "two": 'SHELL ["/bin/sh", "-ec"]\nCOPY . /all/\nHEALTHCHECK CMD true\nENV A=1\n',
    }
    for name, text in rest.items():
        (folder / name).mkdir(parents=True)
        shutil.copy(busybox, folder / name / "busybox")
        (folder / name / "Dockerfile").write_text(COMMON + text)
    monkeypatch.chdir(folder)
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "before")
    return folder


def test_a_refactoring_changes_no_image(
    project: Path, builder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["apply"]) == 0
    assert "FROM localhost/" in Path("one/Dockerfile").read_text()
    capfd.readouterr()
    before = sorted(os.listdir("."))
    assert main([*VERIFY, builder]) == 0
    told = capfd.readouterr()
    assert "2 images equal to HEAD, 0 different, 0 removed, 0 new." in told.out
    assert "this runs what the Dockerfiles say" in told.err
    assert sorted(os.listdir(".")) == before


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ("echo one > /one", "echo one > /one; /bin/busybox chmod 600 /one",
         "/one: mode 644 → 600"),
        ("RUN /bin/busybox rm /d/common; echo", "RUN echo", "/d/common is new"),
        ("USER 7", "USER 8", "configuration USER: 7 → 8"),
    ],
)  # fmt: skip
def test_the_first_difference_is_named(
    project: Path, old: str, new: str, difference: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = Path("one/Dockerfile")
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    assert main([*VERIFY, "buildah", "one"]) == 1
    told = capfd.readouterr()
    assert told.out.splitlines()[0] == f"one/Dockerfile different: {difference}"
    assert "localhost/two" not in told.err


def test_what_cannot_be_built_is_no_proof(
    project: Path, builder: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = Path("one/Dockerfile")
    file.write_text(file.read_text() + "RUN exit 5\n")
    Path("two/Dockerfile").unlink()
    Path("three").mkdir()
    Path("three/Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    assert main([*VERIFY, builder, "--format", "json"]) == 2
    record = json.loads(capfd.readouterr().out)
    assert {image["id"]: image["outcome"] for image in record["images"]} == {
        "one/Dockerfile": "failed",
        "three/Dockerfile": "new",
        "two/Dockerfile": "removed",
    }
    assert "cannot be built as it is" in record["images"][0]["message"]


def test_modes_are_as_the_umask_has_them(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = os.umask(0o002)
    try:
        (tmp_path / "app/folder").mkdir(parents=True)
        (tmp_path / "app/Dockerfile").write_text("FROM scratch\nCOPY folder /folder/\n")
        (tmp_path / "app/folder/plain").touch()
        (tmp_path / "app/folder/tool").touch(0o777)
        monkeypatch.chdir(tmp_path / "app")
        git("init", "-q")
        git("add", ".")
        git("commit", "-qm", "before")
        assert main([*VERIFY, "buildah"]) == 0
    finally:
        os.umask(before)
    assert "1 image equal to HEAD" in capfd.readouterr().out


COMPOSE = """\
services:
  base:
    image: localhost/base
    build: {context: base, platforms: [linux/amd64, linux/arm64]}
  app:
    build: {context: app, platforms: [linux/amd64, linux/arm64]}
"""


def test_images_of_the_users_own_store_are_no_part_of_a_state(
    tmp_path: Path,
    store: Store,
    builder: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, text in {"base": "FROM scratch\n", "app": "FROM localhost/base\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(f"{text}ARG TARGETARCH\nCOPY file /{name}\n")
        (tmp_path / name / "file").write_text("first")
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    git("add", "base", "app", "compose.yaml")
    git("commit", "-qm", "before")
    assert main(["build", "--builder", builder, "--only", "base"]) == 0
    Path("base/file").write_text("second")
    capfd.readouterr()
    assert main([*VERIFY, builder]) == 1
    assert capfd.readouterr().out.splitlines() == [
        "app/Dockerfile different: /base: other content (5 → 6 bytes)",
        "base/Dockerfile different: /base: other content (5 → 6 bytes)",
        "0 images equal to HEAD, 2 different, 0 removed, 0 new.",
    ]


def test_no_builder(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(project))
    assert main(["verify", "--build", "--against", "HEAD"]) == 2
    assert "install docker, podman or buildah" in capfd.readouterr().err
