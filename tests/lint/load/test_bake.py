"""Bake definitions as buildx reads them: what inherits, forks, overrides and refers to what."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.load.builds import Build, load_builds
from dockstrata.load.discover import discover


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("", "app/", "db/"):
        put(f"{name}Dockerfile", "FROM scratch\n")
    return tmp_path


def put(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def load(text: str | None = None, name: str = "docker-bake.hcl") -> dict[str, Build]:
    if text is not None:
        put(name, text)
    found = discover(["."])
    builds = load_builds(["."], found.files, wiring=found.wiring)
    assert builds.problems == ()
    every = [build for all_ in builds.by_dockerfile.values() for build in all_]
    return {build.service: build for build in every}


def args(build: Build) -> dict[str, str | None]:
    return dict(build.args)


def test_null_says_nothing() -> None:
    found = load("""
variable "NONE" { default = null }
target "_common" { args = { A = "1", B = NONE, C = null } }
target "app" {
  inherits = ["_common"]
  args = { A = null, D = NONE != null ? NONE : "d" }
  target = NONE
  contexts = NONE != null ? { x = "target:y" } : null
  tags = null
  platforms = null
}
""")
    assert list(found) == ["app"]
    app = found["app"]
    assert (args(app), app.target, app.contexts) == ({"A": "1", "D": "d"}, None, ())


def test_lists_of_tags_and_platforms_are_replaced_secrets_and_contexts_merged() -> None:
    found = load("""
target "one" {
  tags = ["a:1"]
  platforms = ["linux/amd64"]
  secret = ["id=a"]
  ssh = ["default"]
  contexts = { x = "./app", y = "./app" }
}
target "two" {
  inherits = ["one"]
  tags = []
  platforms = ["linux/arm64", "linux/arm64"]
  secret = ["id=b", "id=a"]
  contexts = { y = "./db", x = "" }
}
""")
    two = found["two"]
    assert (two.tags, two.platforms) == ((), ("linux/arm64",))
    assert [secret.id for secret in two.secrets] == ["a", "b"]
    assert two.ssh == ("default",)
    assert two.contexts == (("y", "db"),)


def test_the_last_of_the_inherited_wins_and_grandparents_count() -> None:
    found = load("""
target "a" { args = { X = "a", A = "a" } }
target "b" {
  inherits = ["a"]
  args = { X = "b" }
}
target "c" { args = { X = "c" } }
target "d" { inherits = ["b", "c"] }
target "e" { inherits = ["c", "b"] }
""")
    assert args(found["d"]) == {"X": "c", "A": "a"}
    assert args(found["e"]) == {"X": "b", "A": "a"}


def test_a_matrix_forks() -> None:
    found = load("""
target "base" {
  name = "base-${replace(os, ".", "-")}"
  matrix = { os = ["3.20", "edge"] }
  context = "db"
  args = { OS = os }
}
target "app" {
  name = "app-${item.tgt}-${sanitize(os)}"
  matrix = {
    item = [{ tgt = "web", debug = false }, { tgt = "job", debug = true }]
    os = ["3.20", "edge"]
  }
  inherits = ["base-${replace(os, ".", "-")}"]
  context = "app"
  target = item.tgt
  contexts = { base = "target:base-${replace(os, ".", "-")}" }
  args = item.debug ? { DEBUG = 1 } : {}
  tags = [for t in [os, "${os}-x"] : "acme/${item.tgt}:${t}" if t != "edge"]
}
target "extra" {
  inherits = ["app-job-edge"]
  args = { EXTRA = true }
}
""")
    assert set(found) == {
        "base-3-20",
        "base-edge",
        "app-web-3_20",
        "app-web-edge",
        "app-job-3_20",
        "app-job-edge",
        "extra",
    }
    web, job = found["app-web-3_20"], found["app-job-edge"]
    assert (args(web), web.target, web.tags) == (
        {"OS": "3.20"},
        "web",
        ("acme/web:3.20", "acme/web:3.20-x"),
    )
    assert (args(job), job.contexts) == (
        {"OS": "edge", "DEBUG": "1"},
        (("base", "target:base-edge"),),
    )
    assert args(found["extra"]) == {"OS": "edge", "DEBUG": "1", "EXTRA": "true"}


def test_overrides_beside_the_file() -> None:
    put("docker-bake.json", '{"target": {"app": {"context": "db", "args": {"A": "${V}"}}}}')
    put("docker-bake.override.hcl", 'variable "V" { default = "late" }')
    found = load("""
