"""Which files a walk finds, which it leaves out, and how their paths come back."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from dockstrata.errors import DockstrataError
from dockstrata.load.discover import Discovery, discover, tidy
from dockstrata.meaning.repository import read_repository


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: str, text: str = "FROM scratch\n") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def reasons(found: Discovery) -> dict[str, str]:
    return {skip.path: skip.reason for skip in found.skipped}


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "dockerfile",
        "DOCKERFILE",
        "Dockerfile.web",
        "Dockerfile-web",
        "Dockerfile_web",
        "Dockerfile.alpine-icu",
        "Dockerfile.linux.install-monitor-base.10",
        "web.Dockerfile",
        "web.dockerfile",
        "a.b.Dockerfile",
        "Containerfile",
        "Containerfile.web",
        "web.Containerfile",
        "Dockerfile.go",
        "Dockerfile.php",
        "Dockerfile.backup",
    ],
)
def test_names_of_dockerfiles(tree: Path, name: str) -> None:
    put(f"a/{name}")
    assert discover(["."]) == Discovery((f"a/{name}",), ())


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile.dockerignore",
        "web.Dockerfile.dockerignore",
        ".dockerignore",
        "DockerfileShaUpdater.cs",
        "pip-in-dockerfile",
        "dockerfiles",
        "docker-compose.yml.bak",
        "Makefile",
        "Dockerfile~",
    ],
)
def test_names_that_are_nobodys_business(tree: Path, name: str) -> None:
    put(name)
    assert discover(["."]) == Discovery((), ())


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("dockerfile.instructions.md", "# How to\n\nWrite FROM first.\n", "not-a-dockerfile"),
        ("Dockerfile.txt", "FROM a\n", "not-a-dockerfile"),
        ("Dockerfile.yml", "a: 1\n", "not-a-dockerfile"),
        ("Dockerfile.sh", "#!/bin/sh\necho\n", "not-a-dockerfile"),
        ("Dockerfile.go", "package main\n", "not-a-dockerfile"),
        ("Dockerfile-web", "0123abcd", "not-a-dockerfile"),
        ("Dockerfile.template", "FROM a\n", "template"),
        ("Dockerfile-linux.template", "FROM a\n", "template"),
        ("Dockerfile.alpine.j2", "FROM a\n", "template"),
        ("web.Dockerfile.em", "FROM a\n", "template"),
        ("Dockerfile.in", "FROM a\n", "template"),
        ("Dockerfile.erb", "FROM a\n", "template"),
        ("Dockerfile", "{{ include }}\nFROM a\n", "template"),
    ],
)
def test_look_alikes_are_reported(tree: Path, name: str, text: str, reason: str) -> None:
    put(name, text)
    found = discover(["."])
    assert found.files == ()
    assert reasons(found) == {name: reason}


def test_a_broken_dockerfile_is_taken(tree: Path) -> None:
    put("Dockerfile", "FRM debian\nRUNN x\n")
    put("a/Dockerfile", "")
    put("b/Dockerfile.web", "# nothing yet\n")
    assert discover(["."]).files == ("Dockerfile", "a/Dockerfile", "b/Dockerfile.web")


def test_paths_come_back_as_they_were_given(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("one/Dockerfile")
    put("two/x/Dockerfile")
    assert discover(["./one", "two/"]).files == ("one/Dockerfile", "two/x/Dockerfile")
    assert discover([str(tree)]).files == (
        f"{tree}/one/Dockerfile",
        f"{tree}/two/x/Dockerfile",
    )
    monkeypatch.chdir(tree / "two")
    assert discover([".."]).files == ("../one/Dockerfile", "../two/x/Dockerfile")
    assert discover(["../one/Dockerfile"]).files == ("../one/Dockerfile",)
    assert discover(["x/../x/./Dockerfile"]).files == ("x/Dockerfile",)


def test_each_file_once(tree: Path) -> None:
    put("one/Dockerfile")
    for paths in (["one", "."], ["one/Dockerfile", "one"], [".", str(tree)], ["one", "./one"]):
        assert len(discover(paths).files) == 1


def test_a_named_file_is_taken_whatever_its_name(tree: Path) -> None:
    put("build/image.prod")
    put("Dockerfile.md", "FROM a\n")
    put("Dockerfile.template", "ARG V\nFROM a:$V\n")
    put("real.template", "FROM {{ image }}\n")
    put("page.Dockerfile.md", "# Title\n\nText\n")
    put("word", "nonsense\n")
    put(".gitignore", "*\n")
    found = discover([*sorted(set(os.listdir()) - {"build", ".gitignore"}), "build/image.prod"])
    assert found.files == ("Dockerfile.md", "Dockerfile.template", "build/image.prod", "word")
    assert reasons(found) == {
        "page.Dockerfile.md": "not-a-dockerfile",
        "real.template": "template",
    }


def test_missing_path(tree: Path) -> None:
    with pytest.raises(DockstrataError, match="no such file") as caught:
        discover(["nowhere/Dockerfile"])
    assert caught.value.path == "nowhere/Dockerfile"
    with pytest.raises(DockstrataError):
        discover(["nul\0byte"])


def test_nothing_found_is_no_error(tree: Path) -> None:
    assert discover(["."]) == Discovery((), ())
    assert discover([]) == Discovery((), ())


def test_gitignore_nested_and_negated(tree: Path) -> None:
    put(".gitignore", "gen/\n*.tmp.Dockerfile\n/top\n!keep.tmp.Dockerfile\n")
    put("gen/Dockerfile")
    put("a/gen/Dockerfile")
    put("x.tmp.Dockerfile")
    put("keep.tmp.Dockerfile")
    put("top/Dockerfile")
    put("a/top/Dockerfile")
    put("b/.gitignore", "!x.tmp.Dockerfile\nDockerfile\n")
    put("b/x.tmp.Dockerfile")
    put("b/c/Dockerfile")
    assert discover(["."]).files == (
        "a/top/Dockerfile",
        "b/x.tmp.Dockerfile",
        "keep.tmp.Dockerfile",
    )
    assert len(discover(["."], respect_ignore=False).files) == 8


def test_what_is_below_an_ignored_directory_stays_out(tree: Path) -> None:
    put(".gitignore", "out/\n!out/Dockerfile\n")  # git: a parent that is excluded is not entered
    put("out/Dockerfile")
    assert discover(["."]).files == ()


def test_the_repositorys_ignore_files_count_from_within(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / ".git" / "info").mkdir(parents=True)
    (tree / ".git" / "info" / "exclude").write_text("local/\n")
    put(".gitignore", "src/gen/\n")
    put("src/gen/Dockerfile")
    put("src/local/Dockerfile")
    put("src/Dockerfile")
    assert discover(["src"]).files == ("src/Dockerfile",)
    monkeypatch.chdir(tree / "src")
    assert discover(["."]).files == ("Dockerfile",)
    # A directory that is asked for by name is walked although it is ignored.
    assert discover(["gen"]).files == ("gen/Dockerfile",)


def test_own_ignore_file_wins(tree: Path) -> None:
    put(".gitignore", "a/\n")
    put(".dockstrataignore", "b/\n!a/\n")
    put("a/Dockerfile")
    put("b/Dockerfile")
    assert discover(["."]).files == ("a/Dockerfile",)


def test_exclude(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("a/Dockerfile", "a/b/Dockerfile", "c/Dockerfile.web", "c/Dockerfile"):
        put(path)
    assert discover(["."], exclude=["/a/b", "*.web"]).files == ("a/Dockerfile", "c/Dockerfile")
    assert discover(["a/b/Dockerfile"], exclude=["/a/b"]).files == ("a/b/Dockerfile",)
    monkeypatch.chdir(tree / "c")
    assert discover([".."], exclude=["a/b"]).files == (
        "../a/Dockerfile",
        "../c/Dockerfile",
        "../c/Dockerfile.web",
    )
    assert discover(["."], exclude=["[", "Dockerfile.*"]).files == ("Dockerfile",)


def test_folders_of_tools_are_not_entered(tree: Path) -> None:
    for folder in (".git", ".tox", ".venv", "node_modules", "build", "dist", ".github"):
        put(f"{folder}/Dockerfile")
    expected = (".github/Dockerfile", "build/Dockerfile", "dist/Dockerfile")
    assert discover(["."]).files == expected
    assert discover(["."], respect_ignore=False).files == expected
    assert discover(["node_modules"]).files == ("node_modules/Dockerfile",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable(tree: Path) -> None:
    put("a/Dockerfile")
    put("b/Dockerfile")
    put("c/Dockerfile")
    os.chmod("a", 0)
    os.chmod("b/Dockerfile", 0)
    try:
        found = discover(["."])
        assert found.files == ("c/Dockerfile",)
        assert reasons(found) == {"a": "unreadable", "b/Dockerfile": "unreadable"}
    finally:
        os.chmod("a", 0o755)


def test_unreadable_directory_is_no_traceback(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put("a/Dockerfile")
    put("b/Dockerfile")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover(["."])
    assert found.files == ("b/Dockerfile",)
    assert reasons(found) == {"a": "unreadable"}


def test_symbolic_links(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "Dockerfile").write_text("FROM a\n")
    put("real/Dockerfile")
    put("images/web.prod")
    os.symlink("..", "real/loop")
    os.symlink("self", "self")
    os.symlink("real", "again")
    os.symlink(outside, "out")
    os.symlink(outside / "Dockerfile", "Dockerfile.out")
    os.symlink("real/Dockerfile", "Dockerfile")
    os.symlink("images/web.prod", "Dockerfile.web")
    os.symlink("nothing", "Dockerfile.gone")
    os.symlink("Dockerfile.loop", "Dockerfile.loop")
    found = discover(["."])
    assert found.files == ("Dockerfile.web", "real/Dockerfile")
    assert reasons(found) == {
        "Dockerfile": "symlink-duplicate",
        "Dockerfile.gone": "broken-symlink",
        "Dockerfile.loop": "broken-symlink",
        "Dockerfile.out": "symlink-outside-root",
        "out": "symlink-outside-root",
    }
    assert discover(["out"]).files == ("out/Dockerfile",)
    assert discover(["Dockerfile"]).files == ("Dockerfile",)


def test_special_files_do_not_block(tree: Path) -> None:
    os.mkfifo("Dockerfile")
    put("x/Dockerfile.d/Dockerfile")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("Dockerfile.sock")
    found = discover(["."])
    assert found.files == ("x/Dockerfile.d/Dockerfile",)
    assert reasons(found) == {"Dockerfile": "not-a-file", "Dockerfile.sock": "not-a-file"}


def test_odd_file_names(tree: Path) -> None:
    names = ["Dockerfile.ü", "Dockerfile.a b", "Dockerfile.\n", os.fsdecode(b"Dockerfile.\xff")]
    for name in names:
        put(f"d/{name}")
    assert discover(["."]).files == tuple(sorted(f"d/{name}" for name in names))


def test_binary_and_utf16(tree: Path) -> None:
    Path("Dockerfile").write_bytes(b"\x7fELF\0\0")
    Path("Dockerfile.a").write_bytes("FROM a\n".encode("utf-16"))
    Path("Dockerfile.b").write_bytes(b"\xef\xbb\xbfFROM a\n")
    Path("Dockerfile.c").write_bytes(b"FROM a\nRUN echo \xe9\n")
    found = discover(["."])
    assert found.files == ("Dockerfile.b", "Dockerfile.c")
    assert reasons(found) == {"Dockerfile": "binary", "Dockerfile.a": "binary"}


def test_wiring_is_met_on_the_same_walk(tree: Path) -> None:
    for name in (
        "compose.yaml",
        "docker-compose.dev.yml",
        "docker-compose-ci.yaml",
        "compose.override.yml",
        "docker-bake.hcl",
        "docker-bake.override.json",
        "docker-bake.release.hcl",
    ):
        put(name, "")
    for name in ("composer.json", "update-composer.cloudbuild.yaml", "my-compose.yml.j2"):
        put(name, "")
    assert discover(["."]).wiring == (
        "compose.override.yml",
        "compose.yaml",
        "docker-bake.hcl",
        "docker-bake.override.json",
        "docker-bake.release.hcl",
        "docker-compose-ci.yaml",
        "docker-compose.dev.yml",
    )


def test_tidy() -> None:
    assert [tidy(path) for path in ("", ".", "./a", "a/", "a//b", "../a", "/a")] == [
        ".",
        ".",
        "a",
        "a",
        "a/b",
        "../a",
        "/a",
    ]


def test_what_ignore_files_leave_out_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("a/Dockerfile", "a/web.Dockerfile", "gone/Dockerfile", "compose.yaml"):
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text("FROM a\n")
    Path(".git").mkdir()
    Path(".gitignore").write_text("*ockerfile\ngone/\n")
    found = discover(["."])
    assert (found.files, found.ignored) == ((), 2)
    assert found.nothing() == "no Dockerfile found (2 left out by ignore files or --exclude)"
    with pytest.raises(DockstrataError, match=r"no Dockerfile found \(2 left out by ignore files"):
        read_repository(["."])
    assert discover(["."], respect_ignore=False).nothing() == "no Dockerfile found"
