"""Secrets and ssh agents of lifted steps, handed to base and children by the bake file."""

from __future__ import annotations

from pathlib import Path

import hcl2
import pytest

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
    assert text.count("# Needs the secret other:") == 1
    bake = hcl2.loads(text)
    targets = {name.strip('"'): body for it in bake["target"] for name, body in it.items()}
    base = next(body for name, body in targets.items() if name not in "ab")
    assert base["secret"] == ['"id=npm,src=secret/npmrc"', '"id=other"']
    assert base["ssh"] == ['"default"']
    assert targets["a"]["secret"] == ['"id=mine,env=MINE"']
    assert "ssh" not in targets["a"]
    # What the base is given is written down in it, for the next run's bake file.
    Path("c").mkdir()
    Path("c/Dockerfile").write_text(DOCKERFILE.format(name="c"))
    assert main(["apply"]) == 0
    assert '"id=npm,src=secret/npmrc"' in Path("bases/docker-bake.hcl").read_text()
