"""``tree``, ``plan`` and ``apply`` as people call them: exit codes, messages, the JSON contract."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockstrata.cli.main import main
from dockstrata.load.context import forget_contexts

PREFIX = "FROM debian:12\nRUN apt-get install -y curl\nRUN setup\n"
SET = {
    "one/Dockerfile": PREFIX + "# mine\nCMD one\n",
    "two/Dockerfile": PREFIX + "RUN two\nCMD two\n",
    "three/Dockerfile": "FROM alpine\nRUN other\n",
}


class Cli:
    """The command in this process, run from one folder after another."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.patch, self.capsys = patch, capsys

    def __call__(self, *arguments: str, cwd: Path, code: int = 0) -> str:
        """Standard output where the command ends as expected, else standard error too."""
        out, err = self.both(*arguments, cwd=cwd, code=code)
        return out if code == 0 else out + err

    def both(self, *arguments: str, cwd: Path, code: int = 0) -> tuple[str, str]:
        forget_contexts()
        self.patch.chdir(cwd)
        found = main(list(arguments))
        out, err = self.capsys.readouterr()
        assert found == code, out + err
        assert "Traceback" not in err
        assert "internal error" not in err
        return out, err

    def json(self, *arguments: str, cwd: Path) -> Any:
        return json.loads(self(*arguments, "--format", "json", cwd=cwd))


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for path, text in SET.items():
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(text)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {".dockstrata", ".git"} & set(path.relative_to(folder).parts)
    }


# Applying.


def test_apply_check_undo(cli: Cli, project: Path) -> None:
    before = files(project)
    assert "Would move 2 files" in cli("apply", "--check", cwd=project, code=1)
    assert files(project) == before
    out = cli("apply", cwd=project)
    assert "Moved 2 files onto 1 new base, 6 → 4 steps" in out
    after = files(project)
    assert set(after) - set(before) == {
        "bases/debian-curl-setup/Dockerfile",
        "bases/docker-bake.hcl",
    }
    assert after["one/Dockerfile"] == b"FROM localhost/debian-curl-setup:12\n# mine\nCMD one\n"
    assert cli("apply", cwd=project) == "Nothing to change.\n"
    assert cli("apply", "--check", cwd=project) == "Nothing to change.\n"
    assert files(project) == after
    assert "Undone: 4 files as before." in cli("apply", "--undo", cwd=project)
    assert files(project) == before


def test_undo_with_nothing_to_undo(cli: Cli, project: Path) -> None:
    assert "nothing to undo" in cli("apply", "--undo", cwd=project, code=2)
    cli("apply", cwd=project)
    cli("apply", "--undo", cwd=project)
    before = files(project)
    assert "nothing to undo" in cli("apply", "--undo", cwd=project, code=2)
    assert files(project) == before
    assert not (project / ".dockstrata").exists()


def test_undo_only_undoes(cli: Cli, project: Path) -> None:
    cli("apply", cwd=project)
    after = files(project)
    cli("apply", "--undo", "--check", cwd=project, code=2)
    assert files(project) == after


def test_undo_behind_an_edit(cli: Cli, project: Path) -> None:
    cli("apply", cwd=project)
    (project / "two/Dockerfile").write_text("FROM mine\n")
    before = files(project)
    message = cli("apply", "--undo", cwd=project, code=2)
    assert "two/Dockerfile" in message
    assert "changed since" in message
    assert files(project) == before


@pytest.mark.parametrize("taken", ["bases/debian-curl-setup/Dockerfile", "bases/docker-bake.hcl"])
def test_a_users_file_in_the_way(cli: Cli, project: Path, taken: str) -> None:
    (project / taken).parent.mkdir(parents=True)
    (project / taken).write_text("FROM mine\nRUN mine\n" if taken.endswith("file") else "# mine\n")
    before = files(project)
    for options in ([], ["--check"]):
        message = cli("apply", *options, cwd=project, code=2)
        assert taken in message
        assert "--bases" in message
    assert files(project) == before
    cli("apply", "--bases", "other", cwd=project)
    assert (project / "other/docker-bake.hcl").exists()


