"""What tests with real builds share: a store of their own, or a skip where there is no buildah."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class BuildahStore:
    """buildah with a store of its own below ``folder``; no registry is ever asked."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make buildah keep everything in the folder."""
        storage, registries = self.folder / "storage.conf", self.folder / "registries.conf"
        if not storage.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            places = f'graphroot = "{self.folder}/root"\nrunroot = "{self.folder}/run"\n'
            storage.write_text(f'[storage]\ndriver = "vfs"\n{places}')
            registries.write_text("unqualified-search-registries = []\n")
        return {
            "CONTAINERS_STORAGE_CONF": str(storage),
            "CONTAINERS_REGISTRIES_CONF": str(registries),
            "BUILDAH_ISOLATION": "chroot",
            "STORAGE_DRIVER": "vfs",
        }

    def run(self, *arguments: str) -> str:
        """What a buildah command prints."""
        done = subprocess.run(
            ["buildah", *arguments],
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, **self.environment},
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def read(self, image: str, file: str) -> str:
        """The text of a file in an image."""
        container = self.run("from", "--pull-never", image)
        text = Path(self.run("mount", container), file).read_text()
        self.run("rm", container)
        return text


@pytest.fixture
def busybox() -> Path:
    """A busybox that needs nothing else in an image."""
    path = shutil.which("busybox")
    if path is None or not _is_static(path):
        pytest.skip("no static busybox is installed (Debian: busybox-static)")
    return Path(path)


def _is_static(path: str) -> bool:
    """``ldd`` knows no interpreter for a static program."""
    done = subprocess.run(["ldd", path], capture_output=True, check=False)
    return b"not a dynamic" in done.stderr + done.stdout


@pytest.fixture(params=["buildah", "podman"])
def builder(request: pytest.FixtureRequest, store: BuildahStore) -> str:
    """A builder that keeps its images in that store."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@pytest.fixture
def store(tmp_path: Path, busybox: Path, monkeypatch: pytest.MonkeyPatch) -> BuildahStore:
    """A buildah whose store is the test's own, also for what the test calls."""
    if shutil.which("buildah") is None:
        pytest.skip("buildah is not installed")
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("looking into images needs root's rights")
    found = BuildahStore(tmp_path / "store")
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found
