"""What is built in which order, and how each builder is told; nothing is run here."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from pathlib import Path

import pytest

from dockstrata.build.builders import build_command, clearing, read_given, unheard
from dockstrata.build.finding import find_builder
from dockstrata.build.order import Job, chosen, jobs_of
from dockstrata.build.run import run_all
from dockstrata.cli.main import main
from dockstrata.errors import DockstrataError
from dockstrata.meaning.repository import read_repository

BASE = "# dockstrata base localhost/java:17\nFROM debian:12\nRUN java\n"
FILES = {
    "aaa/Dockerfile": "ARG JAVA=localhost/java:17\nFROM $JAVA\nRUN aaa\n",
    "bases/java/Dockerfile": BASE,
    "copies/Dockerfile": "FROM debian:12\nCOPY --from=localhost/java:17 /j /j\n",
    "mounts/Dockerfile": "FROM debian:12\n"
    "RUN --mount=type=bind,from=localhost/gone:1,target=/x true\n",
    "own/Dockerfile": "FROM debian:12 AS java\nFROM java\nCOPY --from=java / /\n"
    "COPY --from=0 / /\n",
}


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    return read(tmp_path, FILES, monkeypatch)


def read(folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    monkeypatch.chdir(folder)
    for path, text in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    return jobs_of(read_repository(["."]))


def test_bases_come_before_what_needs_them(jobs: list[Job]) -> None:
    assert [job.name for job in jobs] == ["java", "aaa", "copies", "mounts", "own"]
    needs = {job.name: job.needs for job in jobs}
    assert needs == {"java": (), "aaa": ("java",), "copies": ("java",), "mounts": (), "own": ()}
    assert [job.missing for job in jobs if job.missing] == [("localhost/gone:1",)]
    assert jobs[0].tags == ("localhost/java:17",)
    assert jobs[1].tags == ("localhost/aaa",)


@pytest.mark.parametrize("word", ["aaa", "localhost/aaa", "aaa/Dockerfile", "./aaa/"])
def test_only_takes_what_is_needed_along(jobs: list[Job], word: str) -> None:
    assert [job.name for job in chosen(jobs, [word])] == ["java", "aaa"]


def test_only_without_what_is_needed(jobs: list[Job]) -> None:
    assert [job.name for job in chosen(jobs, ["aaa", "own"], alone=True)] == ["aaa", "own"]


def test_only_something_unknown(jobs: list[Job]) -> None:
    with pytest.raises(DockstrataError, match="names no image; there are java, aaa"):
        chosen(jobs, ["jaav"])


def test_a_circle_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "bases/a/Dockerfile": "# dockstrata base localhost/a:1\nFROM localhost/b:1\n",
        "bases/b/Dockerfile": "# dockstrata base localhost/b:1\nFROM localhost/a:1\n",
    }
    with pytest.raises(DockstrataError, match="need each other: a → b → a"):
        read(tmp_path, files, monkeypatch)


def test_what_a_user_gives_decides_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    read(tmp_path, FILES, monkeypatch)
    jobs = jobs_of(read_repository(["."]), {"JAVA": "debian:12"})
    assert next(job for job in jobs if job.name == "aaa").needs == ()


COMPOSE = """\
services:
  dev:
    image: [local]/app:dev
    build: {context: ., dockerfile: app/Dockerfile, target: dev}
  app:
    build:
      context: .
      dockerfile: app/Dockerfile
      args: [A=x y, B, C=1]
      platforms: [linux/amd64, linux/arm64]
      additional_contexts: {tool: "service:tool", files: ./files, remote: "docker-image://x:1"}
      ssh: [default]
      secrets: [npm, plain, mine, unasked]
      tags: [one/app:1, one/app:2]
  tool:
    build: tool
secrets:
  npm: {file: npmrc}
  mine: {environment: MINE}
"""
APP = """\
FROM tool AS dev
ARG A B
RUN --mount=type=secret,id=npm --mount=type=secret,id=mine --mount=type=ssh true
RUN --mount=type=secret,id=plain true
FROM dev
RUN true
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Job]:
    files = {
        "compose.yaml": COMPOSE.replace("[local]", "local"),
        "app/Dockerfile": APP,
        "tool/Dockerfile": "FROM scratch\nCOPY . .\n",
    }
    return {job.tags[0]: job for job in read(tmp_path, files, monkeypatch)}


