"""Builds that the configuration tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.build.builders import Given, build_command
from dockstrata.build.order import jobs_of
from dockstrata.configuration import load_configuration
from dockstrata.errors import DockstrataError
from dockstrata.meaning.repository import read_repository


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def test_a_configured_build_decides_context_arguments_and_tag() -> None:
    put("shared.txt", "x")
    put("base/Dockerfile", "FROM debian:12\nCOPY shared.txt /\n")
    put("app/Dockerfile", "ARG BASE\nFROM ${BASE}\nRUN true\n")
    put(
        "dockstrata.toml",
        '[[build]]\ndockerfile = "base/Dockerfile"\ncontext = "."\ntags = ["acme/base:1"]\n'
        '[[build]]\ndockerfile = "app/Dockerfile"\nargs = { BASE = "acme/base:1" }\n',
    )
    builds = load_configuration().builds
    assert [build.context for build in builds] == [".", "app"]
    images = {i.id: i for i in read_repository(["."], builds=builds).set.images}
    app = images["app/Dockerfile#0"]
    assert app.parent is images["base/Dockerfile#0"]
    assert app.depth == 3
    taken = images["base/Dockerfile#0"].steps[0]
    assert taken.contexts == (".",)
    assert "absent" not in repr(taken.body)


def test_places_in_a_path_name_many_images_at_once() -> None:
    put("images/base/1/Dockerfile", "FROM debian:12\nRUN base\n")
    put("images/web/1/Dockerfile", "FROM acme/base:1\nRUN web\n")
    put("images/web/1/notes/Dockerfile", "FROM acme/web:1\nRUN deeper than the places\n")
    put("other/Dockerfile", "FROM acme/web:1\nRUN other\n")
    put(
        "dockstrata.toml",
        '[[build]]\ndockerfile = "images/{image}/{tag}/Dockerfile"\ncontext = "images/{image}"\n'
        'tags = ["acme/{image}:{tag}"]\nargs = { NAME = "{image}-{other}" }\n',
    )
    builds = load_configuration().builds
    assert [(b.dockerfile, b.context, b.tags, b.args) for b in builds] == [
        (
            f"images/{name}/1/Dockerfile",
            f"images/{name}",
            (f"acme/{name}:1",),
            (("NAME", name + "-{other}"),),
        )
        for name in ("base", "web")
    ]
    images = {i.id: i for i in read_repository(["."], builds=builds).set.images}
    assert images["other/Dockerfile#0"].depth == 4


def test_a_place_twice_is_the_same_text_twice() -> None:
    for name in ("a/a.Dockerfile", "a/b.Dockerfile", "[x]/[x].Dockerfile"):
        put(name, "FROM debian:12\n")
    put("dockstrata.toml", '[[build]]\ndockerfile = "{x}/{x}.Dockerfile"\ntags = ["{x}"]\n')
    builds = load_configuration().builds
    assert [build.dockerfile for build in builds] == ["[x]/[x].Dockerfile", "a/a.Dockerfile"]


def test_secrets_and_ssh_agents_as_the_builders_take_them(monkeypatch: pytest.MonkeyPatch) -> None:
    put("app/Dockerfile", "FROM debian:12\nRUN --mount=type=secret,id=npm --mount=type=ssh true\n")
    put(
        "dockstrata.toml",
        '[[build]]\ndockerfile = "app/Dockerfile"\nssh = ["default", "git=~/.ssh/key"]\n'
        'secrets = ["id=npm,src=secrets/npmrc", "id=token,env=TOKEN", "id=home,src=~/x", "id=x"]\n',
    )
    Path("below").mkdir()
    monkeypatch.chdir("below")
    (build,) = load_configuration().builds
    assert [(s.id, s.file, s.variable) for s in build.secrets] == [
        ("npm", "../secrets/npmrc", ""),
        ("token", "", "TOKEN"),
        ("home", "~/x", ""),
        ("x", "", ""),
    ]
    assert build.ssh == ("default", "git=~/.ssh/key")
    (job,) = jobs_of(read_repository([".."], builds=(build,)))
    command = build_command("buildx", job, Given())
    assert "id=npm,src=../secrets/npmrc" in command
    assert not any("token" in word for word in command)
    assert command[command.index("--ssh") + 1] == "default"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[build]\nx = 1\n", "'build' must be [[build]] tables"),
        ('[[build]]\ncontext = "."\n', "that each name a 'dockerfile'"),
        ('[[build]]\ndockerfile = "a"\nargs = { V = 1 }\n', "'args' is a table of name = string"),
        (
            '[[build]]\ndockerfile = "a"\nsecrets = ["npm"]\n',
            "'secrets' is a list of strings like \"id=npm,src=.npmrc\"",
        ),
        ('[[build]]\ndockerfile = "a"\nssh = "default"\n', "'ssh' is a list of strings"),
        ('[[build]]\ndockerfile = "a"\ncolour = "red"\n', "'colour' is none of these"),
    ],
)
def test_a_wrong_build_table_is_told(text: str, message: str) -> None:
    put("dockstrata.toml", text)
    with pytest.raises(DockstrataError, match=r"dockstrata\.toml") as caught:
        load_configuration()
    assert message in str(caught.value)
