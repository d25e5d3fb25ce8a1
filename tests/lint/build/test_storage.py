"""What a store that is thrown away has of the user's own, and what it does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from dockstrata.build.storage import storage

if sys.version_info >= (3, 11):
    import tomllib

    TOML = "tomllib"
else:
    import tomli as tomllib

    TOML = "tomli as tomllib"

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


STORE = """\
import json, os, sys

told = {told!r}
file = os.environ.get("CONTAINERS_STORAGE_CONF")
if file and {obeys}:
    import tomllib
    root = tomllib.load(open(file, "rb"))["storage"]["graphroot"]
    store = told["store"]
    store.update({{name: root for name in store if name.lower() == "graphroot"}})
print(json.dumps(told))
"""


def answers(
    folder: Path, name: str, told: object, monkeypatch: pytest.MonkeyPatch, obeys: bool = True
) -> None:
    """A program of that name that tells that."""
    path = folder / "bin" / name
    path.parent.mkdir()
    script = STORE.format(told=told, obeys=obeys).replace("import tomllib", f"import {TOML}")
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.delenv("CONTAINERS_STORAGE_CONF", raising=False)


@pytest.mark.skipif(os.name == "nt", reason="scripts are programs by their first line here")
@pytest.mark.parametrize(("name", "told"), [("podman", PODMAN), ("buildah", BUILDAH)])
def test_layers_are_read_as_they_were_written(
    tmp_path: Path, name: str, told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(tmp_path, name, told, monkeypatch)
    both = storage(name, str(tmp_path))
    assert both is not None
    shared, bare = (
        tomllib.loads(Path(variables["CONTAINERS_STORAGE_CONF"]).read_text())["storage"]
        for variables in both
    )
    for read in (shared, bare):
        assert read["driver"] == "overlay"
        assert read["graphroot"] == str(tmp_path / "root")
        assert read["runroot"] == str(tmp_path / "run")
        assert read["options"]["overlay"] == {"mount_program": FUSE, "mountopt": "nodev"}
    assert shared["options"]["additionalimagestores"] == ["/home/a user/storage", "/shared"]
    assert bare["options"]["additionalimagestores"] == []


@pytest.mark.skipif(os.name == "nt", reason="scripts are programs by their first line here")
@pytest.mark.parametrize("told", [PODMAN, {}, [], {"store": {"graphDriverName": "overlay"}}])
def test_a_client_has_no_storage_of_its_own(
    tmp_path: Path, told: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(tmp_path, "podman", told, monkeypatch, obeys=False)
    assert storage("podman", str(tmp_path)) is None