@pytest.mark.parametrize("bases", ["/abs", "../out", "a/../../out", ""])
def test_bases_must_lie_inside(cli: Cli, project: Path, bases: str) -> None:
    before = files(project)
    assert "--bases" in cli("apply", "--bases", bases, cwd=project, code=2)
    assert files(project) == before
    assert not (project.parent / "out").exists()


@pytest.mark.parametrize("depth", ["0", "1", "127", "x"])
def test_depths_that_cannot_be(cli: Cli, project: Path, depth: str) -> None:
    assert "--max-depth" in cli("plan", "--max-depth", depth, cwd=project, code=2)


def test_depth_two_leaves_everything(cli: Cli, project: Path) -> None:
    assert cli("apply", "--max-depth", "2", cwd=project) == "Nothing to change.\n"
    plan = cli.json("plan", "--max-depth", "2", cwd=project)
    assert plan["bases"] == []
    reasons = {refusal["id"]: refusal["reason"] for refusal in plan["refused"]}
    assert len(reasons) == 2
    assert set(reasons.values()) == {"depth-limit"}


def test_depth_three_has_one_level(cli: Cli, project: Path) -> None:
    (project / "four").mkdir()
    (project / "four/Dockerfile").write_text(SET["two/Dockerfile"].replace("CMD", "RUN four\nCMD"))
    plan = cli.json("plan", "--max-depth", "3", cwd=project)
    assert {base["depth"] for base in plan["bases"]} == {2}
    cli("apply", "--max-depth", "3", cwd=project)
    tree = cli.json("tree", cwd=project)
    assert max(image["depth"] for image in tree["images"]) == 3


def test_paths_of_every_kind(cli: Cli, project: Path) -> None:
    """A folder, several of them, files, and a place elsewhere to call from."""
    ids = {"one/Dockerfile", "two/Dockerfile"}
    for cwd, prefix, paths in (
        (project, "", ["."]),
        (project, "", ["one", "two"]),
        (project, "", ["one/Dockerfile", "two/Dockerfile"]),
        (project.parent, "project/", ["project"]),
        (project / "one", "../", [".."]),
        (project.parent, f"{project}/", [str(project)]),
    ):
        plan = cli.json("plan", *paths, cwd=cwd)
        assert len(plan["bases"]) == 1, paths
        found = {image.rpartition("#")[0] or image for image in plan["bases"][0]["images"]}
        assert {os.path.normpath(cwd / path) for path in found} == {
            str(project / name) for name in ids
        }, paths
        assert plan["bases"][0]["path"].startswith(prefix), paths


def test_apply_from_another_folder_writes_the_same(cli: Cli, project: Path) -> None:
    results = []
    for cwd, path in ((project, "."), (project.parent, "project"), (project, str(project))):
        cli("apply", path, cwd=cwd)
        results.append(files(project))
        cli("apply", path, "--undo", cwd=cwd)
    assert results[0] == results[1] == results[2]


def test_a_single_file_has_nobody_to_share_with(cli: Cli, project: Path) -> None:
    assert cli("apply", "one/Dockerfile", cwd=project) == "Nothing to change.\n"


def test_a_single_file_that_repeats_itself(cli: Cli, project: Path) -> None:
    (project / "one/Dockerfile").write_text(PREFIX.replace("12", "12 AS a") + PREFIX + "RUN x\n")
    cli("apply", "one/Dockerfile", cwd=project)
    text = (project / "one/Dockerfile").read_text()
    assert text.startswith("FROM debian:12 AS debian-curl-setup\n")
    assert not (project / "one/bases").exists()
    assert text.count("RUN setup") == 1


def test_names_of_bases_can_be_set(cli: Cli, project: Path) -> None:
    proposed = cli.json("plan", cwd=project)["bases"][0]["name"]
    settings = project / "dockstrata.toml"
    settings.write_text(f'[plan.names]\n{proposed} = "ground"\n')
    cli("apply", cwd=project)
    base = (project / "bases/ground/Dockerfile").read_text()
    assert base.startswith("# dockstrata base localhost/ground:12\n")
    assert (project / "one/Dockerfile").read_text().startswith("FROM localhost/ground:12\n")
    assert cli("apply", cwd=project) == "Nothing to change.\n"
    settings.write_text(f'[plan.names]\n{proposed} = "Ground"\n')
    told = cli("plan", cwd=project, code=2)
    assert "'plan.names' must be a table of proposed name = name in lower case" in told


