"""Real images, built before and after ``apply`` with buildah, and compared file by file.

Needs buildah and a static busybox (Debian: ``buildah``, ``busybox-static``), and root's rights to
look into images; skipped where they are not there. No network is used: everything is FROM scratch.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2
import pytest

from dockstrata.cli.main import main

BUSYBOX = shutil.which("busybox")


def _missing() -> str | None:
    if shutil.which("buildah") is None:
        return "buildah is not installed"
    if BUSYBOX is None or b"statically linked" not in _file_kind(BUSYBOX):
        return "no static busybox is installed"
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "looking into images needs root's rights"
    return None


def _file_kind(path: str) -> bytes:
    """``ldd`` knows no interpreter for a static program."""
    done = subprocess.run(["ldd", path], capture_output=True)
    return b"statically linked" if b"not a dynamic" in done.stderr + done.stdout else b""


pytestmark = pytest.mark.skipif(_missing() is not None, reason=_missing() or "")

COMMON = """\
# the tools
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "cd /bin; ./busybox mkdir /tmp /etc; ./busybox --install -s ."]
ARG VERSION=1
ENV APP_HOME=/srv/app LEVEL=low
# who works here
RUN echo "root:x:0:0::/:/bin/sh" > /etc/passwd && echo "app:x:7:7::/:/bin/sh" >> /etc/passwd && \\
    echo "app:x:7:" > /etc/group
SHELL ["/bin/sh", "-euc"]
RUN echo "$VERSION $LEVEL" > /etc/version && chmod 640 /etc/version
WORKDIR $APP_HOME
COPY --chown=7:7 data/ data/
RUN chown 7:7 . && ln -s data/one link && mkfifo pipe
USER app
RUN id -u > who && echo "$0 $HOME" > shell
"""

SET = {
    "one/Dockerfile": f"""\
FROM scratch AS build
LABEL stage=build
{COMMON}RUN echo built-$VERSION > out

FROM scratch
EXPOSE 8080
{COMMON}COPY --from=build --chown=7 /srv/app/out /srv/app/in
ENV LEVEL=high
RUN echo "$VERSION $LEVEL" > late
LABEL name=one
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "true"]
STOPSIGNAL SIGINT
VOLUME /srv/app/data
HEALTHCHECK --interval=5s CMD true
""",
    "two/Dockerfile": f"""\
FROM scratch
{COMMON}
ARG EXTRA=2
RUN echo "$VERSION $EXTRA" > two
USER 0
WORKDIR deeper
COPY --chmod=4755 data/one tool
CMD echo two
""",
    "three/Dockerfile": f"""\
