"""Secrets and ssh agents: what RUN mounts, and what compose and bake files give."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.load.builds import load_builds
from dockstrata.load.secrets import Mounted, Secret, given_secret, mounted
from dockstrata.load.wiring import Build
from dockstrata.meaning.library import default_build, given_text, with_given
from dockstrata.source import Source
from dockstrata.syntax.parse import parse

COMPOSE = """\
services:
  app:
    build:
      context: app
      ssh: [default, "git=~/.ssh/git"]
      secrets:
        - npm
        - source: token
          target: github
        - nowhere
secrets:
  npm:
    file: ./.npmrc
  token:
    environment: GITHUB_TOKEN
"""

BAKE = """\
target "app" {
  context = "app"
  secret = ["id=npm,src=.npmrc", "type=env,id=github,env=GITHUB_TOKEN", "src=no-id"]
  ssh = ["default", "git=~/.ssh/git"]
}
"""

OBJECTS = """\
target "app" {
  context = "app"
  secret = [{ type = "file", id = "npm", src = ".npmrc" }, { id = "github", env = "GITHUB_TOKEN" }]
  ssh = [{ id = "default" }, { id = "git", paths = ["~/.ssh/git"] }]
}
"""

KNOWN = (Secret("npm", "deploy/.npmrc"), Secret("github", "", "GITHUB_TOKEN"))


def build(folder: Path, name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> Build:
    (folder / "deploy/app").mkdir(parents=True)
    (folder / "deploy/app/Dockerfile").write_text("FROM scratch\n")
    (folder / "deploy" / name).write_text(text)
    monkeypatch.chdir(folder)
    found = load_builds(["."], ["deploy/app/Dockerfile"])
    assert found.problems == ()
    (only,) = found.by_dockerfile["deploy/app/Dockerfile"]
    return only


def test_compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = build(tmp_path, "compose.yaml", COMPOSE, monkeypatch)
    assert found.secrets == (*KNOWN, Secret("nowhere"))
    assert found.ssh == ("default", "git=~/.ssh/git")


@pytest.mark.parametrize("text", [BAKE, OBJECTS], ids=["texts", "objects"])
def test_bake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    found = build(tmp_path, "docker-bake.hcl", text, monkeypatch)
    assert found.secrets == KNOWN
    assert found.ssh == ("default", "git=~/.ssh/git")


def test_what_run_mounts() -> None:
    text = """\
FROM scratch
RUN --mount=type=secret,id=npm --mount=type=ssh --mount=type=cache,target=/c true
RUN --mount=type=secret,dst=/run/secrets/token --mount=type=ssh,id=git true
RUN --mount=type=secret,id=$NAME --mount=type=secret,"id=npm" true
RUN --mount=type=secret,target=/x,src=named true
ONBUILD RUN --mount=type=secret,id=later true
"""
    assert mounted(parse(Source("Dockerfile", text))) == Mounted(
        ("npm", "token", "named", "later"), ("default", "git")
    )


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("id=a,src=b", Secret("a", "x/b")),
        ("id=a,source=/b", Secret("a", "/b")),
        ("id=a,src=~/b", Secret("a", "~/b")),
        ("id=a,env=B", Secret("a", "", "B")),
        ("id=a,type=env,src=B", Secret("a", "", "B")),
        ("id=a", Secret("a")),
        ("src=b", None),
        ('id="a', None),
    ],
)
def test_as_builders_write_them(text: str, secret: Secret | None) -> None:
    assert given_secret(text, "x") == secret


def test_a_base_remembers_what_it_is_given() -> None:
    own = default_build("bases/java/Dockerfile")
    given = Build(
        **{
            **{name: getattr(own, name) for name in Build.__slots__},
            "args": (("A", "1"),),
            "secrets": (Secret("npm", "deploy/.npmrc"), Secret("home", "~/x"), Secret("bare")),
            "ssh": ("default",),
        }
    )
    assert with_given(own, given_text(given)) == given
    assert "../../deploy/.npmrc" in given_text(given)
    assert with_given(own, '{"args": {}, "platforms": [], "secrets": [["x"]]}') == own