def test_registry_and_tag(cli: Cli, project: Path) -> None:
    cli("apply", "--registry", "r.example/team", "--tag", "content", cwd=project)
    first = (project / "one/Dockerfile").read_text().split("\n")[0]
    assert first.startswith("FROM r.example/team/debian-curl-setup:")
    assert len(first.rpartition(":")[2]) == 12
    assert cli("apply", "--registry", "r.example/team", "--tag", "content", cwd=project) == (
        "Nothing to change.\n"
    )


def test_a_new_dockerfile_moves_onto_the_base_that_is_there(cli: Cli, project: Path) -> None:
    cli("apply", cwd=project)
    (project / "late").mkdir()
    (project / "late/Dockerfile").write_text(PREFIX + "CMD late\n")
    base = (project / "bases/debian-curl-setup/Dockerfile").read_bytes()
    assert "Moved 1 file onto 1 existing base" in cli("apply", cwd=project)
    assert (project / "late/Dockerfile").read_text() == (
        "FROM localhost/debian-curl-setup:12\nCMD late\n"
    )
    assert (project / "bases/debian-curl-setup/Dockerfile").read_bytes() == base
    assert "late" in (project / "bases/docker-bake.hcl").read_text()
    assert cli("apply", cwd=project) == "Nothing to change.\n"


def test_a_base_that_one_image_is_left_on_goes(cli: Cli, project: Path) -> None:
    cli("apply", cwd=project)
    (project / "two/Dockerfile").unlink()
    what = "the base that one image is left on"
    assert f"Would dissolve {what}." in cli("apply", "--check", cwd=project, code=1)
    assert f"Dissolved {what}; each image proved equal." in cli("apply", cwd=project)
    assert (project / "one/Dockerfile").read_text().startswith("FROM debian:12\n")
    assert not (project / "bases").exists()


def test_a_base_that_no_image_is_left_on_goes(cli: Cli, project: Path) -> None:
    cli("apply", cwd=project)
    for name in ("one", "two"):
        (project / name / "Dockerfile").write_text(f"FROM alpine:3\nRUN {name}\n")
    assert "nothing is built on localhost/debian-curl-setup:12 any more" in cli("plan", cwd=project)
    assert "Dissolved the base that no image is left on;" in cli("apply", cwd=project)
    assert not (project / "bases").exists()


def test_a_chain_that_is_too_deep_is_merged(cli: Cli, project: Path) -> None:
    names = ("zero", "first", "second")
    for name, root in zip(names, ("debian", "me/zero", "me/first"), strict=True):
        (project / name).mkdir()
        (project / name / "Dockerfile").write_text(f"FROM {root}:1\nRUN {name}\n")
    services = "".join(f"  {n}:\n    image: me/{n}:1\n    build: {n}\n" for n in names)
    (project / "compose.yaml").write_text(f"services:\n{services}")
    out = cli("apply", "--max-depth", "3", cwd=project)
    assert "; merged 1 parent into children, for --max-depth; each image proved equal" in out


# Bad input.


def test_no_dockerfile(cli: Cli, tmp_path: Path) -> None:
    for command in ("plan", "apply", "tree"):
        assert "no Dockerfile found" in cli(command, cwd=tmp_path, code=2)


def test_inline_dockerfiles_are_told(cli: Cli, tmp_path: Path) -> None:
    inline = "services:\n  a:\n    build:\n      dockerfile_inline: FROM debian:12\n"
    (tmp_path / "compose.yaml").write_text(inline)
    said = cli("plan", cwd=tmp_path, code=2)
    assert "no Dockerfile found (1 inside compose or bake files left out)" in said
    (tmp_path / "Dockerfile").write_text("FROM debian:12\n")
    (skipped,) = json.loads(cli("plan", "--format", "json", cwd=tmp_path))["skipped"]
    assert (skipped["path"], skipped["reason"]) == ("compose.yaml", "inline")
    assert skipped["message"].startswith("line 2: the Dockerfile of service 'a' is left out")


