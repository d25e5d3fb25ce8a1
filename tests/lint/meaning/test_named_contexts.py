"""Builds with named contexts, and COPY flags that decide what is taken, read from real files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dockstrata.meaning.evaluate import Stage
from dockstrata.meaning.outside import as_built, context_name
from dockstrata.meaning.repository import read_repository
from dockstrata.rewrite.verify import verify_against


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def stages(folder: Path) -> dict[str, Stage]:
    return {image.id: image.stage for image in read_repository([str(folder)]).set.images}


def last(folder: Path, *paths: str) -> list[Stage]:
    found = read_repository([str(folder)]).set.images
    return [
        [image for image in found if image.path == str(folder / path)][-1].stage for path in paths
    ]


COMPOSE = """\
services:
  one:
    build: {context: one, additional_contexts: {%s}}
  two:
    build: {context: two, additional_contexts: {%s}}
"""


@pytest.mark.parametrize("flag", ["", "--parents "])
def test_parents_takes_files_of_every_depth(tmp_path: Path, flag: str) -> None:
    text = f"FROM alpine:3\nCOPY {flag}**/package.json /app/\n"
    for name in ("one", "two"):
        write(tmp_path, {f"{name}/Dockerfile": text, f"{name}/x/y/package.json": name})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    # Without the flag "**" is one folder, and the file is too deep.
    assert (one.chain == two.chain) is (flag == "")


def test_parents_and_not_are_different_steps(tmp_path: Path) -> None:
    write(tmp_path, {"one/a/f": "", "two/a/f": ""})
    write(tmp_path, {"one/Dockerfile": "FROM alpine:3\nCOPY a/f /\n"})
    write(tmp_path, {"two/Dockerfile": "FROM alpine:3\nCOPY --parents a/f /\n"})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert one.chain != two.chain


@pytest.mark.parametrize(
    "step", ["COPY --from=lib . /lib", "RUN --mount=type=bind,from=lib,target=/lib make"]
)
@pytest.mark.parametrize("same", [True, False])
def test_a_named_folder_is_what_is_in_it(tmp_path: Path, step: str, same: bool) -> None:
    text = f"FROM alpine:3\n{step}\n"
    write(tmp_path, {"one/Dockerfile": text, "two/Dockerfile": text})
    write(tmp_path, {"a/f": "1", "b/f": "1" if same else "2"})
    write(tmp_path, {"compose.yaml": COMPOSE % ("lib: ./a", "lib: ./b")})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert (one.chain == two.chain) is same
    assert [step.barrier.reason for step in one.steps if step.barrier] == ["named-context"]


def test_a_named_folder_has_its_own_ignore_file_alone(tmp_path: Path) -> None:
    text = "FROM alpine:3\nCOPY --from=lib . /lib\n"
    write(tmp_path, {"one/Dockerfile": text, "two/Dockerfile": text})
    write(tmp_path, {"one/Dockerfile.dockerignore": "f\n", "two/.dockerignore": "f\n"})
    write(tmp_path, {"a/f": "1", "a/g": "1", "b/f": "2", "b/g": "1"})
    write(tmp_path, {"a/.dockerignore": "f\n.dockerignore", "b/.dockerignore": "f\n.dockerignore"})
    write(tmp_path, {"compose.yaml": COMPOSE % ("lib: ./a", "lib: ./b")})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert one.chain == two.chain
    write(tmp_path, {"a/.dockerignore": "", "b/.dockerignore": ""})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert one.chain != two.chain


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("base", "base"),
        ("base", "base:latest"),
        ("base", "docker.io/library/base"),
        ("localhost/base", "localhost/base:latest"),
        ("acme/base:1", "docker.io/acme/base:1"),
    ],
)
def test_a_context_answers_to_every_spelling_in_from(tmp_path: Path, name: str, asked: str) -> None:
    write(tmp_path, {"one/Dockerfile": "FROM alpine:3\nRUN a\n"})
    write(tmp_path, {"two/Dockerfile": f"FROM {asked}\nRUN b\n"})
    contexts = COMPOSE % ("x: ./one", f"'{name}': 'service:one'")
    write(tmp_path, {"compose.yaml": contexts})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert two.base is not None
    assert two.base.chain == one.chain


@pytest.mark.parametrize(
    "name", ["base:latest", "docker.io/library/base", "docker.io/acme/base:1", "Base"]
)
def test_compose_hands_names_on_as_written_and_nobody_asks_for_a_long_one(
    tmp_path: Path, name: str
) -> None:
    write(tmp_path, {"one/Dockerfile": "FROM alpine:3\nRUN a\n"})
    write(tmp_path, {"two/Dockerfile": f"FROM {name.lower()}\nRUN b\n"})
    contexts = COMPOSE % ("x: ./one", f"'{name}': 'service:one'")
    write(tmp_path, {"compose.yaml": contexts})
    (two,) = last(tmp_path, "two/Dockerfile")
    assert two.base is None


def test_a_context_goes_before_the_image_that_has_its_name(tmp_path: Path) -> None:
    write(tmp_path, {"one/Dockerfile": "FROM alpine:3\nRUN a\n"})
    write(tmp_path, {"two/Dockerfile": "FROM acme/one:1\nRUN b\n"})
    write(
        tmp_path,
        {
            "compose.yaml": "services:\n  one: {build: one, image: acme/one:1}\n  two: {build: "
            "{context: two, additional_contexts: {'acme/one:1': 'docker-image://debian:12'}}}\n"
        },
    )
    (two,) = last(tmp_path, "two/Dockerfile")
    assert (two.base, two.root) == (None, "debian:12")


@pytest.mark.parametrize("other", ["1", "2"])
def test_a_stage_that_a_folder_replaces_is_what_the_folder_holds(
    tmp_path: Path, other: str
) -> None:
    text = "FROM scratch AS site\nFROM alpine:3\nRUN --mount=type=bind,from=site,target=/s b\n"
    write(tmp_path, {"one/Dockerfile": text, "two/Dockerfile": text})
    write(tmp_path, {"compose.yaml": COMPOSE % ("site: ./a", "site: ./b")})
    write(tmp_path, {"a/f": "1", "b/f": other})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert (one.chain == two.chain) is (other == "1")


def test_a_tree_with_a_named_folder_that_is_not_there_is_equal_to_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "FROM scratch AS site\nFROM alpine:3\nCOPY --from=site / /site\n"
    write(tmp_path, {"one/Dockerfile": text, "two/Dockerfile": text})
    write(tmp_path, {"compose.yaml": COMPOSE % ("site: ./public", "site: ./public")})
    monkeypatch.chdir(tmp_path)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        name = ["-c", "user.name=x", "-c", "user.email=x@y"]
        subprocess.run(["git", *name, *command], check=True, capture_output=True)
    verdicts = verify_against(["."], "HEAD")
    assert [(one.id, one.message) for one in verdicts if one.outcome != "equal"] == []


def test_an_image_as_context_may_be_one_of_the_set(tmp_path: Path) -> None:
    write(tmp_path, {"one/Dockerfile": "FROM alpine:3\nRUN a\n"})
    write(tmp_path, {"two/Dockerfile": "FROM base\nRUN b\n"})
    write(
        tmp_path,
        {
            "compose.yaml": "services:\n  one: {build: one, image: acme/one:1}\n  two: {build: "
            "{context: two, additional_contexts: {base: 'docker-image://acme/one:1'}}}\n"
        },
    )
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert two.base is not None
    assert two.base.chain == one.chain


def test_an_argument_may_name_the_context(tmp_path: Path) -> None:
    write(tmp_path, {"one/Dockerfile": "FROM alpine:3\nRUN a\n"})
    text = "ARG NAME=ba\nARG BASE=${NAME}se\nFROM ${BASE}\nRUN b\n"
    write(tmp_path, {"two/Dockerfile": text})
    write(tmp_path, {"compose.yaml": COMPOSE % ("x: ./one", "base: 'service:one'")})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert two.base is not None
    assert two.base.chain == one.chain


def test_a_replaced_stage_says_nothing(tmp_path: Path) -> None:
    text = "FROM alpine:3 AS tools\nRUN {}\nFROM alpine:3\nCOPY --from=tools /x /x\n"
    write(tmp_path, {"one/Dockerfile": text.format("a"), "two/Dockerfile": text.format("b")})
    write(tmp_path, {"compose.yaml": COMPOSE % ("tools: ./lib", "tools: ./lib"), "lib/x": ""})
    found = stages(tmp_path)
    replaced = found[f"{tmp_path}/one/Dockerfile#tools"]
    assert (replaced.steps, replaced.barrier and replaced.barrier.reason) == ([], "named-context")
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert one.chain == two.chain
    write(tmp_path, {"compose.yaml": COMPOSE % ("x: ./lib", "x: ./lib")})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert one.chain != two.chain


def test_names() -> None:
    assert context_name("DOCKER") == "DOCKER"
    assert context_name("localhost/base:12") == "localhost/base:12"
    assert as_built("plain") == "plain"


def test_a_service_is_that_of_its_own_file(tmp_path: Path) -> None:
    compose = "services:\n  base: {build: base}\n  app:\n    build:\n      context: app\n"
    compose += "      additional_contexts: {base: 'service:base'}\n"
    for name in ("one", "two"):
        write(tmp_path, {f"{name}/base/Dockerfile": f"FROM alpine:3\nRUN {name}\n"})
        write(tmp_path, {f"{name}/app/Dockerfile": "FROM base\nRUN a\n"})
        write(tmp_path, {f"{name}/compose.yaml": compose})
    found = read_repository([str(tmp_path)])
    parents = {image.path: image.parent.path for image in found.set.images if image.parent}
    assert parents == {
        f"{tmp_path}/{name}/app/Dockerfile": f"{tmp_path}/{name}/base/Dockerfile"
        for name in ("one", "two")
    }
    again = found.library.with_documents(found.library.documents)
    assert again.products == found.library.products
    assert again.builds == found.library.builds


def test_one_dockerfile_built_by_two_files_on_two_bases(tmp_path: Path) -> None:
    write(tmp_path, {"app/Dockerfile": "FROM base\nRUN a\n"})
    for name in ("one", "two"):
        write(tmp_path, {f"{name}/Dockerfile": f"FROM alpine:3\nRUN {name}\n"})
        target = '\ntarget "app" {\n  context = "app"\n  contexts = { base = "target:base" }\n}\n'
        base = f'target "base" {{\n  context = "{name}"\n}}\n'
        write(tmp_path, {f"docker-bake.{name}.hcl": base + target})
    images = read_repository([str(tmp_path)]).set.of(f"{tmp_path}/app/Dockerfile")
    assert sorted(image.parent.path for image in images if image.parent) == [
        f"{tmp_path}/one/Dockerfile",
        f"{tmp_path}/two/Dockerfile",
    ]


def test_other_texts_lose_no_product(tmp_path: Path) -> None:
    """Builds that differ in target and name alone are one way of building, and several products."""
    write(tmp_path, {"base/Dockerfile": "FROM alpine:3 AS a\nRUN a\nFROM a AS b\nRUN b\n"})
    write(tmp_path, {"app/Dockerfile": "FROM base\nRUN x\n"})
    for name in ("one", "two"):
        compose = "services:\n"
        for target in "ab":
            compose += f"  base-{target}:\n    image: acme/{target}-{name}\n"
            compose += f"    build: {{context: ../base, target: {target}}}\n"
        contexts = "additional_contexts: {base: 'service:base-b'}"
        compose += f"  app: {{build: {{context: ../app, args: {{N: {name}}}, {contexts}}}}}\n"
        write(tmp_path, {f"{name}/compose.yaml": compose})
    library = read_repository([str(tmp_path)]).library
    again = library.with_documents(library.documents).again(True)
    assert again.products == library.products
    assert again.builds == library.builds
    assert {"docker.io/acme/a-one:latest", "docker.io/acme/b-two:latest"} <= set(again.products)
    for number in (0, 1):
        (stage,) = again.evaluation(f"{tmp_path}/app/Dockerfile", number).stages
        assert stage.base is again.evaluation(f"{tmp_path}/base/Dockerfile").stages[1]


@pytest.mark.parametrize("argument", ["$TARGETARCH", "${V}-x", "build-$TARGETARCH", "$V$W"])
def test_a_stage_that_an_argument_chooses(tmp_path: Path, argument: str) -> None:
    text = "ARG V=build\nARG W=-arm64\nFROM alpine:3 AS build-arm64\nRUN {}\n"
    text += "FROM alpine:3 AS build-x\nFROM alpine:3 AS other\nFROM {}\nRUN c\n"
    for name in ("one", "two"):
        write(tmp_path, {f"{name}/Dockerfile": text.format(name, argument)})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    chosen = argument != "${V}-x"  # there the stages that differ cannot be meant
    assert (one.chain != two.chain) is chosen
    assert one.barrier is not None
    assert one.barrier.reason == "stage-by-argument"
    assert "build-x" in one.barrier.message


def test_no_stage_has_the_name_that_an_argument_makes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = f"ARG V=1\nFROM alpine:3 AS build\nRUN {name}\nFROM alpine:$V\nRUN c\n"
        write(tmp_path, {f"{name}/Dockerfile": text})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert (one.chain, one.barrier) == (two.chain, None)


def test_an_argument_whose_default_is_no_stage_is_an_image(tmp_path: Path) -> None:
    for name in ("one", "two"):
        text = f"ARG BASE=debian:12\nFROM alpine:3 AS build\nRUN {name}\nFROM $BASE\nRUN c\n"
        write(tmp_path, {f"{name}/Dockerfile": text})
    one, two = last(tmp_path, "one/Dockerfile", "two/Dockerfile")
    assert (one.chain, one.barrier) == (two.chain, None)


def test_a_bake_file_laid_over_a_compose_file_builds_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"base": "FROM debian:12\nRUN base\n", "a": "FROM base\nRUN a\n"}.items():
        Path(name).mkdir()
        Path(name, "Dockerfile").write_text(text)
    Path("compose.yaml").write_text(
        "services:\n  base: {build: base}\n"
        "  a:\n    build: {context: a, additional_contexts: {base: 'service:base'}}\n"
    )
    Path("docker-bake.hcl").write_text('target "base" {}\ntarget "a" {}\n')
    ids = [image.id for image in read_repository(["."]).set.images]
    assert ids == ["a/Dockerfile#0", "base/Dockerfile#0"]
    Path("docker-bake.hcl").write_text('target "base" { args = { V = "2" } }\ntarget "a" {}\n')
    ids = [image.id for image in read_repository(["."]).set.images]
    assert ids == [f"{name}/Dockerfile#0{at}" for name in ("a", "base") for at in ("", f"@{name}")]
