"""``--measured`` with what real programs write: buildah, skopeo, docker-registry."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from dockstrata.cli.main import main


class Store(Protocol):
    """The fixture ``store``: buildah with a store of its own."""

    def run(self, *arguments: str) -> str: ...


DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox ln -s busybox /bin/sh"]
ARG SIZE=700
ENV DATA=/srv/data
RUN /bin/busybox mkdir -p $DATA && \\
    /bin/busybox dd if=/dev/urandom of=$DATA/file bs=1000 count=$SIZE
COPY Dockerfile ${DATA}/
WORKDIR $DATA
RUN echo small > small
"""


@pytest.fixture
def built(tmp_path: Path, store: Store, busybox: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a Dockerfile, built as ``localhost/measured`` in the store."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    shutil.copy(busybox, folder / "busybox")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    store.run("build", "--layers", "--quiet", "--tag", "localhost/measured", ".")
    return folder


def test_buildah(built: Path, store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    inspected = store.run("inspect", "--type", "image", "localhost/measured")
    Path("inspected").write_text(inspected)
    store.run("push", "--quiet", "localhost/measured", "oci:layout:1")
    store.run("push", "--quiet", "localhost/measured", "oci-archive:layout.tar:1")
    store.run("push", "--quiet", "localhost/measured", "docker-archive:saved.tar:localhost/m:1")
    named = ("oci:layout:1", "layout:1", "oci-archive:layout.tar:1",
             "docker-archive:saved.tar:localhost/m:1")  # fmt: skip
    for source in ("inspected", "layout", "layout.tar", "saved.tar", *named):
        assert main(["plan", "Dockerfile", "--measured", source]) == 0
        assert "size of 6 of 6 different steps: 6 by their own" in capfd.readouterr().err
    assert main(["plan", "Dockerfile", "--measured", "oci:layout:2"]) == 2
    assert "oci:layout:2: has no image '2', only 1" in capfd.readouterr().err


@pytest.mark.parametrize(("option", "known"), [("--layers=true", 2), ("--layers=false", 0)])
def test_buildah_without_run(
    built: Path, store: Store, capfd: pytest.CaptureFixture[str], option: str, known: int
) -> None:
    """Files stand as a digest in its histories; without --layers one layer has them all."""
    folder = built.parent / "application"
    (folder / "app").mkdir(parents=True)
    (folder / "app" / "file").write_text("text")
    text = (
        'FROM localhost/measured\nLABEL a="b c"\nWORKDIR /app\nCOPY app .\nEXPOSE 80\nCMD ["x"]\n'
    )
    (folder / "Dockerfile").write_text(text)
    store.run("build", option, "--quiet", "--tag", "localhost/application", str(folder))
    inspected = store.run("inspect", "--type", "image", "localhost/application")
    (folder / "inspected").write_text(inspected)
    assert main(["plan", str(folder), "--measured", str(folder / "inspected")]) == 0
    assert f"tells the size of {known} of 2 different steps" in capfd.readouterr().err


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """``host:port`` of a docker-registry on this machine."""
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed (Debian: docker-registry)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        name = f"127.0.0.1:{probe.getsockname()[1]}"
    config = tmp_path / "registry.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{name}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path}/blobs}}}}\n"
    )
    server = subprocess.Popen(["docker-registry", "serve", config], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(name.partition(":")[2]))) == 0:
                    break
            time.sleep(0.1)
        yield name
    finally:
        server.terminate()
        server.wait()


def test_a_registry(
    built: Path, store: Store, registry: str, capfd: pytest.CaptureFixture[str]
) -> None:
    name = f"docker://{registry}/team/measured:1"
    store.run("push", "--quiet", "--tls-verify=false", "localhost/measured", name)
    assert main(["plan", "Dockerfile", "--measured", name]) == 0
    assert "tells the size of 6 of 6 different steps" in capfd.readouterr().err
    assert main(["plan", "Dockerfile", "--measured", f"{name}1"]) == 2
    assert f"{registry} has no such image" in capfd.readouterr().err
