"""Builds from compose and bake files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstrata.load.builds import Build, Builds, load_builds
from dockstrata.load.discover import discover
from dockstrata.load.interpolate import interpolate, read_env
from dockstrata.load.wiring import UnknownValueError, is_remote


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: str, text: str = "FROM scratch\n") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def load() -> Builds:
    found = discover(["."])
    builds = load_builds(["."], found.files)
    assert builds == load_builds([], found.files, wiring=found.wiring)
    return builds


def only(builds: Builds) -> Build:
    ((build,),) = builds.by_dockerfile.values()
    return build


def test_nothing() -> None:
    put("Dockerfile")
    assert load() == Builds({}, ())


def test_compose_in_full() -> None:
    put("app/docker/web.Dockerfile")
    put(
        "compose.yaml",
        """
name: x
services:
  db:
    image: postgres
  web:
    image: registry/web:1
    build:
      context: ./app
      dockerfile: docker/web.Dockerfile
      target: prod
      args:
        A: text
        N: 3.10
        I: 0
        B: true
        Q: "3.10"
        FROM_ENV:
      platforms: [linux/amd64, linux/arm64]
      tags:
        - other:2
      additional_contexts:
        shared: ../shared
        base: docker-image://debian:12
        up: service:base
""",
    )
    assert only(load()) == Build(
        dockerfile="app/docker/web.Dockerfile",
        context="app",
        target="prod",
        args=(
            ("A", "text"),
            ("N", "3.1"),
            ("I", "0"),
            ("B", "true"),
            ("Q", "3.10"),
            ("FROM_ENV", None),
        ),
        platforms=("linux/amd64", "linux/arm64"),
        contexts=(
            ("shared", "../shared"),
            ("base", "docker-image://debian:12"),
            ("up", "service:base"),
        ),
        tags=("registry/web:1", "other:2"),
        origin="compose.yaml",
        line=8,
        service="web",
    )


def test_compose_short_forms() -> None:
    put("a/Dockerfile")
    put("b/Dockerfile")
    put(
        "docker-compose.yml",
        "services:\n  a:\n    build: a\n    platform: linux/arm64\n"
        "  b:\n    build:\n      context: b\n      args: [X=1, Y=a=b, Z]\n",
    )
    builds = load().by_dockerfile
    (a,), (b,) = builds["a/Dockerfile"], builds["b/Dockerfile"]
    assert (a.context, a.args, a.target, a.platforms) == ("a", (), None, ("linux/arm64",))
    assert b.args == (("X", "1"), ("Y", "a=b"), ("Z", None))


def test_compose_in_a_folder() -> None:
    put("src/x/Dockerfile")
    put("deploy/compose.yaml", "services:\n  x:\n    build: ../src/x\n")
    assert only(load()).context == "src/x"
    put("deploy/compose.yaml", "services:\n  x:\n    build: src/x\n")  # run from the root
    assert only(load()).context == "src/x"


def test_two_services_of_one_dockerfile() -> None:
    put("Dockerfile")
    put(
        "compose.yaml",
        "services:\n  a:\n    build: {context: ., target: a}\n"
        "  b:\n    build: {context: ., target: b}\n",
    )
    assert [build.target for build in load().by_dockerfile["Dockerfile"]] == ["a", "b"]


def test_compose_variables() -> None:
    put("api/Dockerfile")
    put(".env", "DIR=api\nTAG='v$1'\n")
    put(
        "compose.yaml",
        "services:\n  a:\n    image: x:${TAG}\n    build:\n      context: ./${DIR:?}\n"
        "      target: ${TARGET:-prod}\n      args:\n        A: ${UNSET}\n        B: $$x\n",
    )
    build = only(load())
    assert (build.context, build.target, build.tags) == ("api", "prod", ("x:v$1",))
    assert build.args == (("A", None), ("B", "$x"))


def test_a_build_that_depends_on_the_environment_is_a_problem() -> None:
    put("a/Dockerfile")
    put("compose.yaml", "services:\n  a:\n    build: ${WHERE}\n")
    builds = load()
    assert builds.by_dockerfile == {}
    (problem,) = builds.problems
    assert (problem.path, problem.line, problem.reason) == ("compose.yaml", 2, "unknown-value")
    assert "WHERE" in problem.message


def test_compose_anchors_and_merge_keys() -> None:
    put("Dockerfile")
    put(
        "compose.yaml",
        """
