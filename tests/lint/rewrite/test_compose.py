"""Compose files edited in place: only lines are added, and compose reads what it should."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockstrata.cli.main import main
from dockstrata.meaning.repository import read_repository

DOCKERFILE = """\
FROM debian:12
ARG VERSION
COPY shared.txt /
RUN --mount=type=secret,id=npm install $VERSION
RUN {name}
"""
REF = "localhost/debian-shared-txt:12"
SERVICE = "debian-shared-txt"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(DOCKERFILE.format(name=name))
        (tmp_path / name / "shared.txt").write_text("same")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def added(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went, and those that came."""
    lines = list(difflib.ndiff(before.splitlines(True), after.splitlines(True)))
    return (
        [line[2:] for line in lines if line.startswith("- ")],
        [line[2:] for line in lines if line.startswith("+ ")],
    )


def applied(text: str, path: str = "compose.yaml") -> tuple[list[str], dict[str, Any]]:
    """Lines that went, and the services as YAML has them now; undone and done again on the way."""
    file = Path(path)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode())
    assert main(["apply", "--compose"]) == 0
    once = file.read_bytes()
    assert main(["apply", "--undo"]) == 0
    assert file.read_bytes() == text.encode()
    assert not Path("bases").exists()
    assert main(["apply", "--compose"]) == 0
    assert file.read_bytes() == once
    assert main(["apply", "--compose", "--check"]) == 0  # nothing is left to do
    gone, _ = added(text, once.decode())
    services = yaml.safe_load(once)["services"]
    assert isinstance(services, dict)
    return gone, services


LONG = """\
# what we run
x-common: &common
    restart:   always

services:

    # The first one.
    a:
        <<: *common
        build:
            context:    a          # odd, but ours
            args:
                VERSION: ${VERSION:-1}
            secrets: [ npm ]

        ports: ["80:80",   '81:81']   # keep
    b:
        build:
            context: ./b
            args: [ "VERSION=${VERSION:-1}" ]
            secrets:
            - source: npm

        # a comment at the end
secrets:
    npm: {file: ./npmrc}
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("ending", [True, False])
def test_only_lines_are_added(project: Path, newline: str, ending: bool) -> None:
    text = LONG if ending else LONG[: LONG.index("\n        # a comment at")]
    text = text.replace("\n", newline)
    gone, services = applied(text)
    assert [line for line in gone if line.strip() not in ("", "- source: npm")] == []
    assert services["a"]["build"]["additional_contexts"] == {REF: f"service:{SERVICE}"}
    assert services["b"]["build"]["additional_contexts"] == {REF: f"service:{SERVICE}"}
    base = services[SERVICE]
    assert base["scale"] == 0
    assert "profiles" not in base
    assert base["build"]["args"] == {"VERSION": "${VERSION:-1}"}
    assert base["build"].get("secrets") == (["npm"] if ending else None)
    assert base["build"]["context"] in ("a", "b")
    assert (project / base["build"]["context"] / base["build"]["dockerfile"]).is_file()
    found = Path("compose.yaml").read_bytes().decode()
    assert found.count(newline) == found.count("\n")


def test_short_and_flow_forms(project: Path) -> None:
    text = """\
services:
  a:
    build: ./a   # short
    image: x
  b: {build: {context: b}, image: "b:1"}
"""
    gone, services = applied(text)
    assert gone == [
        "    build: ./a   # short\n",
        '  b: {build: {context: b}, image: "b:1"}\n',
    ]
    found = Path("compose.yaml").read_text()
    assert "    build:\n      context: ./a   # short\n      additional_contexts:\n" in found
    for name in "ab":
        assert services[name]["build"]["additional_contexts"] == {REF: f"service:{SERVICE}"}


def test_beside_contexts_that_are_there(project: Path) -> None:
    text = """\
services:
  a:
    build:
      context: a
      additional_contexts:
        - files=./a   # ours
      target: ""
  b:
    build:
      context: b
      additional_contexts: {files: ./b}