def test_no_such_path(cli: Cli, project: Path) -> None:
    for command in ("plan", "apply", "tree"):
        assert "nowhere" in cli(command, "nowhere", cwd=project, code=2)


def test_a_broken_dockerfile_among_good_ones(cli: Cli, project: Path) -> None:
    (project / "bad").mkdir()
    (project / "bad/Dockerfile").write_text("FROM debian:12\nRUN apt-get install -y curl\nNOPE\n")
    (project / "binary").mkdir()
    (project / "binary/Dockerfile").write_bytes(b"\x00\xff\xfe\x01" * 50)
    before = files(project)
    out, err = cli.both("apply", cwd=project)
    assert "bad/Dockerfile:3" in err
    assert "Moved 2 files" in out
    after = files(project)
    for path in ("bad/Dockerfile", "binary/Dockerfile"):
        assert after[path] == before[path]


def test_symbolic_links_are_not_written_through(cli: Cli, project: Path) -> None:
    outside = project.parent / "outside"
    outside.write_text(SET["two/Dockerfile"])
    (project / "two/Dockerfile").unlink()
    (project / "two/Dockerfile").symlink_to(outside)
    cli("apply", cwd=project)
    assert outside.read_text() == SET["two/Dockerfile"]


def test_a_read_only_folder(cli: Cli, project: Path) -> None:
    if os.name != "posix" or os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    before = files(project)
    (project / "two").chmod(0o555)
    try:
        assert "two" in cli("apply", cwd=project, code=2)
    finally:
        (project / "two").chmod(0o755)
    assert files(project) == before


def test_git_ignores_the_bases(cli: Cli, project: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=project, check=True)
    (project / ".gitignore").write_text("bases/\n")
    before = files(project)
    message = cli("apply", cwd=project, code=2)
    assert "bases/" in message
    assert "git" in message
    assert files(project) == before


def test_nothing_of_ours_is_left_for_git(cli: Cli, project: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=project, check=True)
    cli("apply", cwd=project)
    done = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=project, capture_output=True, text=True
    )
    shown = {line[3:] for line in done.stdout.splitlines()}
    assert shown == {*SET, "bases/debian-curl-setup/Dockerfile", "bases/docker-bake.hcl"}


# The JSON contract.

TREE = {
    "version": int,
    "totals": {"dockerfiles": int, "images": int, "steps": int, "steps_distinct": int},
    "images": [
        {
            "id": str,
            "path": str,
            "stage": str,
            "index": int,
            "root": str,
            "depth": int,
            "steps": [{"line": int, "instruction": str, "chain": str}],
            "config": str,
        }
    ],
    "prefixes": [{"chain": str, "steps": int, "images": [str]}],
    "skipped": [{"path": str, "reason": str, "message": str}],
}
PLAN = {
    "version": int,
    "max_depth": int,
    "totals": {
        "dockerfiles": int,
        "images": int,
        "steps": int,
        "steps_after": int,
        "bases": int,
        "images_changed": int,
    },
    "bases": [
        {
            "name": str,
            "kind": str,
            "ref": str,
            "path": str,
            "context": str,
            "from": str,
            "steps": [{"instruction": str, "text": str}],
            "depth": int,
            "images": [str],
            "saves": {"steps": int, "cost": (int, float)},
        }
    ],
    "images": [
        {
            "id": str,
            "path": str,
            "stage": str,
            "base": (str, type(None)),
            "depth_before": int,
            "depth_after": int,
        }
    ],
    "refused": [{"id": str, "reason": str, "message": str}],
    "near_misses": [
        {
            "images": [str],
            "shared_steps_gained": int,
            "edits": [{"path": str, "line": int, "kind": str, "from": str, "to": str}],
        }
    ],
}