def words(builder: str, job: Job, *given: str) -> list[str]:
    arguments = [word for word in given if not word.startswith("id=")]
    secrets = [word for word in given if word.startswith("id=")]
    return build_command(builder, job, read_given(arguments, secrets, []))


def test_as_compose_says(app: dict[str, Job], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("plain", "x")
    job = app["one/app:1"]
    assert job.needs == ("tool",)
    assert shlex.join(words("buildx", job)) == (
        "docker buildx build --load --file ./app/Dockerfile --tag one/app:1 --tag one/app:2"
        " --platform linux/amd64,linux/arm64 --build-arg 'A=x y' --build-arg B --build-arg C=1"
        " --build-context tool=docker-image://localhost/tool --build-context files=files"
        " --build-context remote=docker-image://x:1"
        " --secret id=npm,src=npmrc --secret id=mine,env=MINE --secret id=plain,env=plain"
        " --ssh default ."
    )


def test_podman_and_buildah_in_their_words(app: dict[str, Job]) -> None:
    for builder in ("podman", "buildah"):
        text = shlex.join(words(builder, app["one/app:1"], "A=2", "X=3", "id=npm,src=else"))
        assert text.startswith(f"{builder} build ")
        assert "--manifest one/app:1 --platform linux/amd64,linux/arm64" in text
        assert "--build-context tool=container-image://localhost/tool" in text
        assert "--build-arg A=2 --build-arg B" in text
        assert "X=3" not in text
        assert "--secret id=npm,src=else" in text
        assert "--secret id=plain,src=plain" in text
        assert [shlex.join(words) for words in clearing(builder, app["one/app:1"])] == [
            f"{builder} manifest exists one/app:1",
            f"{builder} manifest rm one/app:1",
        ]
        assert clearing(builder, app["local/app:dev"]) == []
    assert clearing("buildx", app["one/app:1"]) == []


@pytest.mark.parametrize(
    ("builder", "image", "said"),
    [
        ("docker", "one/app:1", "its named contexts (tool, files, remote)"),
        ("classic", "local/app:dev", "RUN mounts a secret, which needs BuildKit"),
    ],
)
def test_what_an_old_docker_does_not_have(
    app: dict[str, Job], builder: str, image: str, said: str
) -> None:
    with pytest.raises(DockstrataError) as caught:
        words(builder, app[image])
    assert said in caught.value.message
    assert "buildx" in caught.value.message
    (outcome,) = run_all([app[image]], lambda job: words(builder, job))
    assert (outcome.state, outcome.message) == ("failed", caught.value.message)
    assert words("buildx", app[image])[0] == "docker"


def test_a_target_of_its_own(app: dict[str, Job]) -> None:
    command = words("docker", app["local/app:dev"])
    assert command[:2] == ["docker", "build"]
    assert command[command.index("--target") + 1] == "dev"


def test_what_nobody_asks_for(app: dict[str, Job]) -> None:
    given = read_given(["A=1", "Z=1", "http_proxy"], ["id=npm,src=x", "id=no,src=x"], ["default"])
    assert unheard(given, list(app.values())) == [
        "no Dockerfile declares ARG Z",
        "no RUN mounts secret no",
    ]
    assert unheard(read_given([], [], ["default"]), []) == ["no RUN mounts an ssh agent"]
    for arguments, secrets in ((["=1"], []), ([], ["src=x"])):
        with pytest.raises(DockstrataError, match="it must look like"):
            read_given(arguments, secrets, [])


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder where programs are found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


BUILDX = 'case "$1 $2" in "buildx inspect") echo "Driver: {driver}";; esac'


def test_the_first_that_works(path: Path) -> None:
    program(path, "buildah", "")
    assert find_builder(None) == "buildah"
    program(path, "podman", "")
    assert find_builder(None) == "podman"
    program(path, "docker", "echo no daemon >&2; exit 1")
    said: list[str] = []
    assert find_builder(None, said.append) == "podman"
    assert said == ["docker is installed, but its daemon does not answer (no daemon)"]
    program(path, "docker", 'test "$1" = version')
    assert find_builder(None) == "classic"
    program(path, "docker", BUILDX.format(driver="docker"))
    assert find_builder(None) == "buildx"
    program(path, "docker", BUILDX.format(driver="docker-container"))
    assert find_builder(None) == "podman"
    assert find_builder("buildah") == "buildah"


@pytest.mark.parametrize(
    ("version", "variable", "kind"),
    [
        ("20.10.24+dfsg1", "", "docker"),
        ("20.10.24+dfsg1", "1", "docker"),
        ("20.10.24+dfsg1", "0", "classic"),
        ("23.0.0", "", "classic"),
        ("28.2.2", "1", "classic"),
        ("unknown", "", "classic"),
    ],
)
def test_docker_without_its_plugin(
    path: Path, version: str, variable: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_BUILDKIT", variable)
    program(path, "docker", f'test "$1" = version && echo {version}')
    assert find_builder(None) == kind


def test_docker_that_is_podman(path: Path) -> None:
    program(path, "docker", 'test "$1" = --version && echo podman version 5.8.6')
    with pytest.raises(DockstrataError, match="its daemon does not answer"):
        find_builder("docker")
    program(path, "podman", "")
    for wanted in (None, "docker"):
        said: list[str] = []
        assert find_builder(wanted, said.append) == "podman"
        assert said == ["docker is podman by another name here"]


def test_buildkit_that_the_user_turns_off(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_BUILDKIT", "false")
    program(path, "docker", BUILDX.format(driver="docker"))
    assert find_builder("docker") == "classic"


def test_none_that_works(path: Path) -> None:
    with pytest.raises(DockstrataError, match="install docker, podman or buildah"):
        find_builder(None)
    with pytest.raises(DockstrataError, match="podman is not installed"):
        find_builder("podman")
    program(path, "docker", "echo no daemon >&2; exit 1")
    with pytest.raises(DockstrataError, match=r"its daemon does not answer \(no daemon\)"):
        find_builder(None)
    program(path, "docker", BUILDX.format(driver="docker-container"))
    with pytest.raises(DockstrataError, match="kind 'docker-container'"):
        find_builder("docker")


@pytest.mark.skipif(os.name == "nt", reason="scripts are programs by their first line here")
def test_the_command_line(
    tmp_path: Path,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    read(tmp_path, FILES, monkeypatch)
    assert main(["build"]) == 2
    assert "error: nothing here builds images" in capfd.readouterr().err
    assert main(["build", "--dry-run"]) == 0
    told = capfd.readouterr()
    assert "these are the commands for buildx" in told.err
    assert told.out.splitlines()[0].startswith("docker buildx build --load --file ./bases/java/")
    log = tmp_path / "log"
    program(
        path, "podman", f'echo "$@" >> {shlex.quote(str(log))}; case "$*" in *java*) exit 9; esac'
    )
    assert main(["build"]) == 1
    told = capfd.readouterr()
    assert len(log.read_text().splitlines()) == 3
    assert "bases/java/Dockerfile: the build failed: podman ended with exit code 9" in told.err
    assert "error: aaa/Dockerfile: not built: it needs bases/java/Dockerfile" in told.err
    assert told.out.split() == ["localhost/mounts", "localhost/own"]


def test_a_program_that_cannot_be_run(jobs: list[Job], capfd: pytest.CaptureFixture[str]) -> None:
    outcomes = run_all(jobs[:2], lambda job: ["/nowhere/at/all"])
    assert [outcome.state for outcome in outcomes] == ["failed", "skipped"]
    outcomes = run_all(jobs[:1], lambda job: [sys.executable, "-c", "print('said')"])
    assert outcomes[0].state == "built"
    assert capfd.readouterr().err == "said\n"


def test_what_is_cleared_before(jobs: list[Job], capfd: pytest.CaptureFixture[str]) -> None:
    def python(text: str) -> list[str]:
        return [sys.executable, "-c", f"import os; {text}"]

    (outcome,) = run_all(
        jobs[:1],
        lambda job: python("print(os.path.exists('one'), os.path.exists('two'))"),
        clear=lambda job: [python("os.mkdir('one')"), python("exit(1)"), python("os.mkdir('two')")],
    )
    assert outcome.state == "built"
    assert capfd.readouterr().err == "True False\n"
    (outcome,) = run_all(jobs[:1], lambda job: python(""), clear=lambda job: [["/nowhere/at/all"]])
    assert outcome.state == "built"