variable "V" { default = "early" }
target "app" { tags = ["x:${V}"] }
target "app" { target = "again" }
""")
    app = found["app"]
    assert (app.context, app.tags, app.target, args(app)) == (
        "db",
        ("x:late",),
        "again",
        {"A": "late"},
    )


def test_targets_lie_over_the_services_of_the_compose_file() -> None:
    put(
        "compose.yaml",
        "services:\n  app:\n    image: acme/app:1\n    build:\n      context: app\n"
        "      args: {A: one, B: two}\n      additional_contexts: {db: 'service:db', src: ./db}\n"
        "  db: {build: db}\n",
    )
    put("docker-bake.hcl", 'target "app" { args = { A = "bake" } }\n')
    put("docker-bake.json", '{"target": {"late": {"inherits": ["app"], "tags": ["acme/late"]}}}')
    found = discover(["."])
    builds = load_builds(["."], found.files, wiring=found.wiring)
    by_origin = {
        (build.origin, build.service): build
        for all_ in builds.by_dockerfile.values()
        for build in all_
    }
    assert set(by_origin) == {
        ("compose.yaml", "app"),
        ("compose.yaml", "db"),
        ("docker-bake.hcl", "app"),
        ("docker-bake.json", "late"),
    }
    app = by_origin["docker-bake.hcl", "app"]
    assert (app.context, app.tags, args(app)) == ("app", ("acme/app:1",), {"A": "bake", "B": "two"})
    assert app.contexts == (("db", "service:db"), ("src", "db"))
    late = by_origin["docker-bake.json", "late"]
    assert (late.context, late.tags, args(late)) == ("app", ("acme/late",), args(app))


def test_another_file_that_inherits_is_read_over_the_usual_ones() -> None:
    put("docker-bake.hcl", 'target "app" {\n  context = "app"\n  args = { A = 1 }\n}\n')
    put("docker-bake.ci.hcl", 'target "app-ci" {\n  inherits = ["app"]\n  tags = ["ci"]\n}\n')
    put("docker-bake.alone.hcl", 'target "app" { context = "db" }\n')
    found = discover(["."])
    builds = load_builds(["."], found.files, wiring=found.wiring)
    assert [
        (build.origin, build.service, build.args)
        for build in builds.by_dockerfile["app/Dockerfile"]
    ] == [
        ("docker-bake.hcl", "app", (("A", "1"),)),
        ("docker-bake.ci.hcl", "app-ci", (("A", "1"),)),
    ]
    assert [build.origin for build in builds.by_dockerfile["db/Dockerfile"]] == [
        "docker-bake.alone.hcl"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A pattern for others is no image of its own.
        ('target "_p" { context = "app" }\ntarget "a" { inherits = ["_p"] }', {"a"}),
        ('target "p" { args = {} }\ntarget "a" { inherits = ["p"] }', {"a"}),
        ('target "p" { tags = ["x"] }\ntarget "a" { inherits = ["p"] }', {"a"}),
        ('target "p" { context = "app" }\ntarget "a" { inherits = ["p"] }', {"a"}),
        # These are.
        (
            'target "p" { context = "app" }\ntarget "a" {\n  inherits = ["p"]\n  context = "db"\n}',
            {"p", "a"},
        ),
        ('target "p" { target = "x" }\ntarget "a" { inherits = ["p"] }', {"p", "a"}),
        (
            'target "p" {\n  tags = ["x"]\n  args = {}\n}\ntarget "a" { inherits = ["p"] }',
            {"p", "a"},
        ),
        (
            'group "g" { targets = ["_p"] }\ntarget "_p" {}\ntarget "a" { inherits = ["_p"] }',
            {"_p", "a"},
        ),
        (
            'target "_p" { context = "app" }\ntarget "a" {\n  inherits = ["_p"]\n'
            '  context = "db"\n  contexts = { p = "target:_p" }\n}',
            {"_p", "a"},
        ),
        # Checks build nothing; no Dockerfile, no build.
        ('target "a" { call = "check" }\ntarget "b" { call = "build" }', {"b"}),
        ('target "a" { context = "https://example.com/a.git" }', set()),
        ('target "a" { dockerfile = "none.Dockerfile" }', set()),
    ],
)
def test_what_is_built(text: str, expected: set[str]) -> None:
    assert set(load(text)) == expected


def test_the_builder_s_own_platform_is_none_in_particular() -> None:
    assert load('target "a" { platforms = ["local"] }')["a"].platforms == ()


def test_a_group_may_hold_the_target_of_its_own_name() -> None:
    found = load('group "app" { targets = ["app"] }\ntarget "app" { context = "app" }\n')
    assert found["app"].context == "app"


@pytest.mark.parametrize(
    "text",
    [
        'group "g" { targets = ["g"] }\n',
        'group "g" { targets = ["h"] }\ngroup "h" { targets = ["g"] }\n',
    ],
)
def test_groups_that_lead_to_themselves_are_told(text: str) -> None:
    put("docker-bake.hcl", text + 'target "app" { context = "app" }\n')
    found = discover(["."])
    problems = load_builds(["."], found.files, wiring=found.wiring).problems
    assert any("leads to itself" in problem.message for problem in problems)


def test_a_prefix_makes_a_bake_file_of_its_own() -> None:
    found = load('{"target": {"x": {"context": "db", "tags": ["db:1"]}}}', "v1.docker-bake.json")
    assert found["x"].tags == ("db:1",)


def test_places_of_contexts() -> None:
    found = load("""
