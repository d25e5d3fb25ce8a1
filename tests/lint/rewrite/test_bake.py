"""The bake file of a refactored set, as python-hcl2 reads it."""

from __future__ import annotations

from pathlib import Path

import hcl2
import pytest

from dockstrata.meaning.repository import read_repository
from dockstrata.rewrite.refactor import Options, refactor

COMPOSE = """\
services:
  first:
    image: acme/first
    build: {context: a, target: one}
  also-first:
    image: acme/also
    build: {context: a, target: one}
  second:
    image: acme/second
    build: {context: a, target: two}
"""


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def dockerfiles(**texts: str) -> None:
    """Write each into the folder of its name."""
    for name, text in texts.items():
        Path(name).mkdir()
        Path(name, "Dockerfile").write_text(text)


def targets(text: str) -> dict[str, dict[str, object]]:
    """Targets by name, all quotes gone."""
    read = hcl2.loads(text)

    def plain(value: object) -> object:
        if isinstance(value, str):
            return value.strip('"')
        if isinstance(value, list):
            return [plain(item) for item in value]
        if isinstance(value, dict):
            return {str(plain(key)): plain(item) for key, item in value.items()}
        return value

    return {
        name.strip('"'): plain(body)  # type: ignore[misc]
        for block in read["target"]
        for name, body in block.items()
    }


def test_named_contexts_that_are_targets_come_along() -> None:
    """Without them bake would pull what it cannot find."""
    Path("docker-bake.hcl").write_text(
        'target "jre" {\n  context = "jre"\n  contexts = { os = "target:os" }\n}\n'
        'target "os" {\n  context = "os"\n}\n'
        + "".join(
            f'target "{name}" {{\n  context = "{name}"\n  contexts = {{ jre = "target:jre" }}\n}}\n'
            for name in "ab"
        )
    )
    dockerfiles(
        os="FROM debian:12\nRUN os\n",
        jre="FROM os\nRUN jre\n",
        a="FROM debian:11 AS deps\nRUN deps\nFROM jre\nRUN a\n",
        b="FROM debian:11 AS deps\nRUN deps\nFROM jre\nRUN b\n",
    )
    done = refactor(read_repository(["."]), Options())
    found = targets(done.new["bases/docker-bake.hcl"])
    (base,) = done.plan.bases
    assert found["a"]["contexts"] == {base.ref: f"target:{base.name}", "jre": "target:jre"}
    assert found["jre"]["contexts"] == {"os": "target:os"}
    assert "os" in found


def test_a_latest_base_is_a_context_of_the_name_that_buildkit_asks_for() -> None:
    dockerfiles(**{name: f"FROM debian:latest\nRUN shared\nRUN {name}\n" for name in "ab"})
    done = refactor(read_repository(["."]), Options())
    (base,) = done.plan.bases
    assert base.ref.endswith(":latest")
    found = targets(done.new["bases/docker-bake.hcl"])
    assert found["a"]["contexts"] == {base.ref.removesuffix(":latest"): f"target:{base.name}"}


def test_one_image_with_two_names_is_one_target() -> None:
    Path("docker-bake.json").write_text(
        '{"target": {"base": {"context": "base", "tags": ["acme/base:1", "acme/base:latest"]}}}'
    )
    dockerfiles(
        base="FROM debian:12\nRUN base\n",
        a="FROM acme/base:1\nRUN shared\nRUN a\n",
        b="FROM acme/base:1\nRUN shared\nRUN b\n",
        c="FROM acme/base\nRUN shared\nRUN c\n",
    )
    found = targets(refactor(read_repository(["."]), Options()).new["bases/docker-bake.hcl"])
    drawn = {value for body in found.values() for value in body.get("contexts", {}).values()}  # type: ignore[attr-defined]
    assert {value.removeprefix("target:") for value in drawn} <= found.keys()
    (base,) = [body for body in found.values() if body["context"] == "base"]
    assert set(base["tags"]) <= {"acme/base:1", "acme/base", "acme/base:latest"}  # type: ignore[call-overload]


def test_an_image_that_an_argument_names_is_built_first() -> None:
    Path("compose.yaml").write_text(
        "services:\n  base: {image: acme/base:3, build: base}\n"
        "  a: {build: {context: a, args: {V: 3}}}\n  b: {build: {context: b, args: {V: 4}}}\n"
    )
    dockerfiles(
        base="FROM debian:12\nRUN common\nRUN base\n",
        other="FROM debian:12\nRUN common\nRUN other\n",
        a="ARG NS=acme\nARG V\nFROM ${NS}/base:$V\nRUN a\n",
        b="ARG NS=acme\nARG V\nFROM ${NS}/base:$V\nRUN b\n",
    )
    found = targets(refactor(read_repository(["."]), Options()).new["bases/docker-bake.hcl"])
    assert found["a"]["contexts"] == {"acme/base:3": "target:base"}
    assert "contexts" not in found["b"]  # nothing here builds version 4
    assert found["base"]["contexts"] == {"localhost/debian-common:12": "target:debian-common"}


def test_each_target_that_is_asked_for_is_built() -> None:
    Path("compose.yaml").write_text(COMPOSE)
    stage = "FROM debian:12 AS {0}\nRUN common\nRUN {0} {1}\n"
    dockerfiles(**{name: "".join(stage.format(it, name) for it in ("one", "two")) for name in "ab"})
    done = refactor(read_repository(["."]), Options())
    built = {
        (body["target"], tuple(body["tags"]))  # type: ignore[arg-type]
        for body in targets(done.new["bases/docker-bake.hcl"]).values()
        if body["context"] == "a"
    }
    assert built == {("one", ("acme/first", "acme/also")), ("two", ("acme/second",))}


def test_images_on_no_base_are_in_a_group_of_all() -> None:
    same = "FROM debian:12\nRUN same\n"
    dockerfiles(
        a=same + "RUN a\n", b=same + "RUN b\n", c="FROM x\n", d="FROM y\nCOPY --from=z / /\n"
    )
    Path("broken").mkdir()
    Path("broken", "Dockerfile").write_text("RUN no stage\n")
    Path("compose.yaml").write_text(
        "services:\n  c: {build: c}\n"
        "  d: {build: {context: d, additional_contexts: {z: 'service:c'}}}\n"
    )
    text = refactor(read_repository(["."]), Options()).new["bases/docker-bake.hcl"]
    groups = {
        name.strip('"'): [item.strip('"') for item in body["targets"]]
        for block in hcl2.loads(text)["group"]
        for name, body in block.items()
    }
    assert groups["default"] == ["a", "b"]
    assert groups["all"] == [*groups["bases"], "a", "b", "c", "d"]
    assert targets(text)["d"]["contexts"] == {"z": "target:c"}


def test_what_a_session_exports_is_forwarded_by_another_name() -> None:
    """bake would hand on the user's own USER."""
    same = "FROM debian:12\nARG USER=app VERSION=1\nRUN same\n"
    dockerfiles(a=same + "RUN a\n", b=same + "RUN b\n")
    text = refactor(read_repository(["."]), Options()).new["bases/docker-bake.hcl"]
    variables = {name.strip('"') for block in hcl2.loads(text)["variable"] for name in block}
    assert variables == {"ARG_USER", "VERSION"}
    assert targets(text)["a"]["args"] == {"USER": "ARG_USER", "VERSION": "VERSION"}
