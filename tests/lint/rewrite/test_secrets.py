"""Secrets and ssh agents of lifted steps, handed to base and children by the bake file."""

from __future__ import annotations

from pathlib import Path

import hcl2
import pytest
import yaml

from dockstrata.cli.main import main

DOCKERFILE = """\
FROM alpine:3.20
RUN --mount=type=secret,id=npm,required=true --mount=type=ssh fetch
RUN --mount=type=secret,target=/run/secrets/other fetch more
RUN --mount=type=secret,id=mine fetch {name}
"""

COMPOSE = """\
services:
  a:
    build:
      context: a
      ssh: [default]
      secrets: [npm, mine]
  b:
    build: {context: b, ssh: [default], secrets: [npm, mine]}
secrets:
  npm:
    file: ./secret/npmrc
  mine:
    environment: MINE
"""


def test_secrets_go_where_the_steps_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(name).mkdir()
        Path(name, "Dockerfile").write_text(DOCKERFILE.format(name=name))
    Path("compose.yaml").write_text(COMPOSE)
    assert main(["apply"]) == 0
    text = Path("bases/docker-bake.hcl").read_text()
    assert text.count("# Needs the secret other:") == 3
    bake = hcl2.loads(text)
    targets = {name.strip('"'): body for it in bake["target"] for name, body in it.items()}
    base = next(body for name, body in targets.items() if name not in "ab")
    assert base["secret"] == ['"id=npm,src=secret/npmrc"', '"id=other"']
    assert base["ssh"] == ['"default"']
    # BuildKit may ask the child's build for what the base's steps mount.
    secrets = ['"id=mine,env=MINE"', '"id=npm,src=secret/npmrc"', '"id=other"']
    assert targets["a"]["secret"] == secrets
    assert targets["a"]["ssh"] == ['"default"']
    # What the base is given is written down in it, for the next run's bake file.
    Path("c").mkdir()
    Path("c/Dockerfile").write_text(DOCKERFILE.format(name="c"))
    assert main(["apply"]) == 0
    assert '"id=npm,src=secret/npmrc"' in Path("bases/docker-bake.hcl").read_text()


def of_its_own(name: str) -> str:
    """A compose file with a key and a secret beside it, as monorepos have one a folder."""
    return (
        f"services:\n  {name}:\n    image: acme/{name}\n"
        "    build: {context: ., ssh: ['k=./key'], secrets: [tok]}\n"
        "secrets:\n  tok: {file: ./tok.txt}\n"
    )


def test_each_compose_file_gives_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys and secrets as seen from each file; a base takes what its services are given."""
    monkeypatch.chdir(tmp_path)
    step = "RUN --mount=type=ssh,id=k --mount=type=secret,id=tok fetch\n"
    for name in "abc":
        Path(name).mkdir()
        Path(name, "Dockerfile").write_text(f"FROM alpine:3.20\n{step}RUN make {name}\n")
        Path(name, "compose.yaml").write_text(of_its_own(name))
    # A service that is given nothing, whose step does without.
    Path("c/compose.yaml").write_text("services:\n  c:\n    image: acme/c\n    build: .\n")
    assert main(["apply", "--compose"]) == 0
    out = capsys.readouterr().out
    assert "docker buildx bake --allow=ssh -f bases/docker-bake.hcl" in out
    text = Path("bases/docker-bake.hcl").read_text()
    assert "#   docker buildx bake --allow=ssh -f bases/docker-bake.hcl all\n" in text
    bake = hcl2.loads(text)
    targets = {name.strip('"'): body for it in bake["target"] for name, body in it.items()}
    base = next(body for name, body in targets.items() if name not in "abc")
    assert base["ssh"] == ['"k=a/key"']
    assert base["secret"] == ['"id=tok,src=a/tok.txt"']
    (mark,) = (it for it in Path("bases").glob("*/Dockerfile"))
    assert '"ssh": ["k=../../a/key"]' in mark.read_text()
    builds = {}
    for name in "abc":
        services = yaml.safe_load(Path(name, "compose.yaml").read_text())["services"]
        (builds[name],) = (it["build"] for key, it in services.items() if key != name)
    assert [builds[name].get("ssh") for name in "abc"] == [["k=key"], ["k=key"], None]
    assert [builds[name].get("secrets") for name in "abc"] == [["tok"], ["tok"], None]


def test_paths_that_are_the_same_from_everywhere_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(name).mkdir()
        Path(name, "Dockerfile").write_text(DOCKERFILE.format(name=name))
    Path("dockstrata.toml").write_text(
        "".join(
            f'[[build]]\ndockerfile = "{name}/Dockerfile"\n'
            'ssh = ["default=/run/agent,~/.ssh/k,key"]\n'
            'secrets = ["id=npm,src=/etc/npmrc", "id=other,src=~/other"]\n'
            for name in "ab"
        )
    )
    assert main(["apply"]) == 0
    text = Path("bases/docker-bake.hcl").read_text()
    assert '"default=/run/agent,~/.ssh/k,key"' in text
    assert '"id=npm,src=/etc/npmrc"' in text
    assert '"id=other,src=~/other"' in text


def test_a_secret_that_nothing_tells_of_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(name).mkdir()
        Path(name, "Dockerfile").write_text(DOCKERFILE.format(name=name))
    assert main(["apply"]) == 0
    assert "nothing here says where it is, secret mine, npm, other: set" in capsys.readouterr().err