target "a" {
  context = BAKE_CMD_CONTEXT
  contexts = { x = "cwd://db", y = "app/../db" }
}
target "b" {
  context = "cwd://app"
  dockerfile = "../db/Dockerfile"
}
target "c" {
  context = "app"
  dockerfile = "cwd://db/Dockerfile"
}
""")
    assert found["a"].context == "."
    assert dict(found["a"].contexts) == {"x": "db", "y": "db"}
    assert (found["b"].context, found["b"].dockerfile) == ("app", "db/Dockerfile")
    assert (found["c"].context, found["c"].dockerfile) == ("app", "db/Dockerfile")


def test_functions_in_json() -> None:
    found = load(
        r"""{
  "variable": {"V": {"default": "1"}},
  "function": {"t": {"params": ["n"], "result": "acme/${n}:${V}"}},
  "target": {"a": {"tags": ["${t(\"x\")}"], "args": {"B": true, "N": 2, "Z": null, "W": "a\\nb"}}}
}""",
        "docker-bake.json",
    )
    assert found["a"].tags == ("acme/x:1",)
    assert args(found["a"]) == {"B": "true", "N": "2", "W": r"a\nb"}


def test_what_is_not_known_leaves_the_rest() -> None:
    found = load("""
variable "SHA" {}
variable "PREFIX" {}
function "tags" {
  params = [n]
  result = ["${PREFIX}${n}:1", "${n}:${timestamp()}", SHA == "" ? "" : "${n}:${SHA}", "${n}:${SHA}"]
}
target "a" {
  tags = distinct(flatten([tags("acme/a"), [tags("acme/b")]]))
  args = { P = PREFIX, Q = "q" }
  platforms = ["linux/amd64", SHA != "" ? "linux/arm64" : ""]
}
""")
    assert found["a"].tags == ("acme/a:1", "acme/b:1")
    assert args(found["a"]) == {"P": None, "Q": "q"}
    assert found["a"].platforms == ("linux/amd64",)


def test_a_name_that_is_not_known() -> None:
    put(
        "docker-bake.hcl",
        'target "a" {\n  name = "a-${x}-${timestamp()}"\n  matrix = { x = ["1"] }\n}\n',
    )
    found = discover(["."])
    (problem,) = load_builds(["."], found.files, wiring=found.wiring).problems
    assert (problem.line, problem.reason) == (1, "unknown-value")
    assert "target 'a'" in problem.message
