"""``dockstrata impact``: what must be rebuilt since a commit, why, and in which order."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from dockstrata.build.impact import Impact, impact_of, impact_since
from dockstrata.cli.main import main

FILES = {
    "bases/java/Dockerfile": "# dockstrata base localhost/java:17\n"
    "FROM debian:12\nRUN apt-get install java\n",
    "first/Dockerfile": "FROM localhost/java:17\nRUN first\n",
    "second/Dockerfile": "FROM golang:1 AS build\nCOPY src /src\nRUN go build\n"
    "FROM alpine AS unused\nRUN unused\n"
    "FROM localhost/java:17\nCOPY --from=build /x /x\nLABEL a=b\n",
    "second/src/a.go": "1",
    "second/src/b.go": "2",
    "second/notes.txt": "",
    "alone/Dockerfile": "FROM debian:12.5\nRUN b\nCOPY --from=first /x /y\n",
    "web/Dockerfile": "ARG V=1\nFROM node:$V\nARG X\nRUN echo $X\n",
    "whole/Dockerfile": "FROM scratch\nCOPY . .\n",
    "compose.yaml": "services:\n  first:\n    build: first\n    image: first\n"
    '  web:\n    build: {context: web, args: {X: "1"}}\n',
    "dockstrata.toml": '[[build]]\ndockerfile = "whole/Dockerfile"\ncontext = "second"\n',
    ".gitignore": "*.o\n/out/\n",
    ".gitattributes": "first export-ignore\n",
}


def git(*arguments: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    write(FILES)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "all")
    return tmp_path


def write(files: dict[str, str]) -> None:
    for path, text in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)


def edit(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new))


def told(impact: Impact) -> dict[str, tuple[int, list[str]]]:
    return {
        rebuild.job.name: (rebuild.level, [reason.message for reason in rebuild.reasons])
        for rebuild in impact.rebuilds
    }


def since(*paths: str) -> dict[str, tuple[int, list[str]]]:
    return told(impact_since(paths or (".",), "HEAD"))


def test_nothing_changed() -> None:
    assert since() == {}


def test_what_changes_no_image_is_no_change() -> None:
    edit("bases/java/Dockerfile", "RUN apt", "# Java.\nrun apt")
    edit("second/Dockerfile", "RUN unused", "RUN other")
    edit("second/Dockerfile", "COPY src /src", "COPY ./src   /src")
    edit("second/Dockerfile", "AS build", "AS compile")
    edit("second/Dockerfile", "--from=build", "--from=compile")
    write({"second/notes.txt": "new", "second/src.txt": "", "docs.md": ""})
    assert since() == {}


def test_a_base_and_all_on_it_in_order() -> None:
    edit("bases/java/Dockerfile", "install java", "install -y java")
    assert since() == {
        "java": (1, ["RUN at line 3 changed"]),
        "first": (2, ["parent java is rebuilt (FROM at line 1)"]),
        "second": (2, ["parent java is rebuilt (FROM at line 6)"]),
        "alone": (3, ["image first is rebuilt (COPY at line 3)"]),
    }


def test_files_are_named() -> None:
    write({"second/src/a.go": "3", "second/src/new.go": "4"})
    why = "second/src/a.go, second/src/new.go changed, taken by COPY at line 2"
    assert since() == {"second": (1, [why])}


def test_files_that_the_ignore_file_leaves_out_are_neither_counted_nor_named() -> None:
    write({"second/.dockerignore": "src/b.go\n"})
    git("add", "-A")
    git("commit", "-qm", "ignore")
    write({"second/src/b.go": "3"})
    assert since() == {}
    write({"second/src/a.go": "3"})
    assert since() == {"second": (1, ["second/src/a.go changed, taken by COPY at line 2"])}


def test_files_that_git_ignores_do_not_count() -> None:
    write({"second/src/a.o": "", "second/src/deep/a.o": "", "out/x": ""})
    assert since() == {}


@pytest.mark.parametrize(
    ("path", "old", "new", "why"),
    [
        ("alone/Dockerfile", "debian:12.5", "debian:13", "FROM at line 1: debian:12.5 → debian:13"),
        ("alone/Dockerfile", "RUN b", "RUN b\nENV A=b", "ENV at line 3 is new"),
        ("alone/Dockerfile", "RUN b\n", "", "RUN at line 2 before is gone"),
        ("web/Dockerfile", "V=1", "V=2", "ARG at line 1 changed"),
        ("compose.yaml", '"1"', '"2"', "build argument X changed (compose.yaml:6)"),
        ("web/Dockerfile", "RUN", "FOO", "line 4: unknown instruction: FOO"),
        ("second/Dockerfile", "a=b", "a=c", "LABEL at line 8 changed"),
        ("second/Dockerfile", "AS build", "AS build\nUSER 7", "USER at line 2 is new"),
    ],
)
def test_reasons(path: str, old: str, new: str, why: str) -> None:
    edit(path, old, new)
    ((_, reasons),) = since().values()
    assert len(reasons) == 1
    assert reasons[0].startswith(why)


def test_a_submodule_counts_where_its_commit_is_another(tmp_path_factory: pytest.TempPathFactory,
                                                        tree: Path) -> None:  # fmt: skip
    other = tmp_path_factory.mktemp("other")
    os.chdir(other)
    write({"x": "1", "Dockerfile": "FROM debian:12\n"})
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        git(*command)
    os.chdir(tree)
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "second/src/sub")
    git("commit", "-qam", "submodule")
    assert since() == {}
    os.chdir("second/src/sub")
    git("commit", "-qm", "two", "--allow-empty")
    os.chdir(tree)
    assert since() == {"second": (1, ["second/src/sub changed, taken by COPY at line 2"])}


def test_new_and_removed() -> None:
    git("mv", "alone", "other")
    impact = impact_since(["."], "HEAD")
    assert told(impact) == {"other": (1, ["is new"])}
    assert impact.removed == ("alone/Dockerfile",)


def test_paths_limit_what_is_told_and_parents_count_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edit("bases/java/Dockerfile", "install java", "install -y java")
    wanted = {"first": (1, ["parent java is rebuilt (FROM at line 1)"])}
    assert since("first") == wanted
    monkeypatch.chdir("first")
    assert since(".") == wanted


def test_a_commit_without_dockerfiles(tree: Path) -> None:
    git("checkout", "-q", "--orphan", "empty")
    git("rm", "-rq", "--cached", ".")
    git("commit", "-qm", "nothing", "--allow-empty")
    assert {level for level, _ in since().values()} == {1, 2, 3}


def test_the_work_tree_and_its_index_stay_as_they_are(tree: Path) -> None:
    edit("alone/Dockerfile", "RUN b", "RUN c")
    git("add", "alone")
    before = (tree / ".git" / "index").read_bytes()
    since()
    assert (tree / ".git" / "index").read_bytes() == before


@pytest.mark.parametrize(
    ("image", "names"),
    [
        ("debian", ["java", "alone", "second", "first"]),
        ("docker.io/library/debian:12", ["java", "second", "first", "alone"]),
        ("debian:12.5", ["alone"]),
        ("node:1", ["web"]),
        ("alpine", []),
        ("localhost/java:17", ["java", "second", "first", "alone"]),
        ("first", ["first", "alone"]),
        ("golang:1", ["second"]),
    ],
)
def test_of_an_image(image: str, names: list[str]) -> None:
    impact = impact_of(["."], [image])
    assert sorted(told(impact)) == sorted(names)
    assert impact.unknown == ()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["impact", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    edit("first/Dockerfile", "RUN first", "RUN second")
    assert run(capsys, "--since", "HEAD") == (
        0,
        "2 of 6 images must be rebuilt since HEAD, in 2 levels, one after the other:\n"
        "\nLevel 1:\n"
        "  first  (first/Dockerfile)\n    RUN at line 2 changed\n"
        "\nLevel 2:\n"
        "  alone  (alone/Dockerfile)\n    image first is rebuilt (COPY at line 3)\n",
        "",
    )


def test_a_matrix_is_one_line_and_has_the_levels(capsys: pytest.CaptureFixture[str]) -> None:
    edit("bases/java/Dockerfile", "install java", "install -y java")
    code, out, err = run(capsys, "--since", "HEAD", "--format", "github-matrix")
    assert (code, out.count("\n"), err) == (0, 1, "")
    include = json.loads(out)["include"]
    assert [(entry["name"], entry["level"]) for entry in include][-1] == ("alone", 3)
    assert include[0] == {
        "name": "java",
        "dockerfile": "bases/java/Dockerfile",
        "context": "bases/java",
        "target": "",
        "tag": "localhost/java:17",
        "level": 1,
    }
    _, out, _ = run(capsys, "--since", "HEAD", "--format", "github-matrix", "--level", "2")
    assert {entry["name"] for entry in json.loads(out)["include"]} == {"first", "second"}


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    edit("web/Dockerfile", "echo", "printf")
    code, out, _ = run(capsys, "--since", "HEAD", "--format", "json")
    found = json.loads(out)
    assert code == 0
    assert found["totals"] == {"images": 6, "rebuild": 1, "levels": 1, "removed": 0}
    assert found["levels"] == [["web"]]
    reason = {"kind": "instruction", "message": "RUN at line 4 changed", "line": 4}
    assert found["images"][0]["reasons"] == [reason]


def test_the_configurations_builds_count(capsys: pytest.CaptureFixture[str]) -> None:
    edit("second/notes.txt", "", "new")
    _, out, _ = run(capsys, "--since", "HEAD")
    assert "second/notes.txt changed, taken by COPY at line 2" in out
    edit("dockstrata.toml", 'context = "second"', 'context = "web"')
    _, out, _ = run(capsys, "--since", "HEAD")
    assert "build context second → web (dockstrata.toml:" in out


def test_an_image_that_nothing_names_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--image", "golan:1")
    assert code == 0
    assert out == "None of 6 images must be rebuilt when golan:1 changes.\n"
    assert err == "note: no Dockerfile here names or builds 'golan:1'; did you mean golang:1?\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--since", "HEAD", "--image", "x"),
        ("--since", "nope"),
        ("--since", "HEAD", "nope"),
        ("--since", "HEAD", "--level", "1"),
        ("--image", "x", "nope"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert err


def test_outside_of_git(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch,
                        capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path_factory.mktemp("plain"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", os.getcwd())
    write({"Dockerfile": "FROM debian:12\n"})
    code, _, err = run(capsys, "--since", "HEAD")
    assert code == 2
    assert "not a git repository" in err