"""
    gone, services = applied(text)
    assert gone == ["      additional_contexts: {files: ./b}\n"]
    assert services["a"]["build"]["additional_contexts"] == [
        "files=./a",
        f"{REF}=service:{SERVICE}",
    ]
    assert services["b"]["build"]["additional_contexts"] == {
        "files": "./b",
        REF: f"service:{SERVICE}",
    }


def test_paths_are_seen_from_the_file(project: Path) -> None:
    text = "services:\n  a:\n    build: ../a\n  b:\n    build:\n      context: ../b\n"
    _, services = applied(text, "deploy/compose.yml")
    build = services[SERVICE]["build"]
    assert (project / "deploy" / build["context"] / build["dockerfile"]).is_file()


def test_a_service_of_that_name_stays(project: Path) -> None:
    text = f"services:\n  {SERVICE}:\n    image: x\n  a:\n    build: a\n  b:\n    build: b\n"
    _, services = applied(text)
    assert services[SERVICE] == {"image": "x"}
    assert services["a"]["build"]["additional_contexts"] == {REF: f"service:{SERVICE}-base"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services: {a: {build: a}, b: {build: b}}\n", "its services are not written line by line"),
        (
            "x: &x\n  context: a\nservices:\n  a:\n    build: *x\n  b:\n    build: b\n",
            "the build of service 'a' is written elsewhere",
        ),
        (
            "x: &x {additional_contexts: {y: ./a}}\nservices:\n  a:\n    build:\n      <<: *x\n"
            "      context: a\n  b:\n    build: b\n",
            "service 'a' shares its additional_contexts",
        ),
    ],
)
def test_what_cannot_be_added_is_told(
    project: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("compose.yaml").write_text(text)
    assert main(["apply", "--compose"]) == 0
    told = capsys.readouterr()
    assert f"warning: compose.yaml: {message}; left as it is" in told.err
    assert Path("compose.yaml").read_text() == text
    assert Path("bases/docker-bake.hcl").exists()


def test_without_the_option_compose_files_stay(project: Path) -> None:
    Path("compose.yaml").write_text(LONG)
    assert main(["apply"]) == 0
    assert Path("compose.yaml").read_text() == LONG


def test_later_on_its_own(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("compose.yaml").write_text(LONG)
    assert main(["apply"]) == 0
    assert main(["apply", "--compose", "--check"]) == 1
    assert "Would tell compose.yaml of its bases." in capsys.readouterr().out
    assert main(["apply", "--compose"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("Told 1 compose file of bases; each image proved equal.\n")
    assert "  changed  compose.yaml" in told
    assert yaml.safe_load(Path("compose.yaml").read_text())["services"][SERVICE]["scale"] == 0


def test_uncommitted_compose_files_are_not_touched(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("compose.yaml").write_text(LONG)
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@y",
                                                   "commit", "-qm", "x"]):  # fmt: skip
        subprocess.run(["git", *command], check=True)
    Path("compose.yaml").write_text(LONG + "# new\n")
    assert main(["apply", "--compose"]) == 2
    assert "compose.yaml: has uncommitted changes" in capsys.readouterr().err
    assert main(["apply", "--compose", "--allow-dirty"]) == 0


def test_the_set_reads_the_same_afterwards(project: Path) -> None:
    Path("compose.yaml").write_text(LONG)
    before = {image.id: image.stage.meaning for image in read_repository(["."]).set.images}
    assert main(["apply", "--compose"]) == 0
    after = {image.id: image.stage.meaning for image in read_repository(["."]).set.images}
    assert before.items() <= after.items()
    done = subprocess.run(
        [sys.executable, "-m", "dockstrata", "build", "--dry-run", "--builder", "buildah"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    first, *others = done.stdout.splitlines()
    assert f"--tag {REF}" in first
    assert all(f"--build-context {REF}=container-image://{REF}" in line for line in others)
    assert len(others) == 2


CHAIN = {
    "mid/Dockerfile": "FROM debian:12\nRUN below\nRUN mid\n",
    "other/Dockerfile": "FROM debian:12\nRUN below\nRUN other\n",
    "tools/Dockerfile": "FROM debian:12\nRUN below\nRUN tools\n"
    "FROM scratch AS small\nCOPY --from=0 /x /\n",
    "one/Dockerfile": "FROM registry.example/mid:1\nRUN common\n"
    "COPY --from=registry.example/tools /x /\nRUN one\n",
    "two/Dockerfile": "FROM registry.example/mid:1\nRUN common\n"
    "COPY --from=registry.example/tools /x /\nRUN two\n",
    "three/Dockerfile": "FROM registry.example/mid:1\nRUN three\n",
    "dockstrata.toml": "[plan]\nmax-depth = 6\n"
    '[[build]]\ndockerfile = "tools/Dockerfile"\ntarget = "small"\n'
    'tags = ["registry.example/tools:latest"]\n',
}
SERVICES = """\
services:
  one:
    build: one
  two:
    build: two
    {two}
  mid:
    image: registry.example/mid:1
    build: mid
    {mid}
  three:
    build: three