x-build: &build
  context: .
  args: &args
    A: "1"
    B: "1"
services:
  a:
    build:
      <<: *build
      args:
        <<: *args
        B: "2"
""",
    )
    assert only(load()).args == (("A", "1"), ("B", "2"))


def test_compose_overrides() -> None:
    put("Dockerfile")
    put("other/Dockerfile")
    put(
        "compose.yaml",
        "services:\n  a:\n    build:\n      context: .\n      args: {A: '1', B: '1'}\n",
    )
    put(
        "compose.override.yaml",
        "services:\n  a:\n    build:\n      args: {B: '2'}\n  b:\n    build: other\n",
    )
    put("compose.prod.yaml", "services:\n  a:\n    build:\n      target: prod\n")
    builds = load()
    first, second = builds.by_dockerfile["Dockerfile"]
    assert first.args == second.args == (("A", "1"), ("B", "2"))
    assert (first.target, second.target) == (None, "prod")
    assert (first.origin, second.origin) == ("compose.yaml", "compose.prod.yaml")
    assert builds.by_dockerfile["other/Dockerfile"][0].service == "b"


def test_compose_extends() -> None:
    put("common/app/Dockerfile")
    put(
        "common/compose.yaml",
        "services:\n  base:\n    build: {context: app, args: {A: '1'}}\n",
    )
    put(
        "compose.yaml",
        "services:\n  a:\n    extends: {file: common/compose.yaml, service: base}\n"
        "    build: {args: {B: '2'}}\n"
        "  b:\n    extends: a\n"
        "  loop:\n    extends: pool\n  pool:\n    extends: loop\n"
        "  gone:\n    extends: {file: none.yaml, service: x}\n",
    )
    builds = load()
    assert builds.problems == ()
    found = {build.service: build for build in builds.by_dockerfile["common/app/Dockerfile"]}
    assert set(found) == {"base", "a", "b"}
    assert found["a"].context == "common/app"
    assert found["a"].args == found["b"].args == (("A", "1"), ("B", "2"))


def test_what_is_no_local_build() -> None:
    put("Dockerfile")
    put(
        "compose.yaml",
        "services:\n"
        "  url: {build: 'https://github.com/a/b.git#main'}\n"
        "  ssh: {build: 'git@github.com:a/b.git'}\n"
        "  missing: {build: nowhere}\n"
        "  none: {build: }\n"
        "  list: {build: [a]}\n"
        "  text: just text\n",
    )
    assert load() == Builds({}, ())


def test_inline_dockerfiles_are_told() -> None:
    put("Dockerfile")
    put("compose.yaml", "services:\n  a: {build: {context: ., dockerfile_inline: FROM a}}\n")
    put("docker-bake.hcl", '\ntarget "b" { dockerfile-inline = "FROM a" }\n')
    builds = load()
    assert builds.by_dockerfile == {}
    assert [(it.path, it.line, it.reason) for it in builds.problems] == [
        ("compose.yaml", 2, "inline"),
        ("docker-bake.hcl", 2, "inline"),
    ]


def test_compose_tags_of_its_own_are_tolerated() -> None:
    put("Dockerfile")
    put(
        "compose.yaml",
        "services:\n  a:\n    ports: !override ['1']\n    build: !override\n      context: .\n"
        "      args: !reset {A: '1'}\n      target: !custom x\n",
    )
    build = only(load())
    assert (build.args, build.target) == ((), "x")


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  a: [build\n",
        "\tbuild: x\n",
        "services: &a [build, *b]\n",
        "build: " + "[" * 5000,
        "build\0",
        "services: {build: \udcff}",
    ],
)
def test_broken_compose_files_are_problems(text: str) -> None:
    put("Dockerfile")
    Path("compose.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))
    put("a/docker-compose.yml", "services:\n  a:\n    build: ..\n")
    builds = load()
    assert only(builds).origin == "a/docker-compose.yml"
    (problem,) = builds.problems
    assert (problem.path, problem.reason) == ("compose.yaml", "broken")


def test_odd_but_sound_compose_files() -> None:
    put("Dockerfile")
    put("compose.yaml", "- build\n---\nservices:\n  build\n---\nservices:\n  a: {build: .}\n")
    put("compose.dev.yaml", "")
    put("compose.loop.yaml", "services: &s\n  build: *s\n  a: {x: *s}\n")
    first, *_ = load().by_dockerfile["Dockerfile"]
    assert first.service == "a"


def test_no_code_runs(tree: Path) -> None:
    put("compose.yaml", f"build: !!python/object/apply:os.mkdir ['{tree}/made']\n")
    assert load().by_dockerfile == {}
    assert not os.path.exists("made")


BAKE = """
variable "TAG" { default = "latest" }
variable "REPO" { default = "example/${TAG}" }
variable "EMPTY" {}
function "named" {
  params = [name]
  result = ["${REPO}/${name}:${TAG}"]
}
group "default" { targets = ["app"] }

