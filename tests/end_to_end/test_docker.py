"""``build`` and ``verify --build`` with docker: a daemon of the tests' own, started here.

Needs root's rights, ``dockerd`` and ``docker`` (Debian: ``docker.io``) and a static busybox. The
network is not used: the examples' root images are made here, and what installs something in them
only writes down what it was told.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dockstrata.build.archive import Built, read_archive
from dockstrata.build.finding import find_builder
from dockstrata.cli.main import main
from dockstrata.plan.layers import read_images

EXAMPLES = Path(__file__).parents[2] / "examples"
_PATIENCE = 20  # seconds that a daemon may take to answer


@dataclass(frozen=True)
class Docker:
    """A daemon with a store of its own, and the client that belongs to it."""

    folder: Path
    path: str

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DOCKER_HOST": f"unix://{self.folder}/docker.sock",
            "DOCKER_CONFIG": str(self.folder / "config"),
            "PATH": self.path,
        }

    def run(self, *arguments: str) -> str:
        """What a docker command prints."""
        done = subprocess.run(
            ["docker", *arguments],
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, **self.environment},
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def names(self) -> list[str]:
        """The images that have a name."""
        listed = self.run("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        return sorted(name for name in listed if "<none>" not in name)

    def read(self, image: str) -> Built:
        archive = self.folder / "image.tar"
        self.run("save", "--output", str(archive), image)
        return read_archive(str(archive))


@pytest.fixture(scope="module")
def daemon() -> Iterator[Docker]:
    """A docker daemon below a temporary folder, or a skip that says why there is none."""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    dockerd = shutil.which("dockerd", path=places)
    if dockerd is None:
        pytest.skip("dockerd is not installed (Debian: docker.io)")
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("a docker daemon needs root's rights")
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not installed (Debian: util-linux)")
    # The client beside the daemon first: another one may lack what builds with BuildKit.
    beside = Path(dockerd).parent
    path = os.pathsep.join((str(beside.parent / "bin"), str(beside), places))
    if shutil.which("docker", path=path) is None:
        pytest.skip("the docker client is not installed (Debian: docker.io)")
    # Not below pytest's folders: a socket's path may have about 100 characters.
    with tempfile.TemporaryDirectory(prefix="ds-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        docker = Docker(folder, path)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [
                    # A network of its own, so that no bridge is shared with another daemon.
                    *(
                        "unshare",
                        "--net",
                        dockerd,
                        "--iptables=false",
                        "--ip6tables=false",
                        "--ip-masq=false",
                    ),
                    f"--data-root={folder}/data",
                    *(f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"),
                    f"--host=unix://{folder}/docker.sock",
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": path},
                start_new_session=True,
            )
        try:
            _wait(docker, server)
            yield docker
        finally:
            _stop(server)


def _wait(docker: Docker, server: subprocess.Popen[bytes]) -> None:
    environment = {**os.environ, **docker.environment}
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and server.poll() is None:
        asked = subprocess.run(["docker", "version"], capture_output=True, env=environment)
        if asked.returncode == 0:
            return
        time.sleep(0.2)
    lines = (docker.folder / "log").read_text(errors="replace").splitlines() or ["it says nothing"]
    pytest.skip(f"no docker daemon starts here within {_PATIENCE} s: {lines[-1]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)  # with the containerd that it started
        server.wait()


TOOL = """\
#!/bin/sh
name=${0##*/}
echo "$name $*" >> /var/told
case "$name $1" in
    curl*) cp /usr/bin/liberty.zip /var/tmp/liberty.zip;;
    useradd*) echo "$6$3:x:$2:0::/:/bin/sh" >> /etc/passwd;;
    "pip wheel") mkdir -p /wheels; echo wheel > /wheels/one.whl;;
esac
"""
ROOT = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox mkdir -p /usr/bin /var/tmp /etc; \\
    /bin/busybox --install -s /bin"]
COPY tool bash liberty.zip /usr/bin/
RUN mv /usr/bin/bash /bin/bash; mkdir /opt; \\
    for name in dnf apt-get curl useradd pip npm; do ln -s tool /usr/bin/$name; done; \\
    echo root:x:0:0::/:/bin/sh > /etc/passwd; echo node:x:5:5::/:/bin/sh >> /etc/passwd
"""
ROOTS = ("redhat/ubi9:9.4", "python:3.12-slim-bookworm", "node:22-bookworm-slim")