"""


def chain(folder: Path, mid: str = "", two: str = "") -> dict[str, Any]:
    """Bases on an image that a service builds, which is on a base; files of another one."""
    for name, text in CHAIN.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return applied(SERVICES.format(mid=mid, two=two))[1]


def contexts(services: dict[str, Any], name: str) -> dict[str, str]:
    build = services[name]["build"]
    return dict(build.get("additional_contexts", {})) if isinstance(build, dict) else {}


def test_a_base_on_an_image_on_a_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    services = chain(tmp_path)
    (upper,) = contexts(services, "one").items()
    assert contexts(services, "two") == dict([upper])
    name = upper[1].removeprefix("service:")
    assert contexts(services, name) == {
        "registry.example/mid:1": "service:mid",
        "registry.example/tools": "service:tools",
    }
    (lower,) = contexts(services, "mid").items()
    assert lower != upper
    # No service builds this one, and it cannot be built without its base.
    assert contexts(services, "tools") == dict([lower])
    tools = services["tools"]
    assert tools["scale"] == 0
    assert (tools["build"]["context"], tools["build"]["target"]) == ("tools", "small")
    assert contexts(services, "three") == {"registry.example/mid:1": "service:mid"}
    assert set(services) == {
        *("one", "two", "three", "mid", "tools"),
        name,
        lower[1].removeprefix("service:"),
    }


def test_a_service_that_a_profile_hides_is_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compose 2.40 says "declares unknown service" of it, whatever it is named in."""
    monkeypatch.chdir(tmp_path)
    services = chain(tmp_path, mid="profiles: [images]")
    (upper,) = contexts(services, "one").values()
    assert contexts(services, upper.removeprefix("service:")) == {
        "registry.example/mid:1": "service:mid-base",
        "registry.example/tools": "service:tools",
    }
    assert contexts(services, "mid-base") == contexts(services, "mid")


def test_an_image_that_stands_on_no_base_is_had_as_before(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        path = project / name / "Dockerfile"
        path.write_text(path.read_text().replace("debian:12", "registry.example/root:1"))
    (project / "root").mkdir()
    (project / "root/Dockerfile").write_text("FROM debian:12\nRUN root\n")
    (project / "dockstrata.toml").write_text(
        '[[build]]\ndockerfile = "root/Dockerfile"\ntags = ["registry.example/root:1"]\n'
    )
    text = "services:\n  a:\n    build: a\n  b:\n    build: b\n"
    services = applied(text)[1]
    # Nothing of the root that the configuration tells is new.
    assert "copies files that were written now" not in capsys.readouterr().err
    assert len(services) == 3
    (base,) = contexts(services, "a").values()
    assert contexts(services, base.removeprefix("service:")) == {}
    assert main(["apply", "--undo"]) == 0
    root = "  root:\n    image: registry.example/root:1\n    build: root\n"
    services = applied(text + root)[1]
    assert contexts(services, base.removeprefix("service:")) == {
        "registry.example/root:1": "service:root"
    }
