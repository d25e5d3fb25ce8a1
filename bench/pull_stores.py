"""Machines for :mod:`pull`: a registry on 127.0.0.1, and builders with stores of their own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = "vendor.example/os:9"
"""What Dockerfiles call the vendor's operating system image."""


@dataclass
class Registry:
    """docker-registry on 127.0.0.1; its log says what was pulled, its folder what was pushed."""

    folder: Path
    port: int
    seen: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def pushed(self) -> int:
        """Bytes of all blobs."""
        blobs = self.folder / "data/docker/registry/v2/blobs"
        return sum(path.stat().st_size for path in blobs.rglob("data"))

    def pulled(self) -> tuple[int, int]:
        """Bytes and number of the blobs that were given out since the last time."""
        time.sleep(0.3)  # the log is written a moment after the answer
        lines = (self.folder / "log").read_text().splitlines()
        new, self.seen = lines[self.seen :], len(lines)
        sizes = []
        for line in new:
            record = json.loads(line) if line.startswith("{") else {}
            path, method = record.get("http.request.uri", ""), record.get("http.request.method")
            if method == "GET" and "/blobs/sha256:" in path and "http.response.written" in record:
                sizes.append(int(record["http.response.written"]))
        return sum(sizes), len(sizes)


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    folder.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\nlog: {level: info, formatter: json}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield Registry(folder, port)
    finally:
        server.terminate()
        server.wait()


class Store:
    """A machine: buildah with a store of its own."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder, self.host = folder, host
        folder.mkdir(parents=True)
        storage, registries = folder / "storage.conf", folder / "registries.conf"
        storage.write_text(
            f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n'
        )
        registries.write_text(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n')
        self.environment = {
            **os.environ,
            "CONTAINERS_STORAGE_CONF": str(storage),
            "CONTAINERS_REGISTRIES_CONF": str(registries),
            "BUILDAH_ISOLATION": "chroot",
            "STORAGE_DRIVER": "vfs",
        }

    def run(self, *command: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            command, cwd=folder, env=self.environment, capture_output=True, encoding="utf-8"
        )
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def build(self, project: Path, *names: str) -> None:
        """What ``dockstrata build`` does for these alone."""
        only = [word for name in names for word in ("--only", name)]
        self.run(
            *(sys.executable, "-m", "dockstrata", "build", "--builder", "buildah", "--no-deps"),
            *only,
            folder=project,
        )

    def push(self, image: str, name: str | None = None) -> None:
        self.run("buildah", "push", "--quiet", image, f"docker://{name or image}")

    def pull(self, name: str) -> None:
        self.run("buildah", "pull", "--quiet", "--policy", "always", f"docker://{name}")

    def root(self, version: int) -> None:
        """The vendor's image under the name that Dockerfiles say."""
        name = f"{self.host}/vendor/os:{version}"
        self.pull(name)
        self.run("buildah", "tag", name, ROOT)

    def clear(self) -> None:
        self.run("buildah", "rmi", "--all", "--force")
        shutil.rmtree(self.folder, ignore_errors=True)
