"""What a store that is thrown away has of the user's own, and what it does not."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from dockstrata.build.storage import storage

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FUSE = "/usr/bin/fuse-overlayfs"
PODMAN = {
    "host": {},
    "store": {
        "graphDriverName": "overlay",
        "graphRoot": "/home/a user/storage",
        "graphOptions": {
            "overlay.mount_program": {"Executable": FUSE, "Version": "1"},
            "overlay.mountopt": "nodev",
            "overlay.imagestore": "/shared",
            "overlay.size": "1G",
        },
    },
}
BUILDAH = {
    "store": {
        "GraphDriverName": "overlay",
        "GraphRoot": "/home/a user/storage",
        "GraphOptions": [
            *(f"overlay.mount_program={FUSE}", "overlay.mountopt=nodev"),
            *("overlay.imagestore=/shared", "overlay.size=1G"),
        ],
    },
}


def answers(folder: Path, name: str, told: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of that name that tells that."""
    path = folder / "bin" / name
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\necho {shlex.quote(json.dumps(told))}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))


@pytest.mark.skipif(os.name == "nt", reason="scripts are programs by their first line here")
@pytest.mark.parametrize(("name", "told"), [("podman", PODMAN), ("buildah", BUILDAH)])
def test_layers_are_read_as_they_were_written(
    tmp_path: Path, name: str, told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(tmp_path, name, told, monkeypatch)
    shared, bare = (
        tomllib.loads(Path(variables["CONTAINERS_STORAGE_CONF"]).read_text())["storage"]
        for variables in storage(name, str(tmp_path))
    )
    for read in (shared, bare):
        assert read["driver"] == "overlay"
        assert read["graphroot"] == str(tmp_path / "root")
        assert read["runroot"] == str(tmp_path / "run")
        assert read["options"]["overlay"] == {"mount_program": FUSE, "mountopt": "nodev"}
    assert shared["options"]["additionalimagestores"] == ["/home/a user/storage", "/shared"]
    assert bare["options"]["additionalimagestores"] == []


@pytest.mark.parametrize("told", [{}, [], {"store": {"graphDriverName": "overlay"}}])
def test_a_program_that_does_not_say(
    tmp_path: Path, told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(tmp_path, "podman", told, monkeypatch)
    monkeypatch.delenv("STORAGE_DRIVER", raising=False)
    shared, _ = storage("podman", str(tmp_path))
    read = tomllib.loads(Path(shared["CONTAINERS_STORAGE_CONF"]).read_text())["storage"]
    assert read["driver"] == "vfs"
    assert read["options"] == {"additionalimagestores": [], "vfs": {}}