def conforms(value: Any, shape: Any, where: str = "$") -> None:
    """Every key of the contract is there, with a value of its type; more keys may be."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        for key, inner in shape.items():
            assert key in value, f"{where}.{key}"
            conforms(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for number, item in enumerate(value):
            conforms(item, shape[0], f"{where}[{number}]")
    else:
        assert isinstance(value, shape), f"{where}: {value!r}"


def test_the_contract_of_tree(cli: Cli, project: Path) -> None:
    (project / "x.md").write_text("no Dockerfile")
    tree = cli.json("tree", cwd=project)
    conforms(tree, TREE)
    assert tree["version"] == 1
    assert tree["totals"] == {"dockerfiles": 3, "images": 3, "steps": 6, "steps_distinct": 4} | {
        key: value for key, value in tree["totals"].items() if key not in TREE["totals"]
    }
    by_path = {image["path"]: image for image in tree["images"]}
    one, two = by_path["one/Dockerfile"]["steps"], by_path["two/Dockerfile"]["steps"]
    assert [step["line"] for step in two] == [2, 3, 4]
    assert one == two[:2]
    (prefix,) = tree["prefixes"]
    assert prefix["chain"] == one[-1]["chain"]
    assert prefix["steps"] == 2
    assert set(prefix["images"]) == {by_path[p]["id"] for p in SET if not p.startswith("three")}


def test_the_contract_of_plan(cli: Cli, project: Path) -> None:
    plan = cli.json("plan", cwd=project)
    conforms(plan, PLAN)
    (base,) = plan["bases"]
    assert base["kind"] == "file"
    assert base["ref"] == "localhost/debian-curl-setup:12"
    assert base["path"] == "bases/debian-curl-setup/Dockerfile"
    assert base["from"] == "debian:12"
    assert [step["text"] for step in base["steps"]] == [
        "RUN apt-get install -y curl",
        "RUN setup",
    ]
    assert base["saves"]["steps"] == 2
    assert plan["totals"]["steps"] == 6
    assert plan["totals"]["steps_after"] == 4
    moved = {image["path"]: image for image in plan["images"]}
    assert moved["one/Dockerfile"]["base"] == "debian-curl-setup"
    assert (moved["one/Dockerfile"]["depth_before"], moved["one/Dockerfile"]["depth_after"]) == (
        2,
        3,
    )
    assert moved["three/Dockerfile"]["base"] is None


def test_the_diff_is_what_apply_does(cli: Cli, project: Path) -> None:
    forget_contexts()
    diff = subprocess.run(
        [sys.executable, "-m", "dockstrata", "plan", "--format", "diff"],
        cwd=project,
        capture_output=True,
        check=True,
    ).stdout
    cli("apply", cwd=project)
    after = files(project)
    cli("apply", "--undo", cwd=project)
    subprocess.run(["git", "apply", "-p1"], cwd=project, input=diff, check=True)
    assert files(project) == after


@pytest.mark.parametrize("command", [("plan",), ("tree",), ("apply",), ("apply", "--check")])
def test_nothing_that_can_be_read_is_no_success(
    cli: Cli, tmp_path: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM\n")
    told = cli(*command, cwd=tmp_path, code=2)
    assert "Dockerfile:1: FROM requires either one or three arguments" in told


def cut_off(root: Path, work: Callable[[], object], call: str, at: int) -> None:
    """Do ``work`` in a child that dies at its ``at``-th ``os.<call>``."""
    child = os.fork()
    if child == 0:
        real, left = getattr(os, call), [at]

        def deadly(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
            return real(*arguments, **options)

        setattr(os, call, deadly)
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_half_written_files_are_told(cli: Cli, project: Path) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    cli.patch.chdir(project)
    cut_off(project, lambda: main(["apply"]), "replace", 3)
    assert len(list(project.rglob(".dockstrata-*"))) > 1
    for command in (["plan"], ["tree"], ["build", "--dry-run"]):
        out, err = cli.both(*command, cwd=project)
        assert "an earlier apply was cut off, and its files are half written; `dockstrata ap" in err
        assert ".dockstrata-" not in out + err.replace("project/.dockstrata", "")
    _, err = cli.both("apply", "--check", cwd=project, code=2)
    assert "Nothing was checked" in err
    assert cli("apply", "--undo", cwd=project) == "Undone: 1 file as before.\n"
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    cli("apply", cwd=project)
    cut_off(project, lambda: main(["apply", "--undo"]), "replace", 2)
    _, err = cli.both("plan", cwd=project)
    assert "an earlier --undo was cut off" in err
    _, err = cli.both("apply", cwd=project)
    assert "note: an earlier --undo was cut off: " in err
    assert "Dockerfile is again as it was" in err


def test_stages_of_one_name_are_verified_in_their_order(cli: Cli, tmp_path: Path) -> None:
    text = "".join(
        f"FROM alpine:3.20 AS {name}\nRUN make all\nRUN make {name}\n" for name in ("one", "two")
    )
    text += "".join(f"FROM debian:12 AS same\nRUN echo {number}\n" for number in "12")
    (tmp_path / "Dockerfile").write_text(f"{text}FROM busybox:1\nRUN echo 3\n")
    git = ("git", "-c", "user.name=n", "-c", "user.email=e@example.org")
    for command in (["init", "-q", "."], ["add", "."], ["commit", "-qm", "before"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    cli("apply", cwd=tmp_path)
    out = cli("verify", "--against", "HEAD", cwd=tmp_path)
    assert out == "5 images equal to HEAD, 0 different, 0 removed, 1 new.\n"


def test_a_lifted_heredoc_is_shown_and_named(cli: Cli, tmp_path: Path) -> None:
    script = "RUN <<EOF\nset -e\napt-get install -y \\\n  curl jq\nEOF\n"
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(f"FROM debian:12\n{script}RUN {name}\n")
    out = cli("plan", cwd=tmp_path)
    assert "localhost/debian-curl-jq:12" in out
    assert "   RUN <<EOF ⏎ set -e ⏎ apt-get install -y \\ ⏎ curl jq\n" in out


def test_verify_leaves_out_what_no_commit_can_have(cli: Cli, tmp_path: Path) -> None:
    """Files that git ignores and empty folders: a build takes them, a commit has none."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a").write_text("a")
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nCOPY src /src\nRUN make\n")
    (tmp_path / ".gitignore").write_text("*.o\n")
    git = ("git", "-c", "user.name=n", "-c", "user.email=e@example.org")
    for command in (["init", "-q", "."], ["add", "."], ["commit", "-qm", "before"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    (tmp_path / "src/a.o").write_text("made")
    (tmp_path / "src/empty/deeper").mkdir(parents=True)
    assert cli("verify", "--against", "HEAD", cwd=tmp_path).startswith("1 image equal to HEAD, 0 d")
    assert "None of" in cli("impact", "--since", "HEAD", cwd=tmp_path)
    (tmp_path / "src/b").write_text("new")
    assert "COPY" in cli("verify", "--against", "HEAD", cwd=tmp_path, code=1)


def test_what_a_merge_writes_twice_is_told(cli: Cli, tmp_path: Path) -> None:
    """Steps are counted as they are before anything, so a merge for the depth adds some."""
    stages = "FROM debian:12 AS a\nRUN a\nFROM a AS b\nRUN b\nFROM b AS c\nRUN c1\nRUN c2\n"
    stages += "".join(f"FROM c AS {name}\nRUN {name}\n" for name in ("d", "e"))
    stages += "".join(f"FROM a AS {name}\nRUN x\nRUN y\nCMD {name}\n" for name in ("f", "g"))
    (tmp_path / "Dockerfile").write_text(stages)
    plan = cli.json("plan", cwd=tmp_path)
    assert plan["totals"]["steps"] == cli.json("tree", cwd=tmp_path)["totals"]["steps"] == 10
    assert [(it["parent"], it["steps"]) for it in plan["merged"]] == [("Dockerfile#b", 1)]
    out = cli("plan", cwd=tmp_path)
    assert "Dockerfile#c takes over Dockerfile#b; its step stands twice then (nothing else" in out
    assert "9 steps to build and maintain instead of 10 (1 fewer)" in out
    assert "10 → 9 steps" in cli("apply", cwd=tmp_path)
    assert cli.json("tree", cwd=tmp_path)["totals"]["steps"] == 9


def test_compose_files_that_need_telling_are_told_of(cli: Cli, project: Path) -> None:
    (project / "compose.yaml").write_text("services:\n  one: {build: one}\n  two: {build: two}\n")
    _, err = cli.both("apply", cwd=project)
    assert "compose.yaml: builds what stands on bases now; `dockstrata apply --compose`" in err
    _, err = cli.both("apply", "--compose", cwd=project)
    assert "builds what stands" not in err


def test_a_new_stage_is_put_above_a_comment(cli: Cli, tmp_path: Path) -> None:
    kernel = "FROM debian:12 AS kernel\nCOPY a /a\nRUN k\n"
    last = "FROM debian:12\nCOPY a /a\nRUN l\n"
    text = f"FROM alpine AS p\nRUN p\n\n# The kernel, in a builder.\n{kernel}{last}"
    (tmp_path / "Dockerfile").write_text(text)
    (tmp_path / "a").write_text("a")
    cli("apply", cwd=tmp_path)
    new = "FROM debian:12 AS debian-a\n\nCOPY a /a\n\n"
    assert (tmp_path / "Dockerfile").read_text() == (
        f"FROM alpine AS p\nRUN p\n\n{new}# The kernel, in a builder.\nFROM debian-a AS kernel\n"
        "RUN k\nFROM debian-a\nRUN l\n"
    )


def test_what_env_files_and_defaults_say_is_told(cli: Cli, project: Path) -> None:
    build = "{context: one, args: {A: '${SUITE}', B: '${TAG:-1}', C: '$$x'}}"
    (project / "compose.yaml").write_text(f"services:\n  one:\n    build: {build}\n")
    (project / ".env").write_text("SUITE=sid\nUNUSED=1\n")
    _, err = cli.both("apply", cwd=project)
    assert "bases/docker-bake.hcl has SUITE, TAG as .env and defaults in compose files say" in err


def test_names_of_bases(cli: Cli, tmp_path: Path) -> None:
    """Cut between words; of two roots alike but for their tags the second has it in its name."""
    run = "RUN apt-get install -y software-properties-common g++\n"
    for tag in ("11", "12-slim"):
        for name in "ab":
            folder = tmp_path / f"{tag}{name}"
            folder.mkdir()
            (folder / "Dockerfile").write_text(f"FROM debian:{tag}\n{run}RUN {name}\n")
    plan = cli.json("plan", cwd=tmp_path)
    assert [base["ref"] for base in plan["bases"]] == [
        "localhost/debian-software-properties-gxx:11",
        "localhost/debian-software-properties-gxx-12-slim:12-slim",
    ]


def test_stages_are_written_twice_only_where_the_depth_is_asked_for(
    cli: Cli, tmp_path: Path
) -> None:
    """A chain inside one file, too deep for the default: no merge pays nobody asked for."""
    names = ["os", "jdk", "mw"]
    text = "FROM debian:12 AS os\nRUN os\nFROM os AS jdk\nRUN jdk\nFROM jdk AS mw\nRUN mw\n"
    text += "".join(f"FROM {base} AS x{n}\nRUN x{n}\n" for n, base in enumerate([*names, "mw"]))
    (tmp_path / "Dockerfile").write_text(text)
    plan = cli.json("plan", cwd=tmp_path)
    assert plan["merged"] == []
    (refusal, *_) = [it for it in plan["refused"] if it["reason"] == "too-deep"]
    assert "steps (cost 10) would stand twice in it; `--max-depth 4` in so many wo" in str(refusal)
    assert cli("apply", cwd=tmp_path) == "Nothing to change.\n"
    asked = cli.json("plan", "--max-depth", "4", cwd=tmp_path)
    assert max(image["depth_after"] for image in asked["images"]) == 4
    (tmp_path / "dockstrata.toml").write_text("[plan]\nmax-depth = 4\n")
    assert cli.json("plan", cwd=tmp_path)["merged"] == asked["merged"] != []