target "_common" {
  args = { A = "1", B = TAG, N = 5, T = true, U = EMPTY }
  platforms = ["linux/amd64", "linux/arm64"]
}

target "app" {
  inherits = ["_common"]
  context = "./app"
  dockerfile = "docker/web.Dockerfile"
  target = TAG == "latest" ? "prod" : "dev"
  contexts = { base = "target:db", src = "./src" }
  tags = named("app")
  args = { A = "2", V = upper(TAG), W = timestamp(), H = <<EOT
line
EOT
  }
}
target "db" { context = "https://example.com/db.git" }
"""


def test_bake_in_full() -> None:
    put("app/docker/web.Dockerfile")
    put("docker-bake.hcl", BAKE)
    builds = load()
    assert builds.problems == ()
    assert only(builds) == Build(
        dockerfile="app/docker/web.Dockerfile",
        context="app",
        target="prod",
        args=(
            ("A", "2"),
            ("B", "latest"),
            ("N", "5"),
            ("T", "true"),
            ("U", None),
            ("V", "LATEST"),
            ("W", None),
            ("H", "line\n"),
        ),
        platforms=("linux/amd64", "linux/arm64"),
        contexts=(("base", "target:db"), ("src", "src")),
        tags=("example/latest/app:latest",),
        origin="docker-bake.hcl",
        line=16,
        service="app",
    )


def test_bake_json() -> None:
    put("a/Dockerfile")
    put(
        "docker-bake.json",
        '{"variable": {"V": {"default": "1"}},\n "group": {"default": {"targets": ["a"]}},\n'
        ' "target": {\n  "a": {"context": "a", "args": {"X": "${V}", "Q": "\\"q\\""},'
        ' "tags": ["t:${V}"]}}}',
    )
    build = only(load())
    assert build.args == (("X", "1"), ("Q", '"q"'))
    assert (build.tags, build.line) == (("t:1",), 4)


def test_bake_overrides_and_single_files() -> None:
    put("Dockerfile")
    put("docker-bake.hcl", 'target "a" {\n args = { A = "1", B = "1" }\n}\n')
    put("docker-bake.override.json", '{"target": {"a": {"args": {"B": "2"}, "target": "t"}}}')
    put("docker-bake.ci.hcl", 'target "a" {\n args = { C = "3" }\n}\n')
    by_origin = {build.origin: build for build in load().by_dockerfile["Dockerfile"]}
    assert by_origin["docker-bake.hcl"].args == (("A", "1"), ("B", "2"))
    assert by_origin["docker-bake.hcl"].target == "t"
    assert by_origin["docker-bake.ci.hcl"].args == (("C", "3"),)


def test_bake_matrix() -> None:
    put("Dockerfile")
    put(
        "docker-bake.hcl",
        'target "app" {\n  name = "app-${replace(v, ".", "-")}-${item.os}"\n'
        '  matrix = { v = ["1.0", "2.0"], item = [{os = "a"}, {os = "b"}] }\n'
        "  args = { V = v, OS = item.os }\n}\n",
    )
    builds = load().by_dockerfile["Dockerfile"]
    assert [build.service for build in builds] == [
        "app-1-0-a",
        "app-1-0-b",
        "app-2-0-a",
        "app-2-0-b",
    ]
    assert builds[2].args == (("V", "2.0"), ("OS", "a"))


def test_bake_targets_that_are_only_inherited_from() -> None:
    put("Dockerfile")
    put(
        "docker-bake.hcl",
        'target "meta" {}\ntarget "a" { inherits = ["meta", "gone"] }\n'
        'target "loop" { inherits = ["pool"] }\ntarget "pool" { inherits = ["loop"] }\n'
        'target "inline" { dockerfile-inline = "FROM a" }\n'
        'target "remote" { context = "https://github.com/a/b.git" }\n',
    )
    assert [build.service for build in load().by_dockerfile["Dockerfile"]] == ["a"]


def test_bake_context_that_depends_on_the_environment() -> None:
    put("Dockerfile")
    put("docker-bake.hcl", 'variable "D" {}\n\ntarget "a" { context = D }\n')
    builds = load()
    assert builds.by_dockerfile == {}
    assert [(it.line, it.reason) for it in builds.problems] == [(3, "unknown-value")]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("docker-bake.hcl", 'target "a" {\n x = \n}\n', 2),
        ("docker-bake.hcl", "\0", 1),
        ("docker-bake.json", '{\n"target": }', 2),
        ("docker-bake.json", "[]", 1),
        ("docker-bake.json", '{"target": {"a": 1}}', 1),
        ("docker-bake.json", "[" * 100_000, 1),
    ],
)
def test_broken_bake_files_are_problems(name: str, text: str, line: int) -> None:
    put("Dockerfile")
    put(name, text)
    builds = load()
    assert builds.by_dockerfile == {}
    assert [(it.path, it.line, it.reason) for it in builds.problems] == [(name, line, "broken")]


def test_odd_bake_files() -> None:
    put("Dockerfile")
    put("docker-bake.json", '{"target": {"a": {}, "b": {"args": [], "tags": 5, "contexts": "x"}}}')
    builds = load()
    assert [build.service for build in builds.by_dockerfile["Dockerfile"]] == ["a", "b"]
    assert [(it.path, it.line, it.reason) for it in builds.problems] == [
        ("docker-bake.json", 1, "broken")
    ] * 3


def test_only_the_dockerfiles_asked_for() -> None:
    put("a/Dockerfile")
    put("b/Dockerfile")
    put("compose.yaml", "services:\n  a: {build: a}\n  b: {build: b}\n")
    absolute = os.path.abspath("b/Dockerfile")
    assert set(load_builds(["."], [absolute]).by_dockerfile) == {absolute}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$A", "1"),
        ("${A}", "1"),
        ("x${A}y$A-", "x1y1-"),
        ("$$A", "$A"),
        ("${A:-d}", "1"),
        ("${E:-d}", "d"),
        ("${E-d}", ""),
        ("${N-d}", "d"),
        ("${N:-${A}}", "1"),
        ("${N:-${M:-x}}", "x"),
        ("${A:+y}", "y"),
        ("${A:?no}", "1"),
        ("100$", "100$"),
        ("$1", "$1"),
        ("", ""),
    ],
)
def test_interpolate(text: str, expected: str) -> None:
    assert interpolate(text, {"A": "1", "E": ""}) == expected


@pytest.mark.parametrize("text", ["$N", "${N}", "${N:?no}", "${", "${N", "${1}", "${N:+y}", "${}"])
def test_interpolate_unknown(text: str) -> None:
    with pytest.raises(UnknownValueError):
        interpolate(text, {})


@given(st.text(alphabet="${}A:-+?b", max_size=20))
def test_interpolate_never_fails_otherwise(text: str) -> None:
    with suppress(UnknownValueError):
        interpolate(text, {"A": "1"})


def test_env_files() -> None:
    text = (
        "A=1\n# B=2\nexport C = x # note\nD='a # $A'\nE=\"b$A\"\nF=$A$A\nG=\n"
        "H=$NONE\nA=3\nbad line\n"
    )
    assert read_env(text) == {
        "A": "3",
        "C": "x",
        "D": "a # $A",
        "E": "b1",
        "F": "11",
        "G": "",
    }


def test_remote_contexts() -> None:
    for remote in ("https://a/b.git", "git@host:a", "ssh://a", "github.com/a/b", "target:x", "-"):
        assert is_remote(remote)
    for local in (".", "..", "./a", "/a", "a:b", "-x", "target"):
        assert not is_remote(local)