ARG VERSION=7
FROM scratch
{COMMON.replace("RUN id -u > who", "RUN id -g > who")}ONBUILD RUN true
LABEL name=three
""",
}

IGNORED_LABELS = ("io.buildah.version",)


@dataclass(frozen=True)
class Built:
    """An image: its files by path, and what its configuration says."""

    files: dict[str, tuple[object, ...]]
    config: dict[str, Any]


class Store:
    """buildah with a storage of its own."""

    def __init__(self, folder: Path, form: str) -> None:
        self.folder, self.form = folder, form

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [
                "buildah",
                *("--root", str(self.folder / "root"), "--runroot", str(self.folder / "run")),
                *("--storage-driver", "vfs"),
                *arguments,
            ],
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def build(self, dockerfile: Path, context: Path, tag: str, given: dict[str, str]) -> None:
        arguments = [f"--build-arg={name}={value}" for name, value in given.items()]
        options = ["--quiet", "--pull-never", "--format", self.form, "--tag", tag]
        self.run("bud", *options, *arguments, "--file", str(dockerfile), str(context))

    def read(self, tag: str) -> Built:
        container = self.run("from", "--pull-never", tag)
        mount = Path(self.run("mount", container))
        files = dict(_files(mount))
        self.run("rm", container)
        inspected = json.loads(self.run("inspect", "--type", "image", tag))
        kind = "Docker" if self.form == "docker" else "OCIv1"
        config = {key: value for key, value in inspected[kind]["config"].items() if value}
        for key in ("Hostname", "Image"):  # a container's name, and the parent's digest
            config.pop(key, None)
        labels = config.get("Labels", {})
        config["Labels"] = {k: v for k, v in labels.items() if k not in IGNORED_LABELS}
        return Built(files, config)


def _files(root: Path) -> Iterator[tuple[str, tuple[object, ...]]]:
    """By path: kind and mode, owner, and content or target; times are left out."""
    for folder, folders, names in os.walk(root):
        for name in [*folders, *names]:
            path = Path(folder, name)
            status = path.lstat()
            content: object = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            key = path.relative_to(root).as_posix()
            yield key, (oct(status.st_mode), status.st_uid, status.st_gid, content)


def _write(folder: Path, paths: list[str]) -> None:
    assert BUSYBOX is not None
    for path in paths:
        text = SET[path]
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text)
        shutil.copy(BUSYBOX, (folder / path).parent / "busybox")
        data = (folder / path).parent / "data"
        data.mkdir()
        (data / "one").write_text("#!/bin/sh\n")
        (data / "one").chmod(0o755)
        (data / "two").write_text("2")


def _before(
    project: Path, store: Store, given: dict[str, str], paths: list[str]
) -> dict[str, Built]:
    found = {}
    for path in paths:
        tag = "localhost/before-" + path.split("/")[0]
        store.build(project / path, (project / path).parent, tag, given)
        found[path] = store.read(tag)
    return found


def _after(project: Path, store: Store, given: dict[str, str]) -> tuple[dict[str, Built], int]:
    """Everything built by the bake file, bases first; and how many bases there were."""
    bake = hcl2.loads((project / "bases/docker-bake.hcl").read_text())
    targets = {_plain(name): body for entry in bake["target"] for name, body in entry.items()}
    done: set[str] = set()
    bases = 0

    def build(name: str) -> str:
        body = targets[name]
        for used in body.get("contexts", {}).values():
            build(_plain(used).removeprefix("target:"))
        context = project / _plain(body["context"])
        dockerfile = context / _plain(body["dockerfile"])
        tags = [_plain(tag) for tag in body.get("tags", [])] or [f"localhost/after-{name}"]
        if name not in done:
            done.add(name)
            taken = {k: v for k, v in given.items() if k in map(_plain, body.get("args", {}))}
            store.build(dockerfile, context, tags[0], taken)
        return tags[0]

    found = {}
    for name, body in targets.items():
        tag = build(name)
        if body.get("tags"):
            bases += 1
            continue
        dockerfile = project / _plain(body["context"]) / _plain(body["dockerfile"])
        found[dockerfile.resolve().relative_to(project.resolve()).as_posix()] = store.read(tag)
    return found, bases


def _plain(text: str) -> str:
    return text.strip('"')


@pytest.mark.parametrize(
    ("form", "given", "paths"),
    [
        ("docker", {"VERSION": "given", "EXTRA": "more"}, list(SET)),
        ("oci", {}, ["two/Dockerfile", "three/Dockerfile"]),
    ],
    ids=["docker-with-arguments", "oci"],
)
def test_images_are_the_same(
    tmp_path: Path,
    form: str,
    given: dict[str, str],
    paths: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    project, store = tmp_path / "project", Store(tmp_path / "store", form)
    _write(project, paths)
    before = _before(project, store, given, paths)
    assert main(["apply", str(project)]) == 0
    assert re.search(rf"Moved {len(paths)} files onto \d new base", capsys.readouterr().out)
    after, bases = _after(project, store, given)
    assert bases >= 1
    for path, built in before.items():
        assert "FROM localhost/" in (project / path).read_text()
        assert after[path].files.keys() == built.files.keys(), path
        different = {
            name: (value, after[path].files[name])
            for name, value in built.files.items()
            if after[path].files[name] != value
        }
        assert different == {}, path
        assert after[path].config == built.config, path
    assert all(len(built.files) > 100 for built in before.values())