@pytest.fixture(scope="module")
def roots(daemon: Docker, tmp_path_factory: pytest.TempPathFactory) -> Docker:
    """The daemon, with something under the names of the examples' root images."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("no busybox is installed (Debian: busybox-static)")
    folder = tmp_path_factory.mktemp("roots")
    shutil.copy(busybox, folder / "busybox")
    for name, script in {"tool": TOOL, "bash": '#!/bin/sh\nexec sh "$@"\n'}.items():
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    with zipfile.ZipFile(folder / "liberty.zip", "w") as archive:
        archive.writestr("wlp/README", "liberty")
    (folder / "Dockerfile").write_text(ROOT)
    names = [word for name in ROOTS for word in ("--tag", name)]
    daemon.run("build", "--quiet", *names, str(folder))
    return daemon


@pytest.fixture
def docker(roots: Docker, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """docker as the program finds it, building with BuildKit."""
    for name, value in roots.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    if find_builder("docker") == "classic":
        pytest.skip("this docker has no BuildKit (Debian: docker-buildx)")
    return roots


@pytest.fixture
def classic(roots: Docker, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """docker with its classic builder."""
    for name, value in roots.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    assert find_builder("docker") == "classic"
    return roots


def git(*arguments: str) -> None:
    command = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    git("init", "-q")
    git("add", "--all")
    git("commit", "-qm", "before")


def test_the_examples_are_what_they_were(
    docker: Docker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in ("java", "services", "web"):
        shutil.copytree(EXAMPLES / name, tmp_path / "set" / name)
    for path in tmp_path.glob("set/java/*/Dockerfile"):
        # That would be fetched.
        path.write_text(path.read_text().removeprefix("# syntax=docker/dockerfile:1\n"))
    commit(tmp_path / "set", monkeypatch)
    assert main(["apply"]) == 0
    names = docker.names()
    verify = ["verify", "--build", "--against", "HEAD", "--builder", "docker"]
    capfd.readouterr()
    assert main(verify) == 0, capfd.readouterr().err
    told = capfd.readouterr()
    assert told.out == "8 images equal to HEAD, 0 different, 0 removed, 0 new.\n"
    assert "with docker; this runs what the Dockerfiles say" in told.err
    assert docker.names() == names

    (base,) = Path("bases").glob("ubi9-tzdata*/Dockerfile")
    text = base.read_text()
    assert "LANG=C.UTF-8" in text
    base.write_text(text.replace("LANG=C.UTF-8", "LANG=C"))
    assert main([*verify, "java/statements"]) == 1
    assert capfd.readouterr().out.splitlines() == [
        "java/statements/Dockerfile different: configuration ENV LANG: C.UTF-8 → C",
        "0 images equal to HEAD, 1 different, 0 removed, 0 new.",
    ]
    assert docker.names() == names


COMMON = """\
FROM node:22-bookworm-slim
RUN npm common
"""
FILES = {
    "one/Dockerfile": f"{COMMON}ARG VERSION=1\nRUN npm middle $VERSION\nRUN npm one\n",
    "two/Dockerfile": f"{COMMON}ARG VERSION=1\nRUN npm middle $VERSION\nRUN npm two\n"
    "FROM scratch AS small\nCOPY --from=0 /var/told /\n",
    "three/Dockerfile": f"{COMMON}RUN npm three\nHEALTHCHECK CMD true\n",
    "compose.yaml": """\
services:
  one:
    image: registry.example/one:2
    build: {context: one, args: {VERSION: "7"}}
  two:
    build: {context: two, args: {VERSION: "7"}, target: small}
""",
}


@pytest.mark.parametrize("registry", ["localhost", "registry.example:5000/bases"])
def test_levels_in_order(
    docker: Docker,
    registry: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    commit(tmp_path, monkeypatch)
    assert main(["apply", "--registry", registry]) == 0
    capfd.readouterr()
    assert main(["build", "--builder", "docker", "--build-arg", "VERSION=8"]) == 0
    built = capfd.readouterr().out.split()
    assert [name.startswith(f"{registry}/") for name in built[:2]] == [True, True]
    others = {"registry.example/one:2", "localhost/two", "localhost/three"}
    assert set(built[2:]) == others
    assert {f"{name}:latest" if name.count(":") == 0 else name for name in built} <= {
        *docker.names()
    }
    same = "npm common\nnpm middle 8\n"
    assert size(docker.read("registry.example/one:2"), "var/told") == len(f"{same}npm one\n")
    two = docker.read("localhost/two")
    assert list(two.files) == ["told"]
    assert size(two, "told") == len(f"{same}npm two\n")
    assert docker.read("localhost/three").config["Healthcheck"] == {"Test": ["CMD-SHELL", "true"]}
    docker.run("image", "rm", *built)


def size(image: Built, path: str) -> int:
    return image.files[path].size


SECRET = """\
FROM node:22-bookworm-slim
RUN --mount=type=secret,id=token cat /run/secrets/token > /token
RUN npm {0}
"""


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two images that begin alike and mount a secret; what to tell the program of it."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(SECRET.format(name))
    (tmp_path / ".gitignore").write_text("mine\n")
    (tmp_path / "mine").write_text("hush, hush")
    commit(tmp_path, monkeypatch)
    assert main(["apply"]) == 0
    return ["--builder", "docker", "--secret", "id=token,src=mine"]


def test_a_secret(docker: Docker, secret: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["build", *secret]) == 0
    capfd.readouterr()
    assert size(docker.read("localhost/one"), "token") == len("hush, hush")
    docker.run("image", "rm", "localhost/one", "localhost/two")
    assert main(["verify", "--build", "--against", "HEAD", *secret, "--secret", "id=x,src=y"]) == 0
    told = capfd.readouterr()
    assert told.out == "2 images equal to HEAD, 0 different, 0 removed, 0 new.\n"
    assert "warning: no RUN mounts secret x" in told.err


def test_the_classic_builder(
    classic: Docker, secret: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    Path("three").mkdir()
    Path("three/Dockerfile").write_text("FROM node:22-bookworm-slim\nRUN npm three\n")
    names = classic.names()
    capfd.readouterr()
    assert main(["build", *secret]) == 1
    told = capfd.readouterr()
    assert told.out == "localhost/three\n"
    assert "note: this docker builds with its classic builder" in told.err
    assert "RUN mounts a secret, which needs BuildKit" in told.err
    classic.run("image", "rm", "localhost/three")
    git("add", "three")
    git("commit", "-qm", "three")
    Path("three/Dockerfile").write_text("FROM node:22-bookworm-slim\nRUN npm three && false\n")
    assert main(["verify", "--build", "--builder", "docker", "--against", "HEAD", "three"]) == 2
    assert "three/Dockerfile failed: cannot be built as it is" in capfd.readouterr().out
    assert classic.names() == names
    assert classic.run("ps", "--all", "--quiet") == ""


def test_measured_layers(
    docker: Docker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_text(
        "FROM node:22-bookworm-slim\nARG V=1\nRUN npm $V && \\\n    echo 12345 > /five\n"
        'SHELL ["/bin/bash", "-c"]\nCOPY Dockerfile /${V}/\nWORKDIR /x\nRUN echo 7 > /seven\n'
    )
    docker.run("build", "--quiet", "--tag", "measured", ".")
    form = ("--no-trunc", "--format", "{{json .}}")
    Path("history").write_text(docker.run("history", *form, "measured"))
    docker.run("save", "--output", "measured.tar", "measured")
    docker.run("image", "rm", "measured")
    for source in ("history", "measured.tar"):
        assert main(["plan", "--measured", source]) == 0
        assert "tells the size of 4 of 4 different steps" in capfd.readouterr().err
    image = next(iter(read_images("history")))
    assert next(layer.size for layer in image.layers if "/five" in layer.created_by) > 6
