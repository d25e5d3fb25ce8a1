"""What a COPY takes: equal digests exactly where the same files arrive in the image."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockstrata.load import hashing
from dockstrata.load.context import BuildContext, ContextError, context_for, forget_contexts
from dockstrata.load.ignorefile import IgnoreFile

Make = Callable[..., BuildContext]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Lay out files in a new directory; a context of it with the given ignore patterns."""
    count = iter(range(1000))

    def lay(files: dict[str, str], *ignore: str) -> BuildContext:
        root = tmp_path / str(next(count))
        root.mkdir()
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text.startswith("-> "):
                path.symlink_to(text[3:])
            else:
                path.write_text(text)
        return BuildContext(str(root), IgnoreFile.of(ignore) if ignore else None)

    return lay


def reason(context: BuildContext, source: str, *excludes: str) -> str:
    with pytest.raises(ContextError) as caught:
        context.digest(source, excludes)
    assert caught.value.message
    return caught.value.reason


def test_spellings_of_one_source(make: Make) -> None:
    context = make({"a/b": "1", "c": "2"})
    for spellings in (
        ["a", "./a", "/a", "a/", "a/.", "../a", "/../a", "a//", "x/../a"],
        ["a/b", "./a/b", "/a//b", "../../a/b"],
        [".", "./", "/", "..", "../.."],
    ):
        assert len({context.digest(source) for source in spellings}) == 1
    assert len({context.digest(source) for source in (".", "a", "a/b", "c")}) == 4


def test_the_same_files_elsewhere_are_equal(make: Make) -> None:
    one = make({"src/x": "1", "src/d/y": "2", "other": "0"})
    two = make({"src/x": "1", "src/d/y": "2"})
    assert one.digest("src") == two.digest("src")
    assert one.digest("src/d/y") == two.digest("src/d/y")
    assert one.digest(".") != two.digest(".")


def test_what_makes_a_difference(make: Make) -> None:
    base = {"s/x": "1", "s/d/y": "2"}
    digest = make(base).digest("s")
    assert make({**base, "s/x": "one"}).digest("s") != digest
    assert make({**base, "s/z": ""}).digest("s") != digest
    assert make({"s/x": "1", "s/d/z": "2"}).digest("s") != digest
    assert make({"s/x": "1", "s/e/y": "2"}).digest("s") != digest
    assert make({"s/x": "1", "s/d": "2"}).digest("s") != digest
    assert make({**base, "s/x": "-> d/y"}).digest("s") != digest
    executable = make(base)
    os.chmod(f"{executable.directory}/s/x", 0o755)
    assert executable.digest("s") != digest
    empty = make(base)
    os.mkdir(f"{empty.directory}/s/empty")
    assert empty.digest("s") != digest


def test_umask_makes_no_difference(make: Make) -> None:
    one, two, three = (make({"x": "1"}) for _ in range(3))
    os.chmod(f"{one.directory}/x", 0o644)
    os.chmod(f"{two.directory}/x", 0o664)
    os.chmod(f"{three.directory}/x", 0o600)
    assert one.digest("x") == two.digest("x") != three.digest("x")


def test_the_contexts_own_permissions_make_no_difference(make: Make) -> None:
    one, two = make({"d/x": "1"}), make({"d/x": "1"})
    os.chmod(one.directory, 0o700)
    os.chmod(f"{one.directory}/d", 0o700)
    os.chmod(f"{two.directory}/d", 0o700)
    assert one.digest(".") == two.digest(".")
    os.chmod(f"{two.directory}/d", 0o755)
    assert one.digest("d") != BuildContext(two.directory, None).digest("d")


def test_a_files_name_counts_and_a_directorys_does_not(make: Make) -> None:
    context = make({"a": "1", "b": "1", "d/x": "1", "e/x": "1"})
    assert context.digest("a") != context.digest("b")
    assert context.digest("d") == context.digest("e")
    assert context.digest("d/x") == context.digest("e/x")
    assert context.digest("d") != context.digest("d/x")


def test_wildcards(make: Make) -> None:
    context = make({"a.txt": "1", "b.txt": "2", "c.md": "3", "d/e.txt": "4", "d/f/g.txt": "5"})
    only = make({"a.txt": "1", "b.txt": "2"})
    assert context.digest("*.txt") == only.digest("*.txt") == only.digest("[ab].txt")
    assert context.digest("?.txt") == context.digest("*.txt")
    assert context.digest("[^b].txt") != context.digest("*.txt")
    assert context.digest("*/e.txt") == context.digest("d/e.txt")
    # `**` is `*` outside of --parents: Go's filepath.Match.
    assert context.digest("**/e.txt") == context.digest("*/e.txt")
    assert context.digest("d/*") != context.digest("d")
    assert reason(context, "[") == "bad-pattern"


def test_a_wildcard_may_match_nothing(make: Make) -> None:
    context = make({"a": "1"})
    assert context.digest("lock*") == make({"b": "2"}).digest("*.none")
    assert reason(context, "none/*") == "missing-source"


def test_escaped_wildcards(make: Make) -> None:
    context = make({"a*": "1", "ab": "2"})
    assert context.digest("a\\*") == context.digest("a[*]")
    assert context.digest("a\\*") != context.digest("a*")


@pytest.mark.parametrize(
    ("source", "exclude", "file"),
    [
        # A leading slash makes the pattern match nothing.
        ("d", "/a", "d/a"),
        ("d", "#x", "d/#x"),
        # What the source itself names or matches stays.
        ("d/a", "a", "d/a"),
        ("d/*", "a", "d/a"),
    ],
)
def test_what_exclude_does_not_leave_out(make: Make, source: str, exclude: str, file: str) -> None:
    """Seen in BuildKit 0.25."""
    files = {"d/a": "1", "d/b": "2", "d/#x": "3"}
    other = make({**files, file: "other"})
    assert make(files).digest(source, [exclude]) != other.digest(source, [exclude])


@pytest.mark.parametrize("exclude", ["d", "a", "**/a"])
def test_excludes_beside_parents_are_open(make: Make, exclude: str) -> None:
    """Behind a wildcard before ``/./`` builders count names from the matched folder."""
    files = {"d/a": "1", "d/b": "2"}
    one, other = make(files), make({**files, "d/a": "other"})
    assert one.digest("d*/./**", [exclude], parents=True) != other.digest(
        "d*/./**", [exclude], parents=True
    )


@pytest.mark.parametrize(
    ("source", "file"),
    [
        # The wildcard matches a file, a link to a folder, a link to a file.
        ("*/./x", "top"),
        ("l*/./x", "s/x/a"),
        ("p/*/./r", "s/x/a"),
        # A link on the way.
        ("link/./*x", "s/x/a"),
        ("link/./x", "s/x/a"),
    ],
)
def test_what_parents_take_before_the_pivot(make: Make, source: str, file: str) -> None:
    """Seen in BuildKit 0.25."""
    files = {"s/x/a": "1", "top": "2", "link": "-> s", "p/fl": "-> ../s/x/a"}
    other = make({**files, file: "other"})
    assert make(files).digest(source, parents=True) != other.digest(source, parents=True)


def test_a_folder_that_exclude_empties_is_copied(make: Make) -> None:
    """Ignored but for one file: the folder is sent for that file's sake."""
    one, other = make({"d/a": "1"}, "d", "!d/a"), make({"d/b": "1"}, "d", "!d/a")
    assert one.digest(".", ["d/a"]) != other.digest(".", ["d/a"])
    assert other.digest(".", ["d/a"]) == make({}).digest(".")


def test_parents_bring_the_modes_of_the_folders_above(make: Make) -> None:
    one, other = make({"s/d/a": "1", "s/b": "2"}), make({"s/d/a": "1", "s/b": "2"})
    os.chmod(os.path.join(other.directory, "s/d"), 0o700)
    for source in ("s/d/a", "s/**/a", "s/./d/a"):
        assert one.digest(source, parents=True) != other.digest(source, parents=True)
    assert one.digest("s/d/./a", parents=True) == other.digest("s/d/./a", parents=True)
    assert one.digest("s/b", parents=True) == other.digest("s/b", parents=True)


def test_a_link_that_a_wildcard_matches_keeps_its_name(make: Make) -> None:
    one, other = make({"l/one": "-> ../top", "top": "1"}), make({"l/two": "-> ../top", "top": "1"})
    assert one.digest("l/*") != other.digest("l/*")
    assert one.digest("l/*") == make({"l/one": "1"}).digest("l/*")


def test_parents(make: Make) -> None:
    context = make({"a/x.csproj": "1", "b/x.csproj": "1", "b/c/y.csproj": "2", "b/z": "3"})
    assert context.digest("a/x.csproj", parents=True) != context.digest("b/x.csproj", parents=True)
    every = context.digest("**/*.csproj", parents=True)
    assert every != context.digest("*/*.csproj", parents=True)
    more = make({"a/x.csproj": "1", "b/x.csproj": "1", "b/c/y.csproj": "2", "w": ""})
    assert every == more.digest("**/*.csproj", parents=True)
    assert context.digest("b/./c", parents=True) == make({"c/y.csproj": "2"}).digest(
        "c", parents=True
    )
    with pytest.raises(ContextError):
        context.digest("none", parents=True)


def test_ignore_rules(make: Make) -> None:
    files = {"a/x": "1", "a/y.log": "2", "b/z": "3"}
    clean = make({"a/x": "1", "b/z": "3"})
    assert make(files, "**/*.log").digest("a") == clean.digest("a")
    assert make(files, "**/*.log").digest(".") == clean.digest(".")
    assert reason(make(files, "a"), "a") == "missing-source"
    assert reason(make(files, "a"), "a/x") == "missing-source"
    assert reason(make(files, "*.log", "a/*.log"), "a/y.log") == "missing-source"
    kept = make(files, "*", "!a/x")
    assert kept.digest(".") == make({"a/x": "1"}).digest(".")
    assert kept.digest("a") == make({"a/x": "1"}).digest("a")
    assert reason(kept, "b") == "missing-source"
    assert make(files, "*.log", "b").digest("*") == make(files, "b").digest("*")
    assert reason(make(files, "["), "a") == "bad-ignore-file"


def test_exclude(make: Make) -> None:
    context = make({"d/a": "1", "d/b.log": "2", "d/e/c.log": "3", "x.log": "4", "y": "5"})
    assert context.digest("d", ["**/*.log"]) != context.digest("d", ["*.log"])
    assert context.digest("d", ["*.log"]) == make({"d/a": "1", "d/e/c.log": "3"}).digest("d")
    hidden = make({"d/.git/x": "1", "d/a": "1"})
    assert hidden.digest("d", [".git"]) == make({"d/a": "1"}).digest("d")
    assert context.digest("d", ["e", "b.log"]) == make({"d/a": "1"}).digest("d")
    assert context.digest("d", ["e", "!e/c.log", "b.log"]) == make(
        {"d/a": "1", "d/e/c.log": "3"}
    ).digest("d")
    assert reason(context, "d", "[") == "bad-pattern"


def test_links_stay_in_the_context(make: Make, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s")
    context = make(
        {
            "real": "1",
            "to-real": "-> real",
            "dir/x": "2",
            "to-dir": "-> dir",
            "up": "-> ../secret",
            "absolute": f"-> {tmp_path}/secret",
            "rooted": "-> /real",
            "loop": "-> loop",
            "deep/l": "-> ../../../../real",
        }
    )
    assert context.digest("to-dir") == context.digest("dir")
    assert context.digest("to-dir/x") == context.digest("dir/x")
    assert context.digest("rooted") != context.digest("dir")
    # The link's own name is what arrives; its content is the target's.
    assert context.digest("deep/l") != ""
    for source in ("up", "absolute", "loop"):
        assert reason(context, source) == "missing-source"
    # Below a directory a link is copied as a link, never followed.
    assert make({"d/l": "-> /etc/passwd"}).digest("d") == make({"d/l": "-> /etc/passwd"}).digest(
        "d"
    )
    assert make({"d/l": "-> a"}).digest("d") != make({"d/l": "-> b"}).digest("d")


def test_what_is_missing(make: Make, tmp_path: Path) -> None:
    context = make({"a": "1"})
    assert reason(context, "b") == "missing-source"
    assert reason(context, "a/b") == "missing-source"
    assert reason(BuildContext(str(tmp_path / "none"), None), "a") == "missing-context"
    file = tmp_path / "file"
    file.write_text("")
    assert reason(BuildContext(str(file), None), "a") == "missing-context"


@pytest.mark.parametrize("source", ["d/a", "d", "."])
def test_unreadable(make: Make, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    context = make({"d/a": "unreadable content"})
    real = os.open

    def refuse(path: str, *rest: int) -> int:
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest)

    monkeypatch.setattr(os, "open", refuse)
    assert reason(context, source) == "unreadable-source"


def test_special_files_never_block(make: Make) -> None:
    context = make({"d/a": "1"})
    os.mkfifo(f"{context.directory}/d/pipe")
    with socket.socket(socket.AF_UNIX) as unix:
        here = os.getcwd()
        os.chdir(f"{context.directory}/d")  # a socket's path has to be short
        try:
            unix.bind("socket")
        finally:
            os.chdir(here)
    assert context.digest("d") != make({"d/a": "1"}).digest("d")
    assert context.digest("d/pipe")


def test_each_file_is_read_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    context = make({"d/a": "read me once", "d/b": "and me"})
    reads: list[str] = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: reads.append(path) or real(path, *rest))
    for source in ("d", ".", "d/a", "d/*", "./d"):
        context.digest(source)
        BuildContext(context.directory, None).digest(source)
    assert len(reads) == 2
    path = Path(context.directory, "d/a")
    path.write_text("changed, and longer")
    assert BuildContext(context.directory, None).digest("d") != context.digest("d")
    assert len(reads) == 3


def test_large_files_are_read_in_blocks(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_BLOCK", 3)
    text = "0123456789"
    assert make({"a": text}).digest("a") == make({"a": text}).digest("a")
    assert make({"a": text}).digest("a") != make({"a": text[:9]}).digest("a")


def test_context_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docker").mkdir()
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    for name in ("docker/Dockerfile", "docker/web.Dockerfile"):
        (tmp_path / name).write_text("FROM a\n")
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "docker" / "web.Dockerfile.dockerignore").write_text("b\n")
    forget_contexts()
    usual = context_for(".", "docker/Dockerfile")
    own = context_for(".", "docker/web.Dockerfile")
    assert reason(usual, "a") == "missing-source"
    assert usual.digest("b")
    assert own.digest("a")
    assert reason(own, "b") == "missing-source"
    assert context_for(".", "docker/Dockerfile") is usual
    assert context_for(str(tmp_path), "docker/Dockerfile") is usual
    assert reason(context_for("none", "docker/Dockerfile"), "a") == "missing-context"
    forget_contexts()
    assert context_for(".", "docker/Dockerfile") is not usual


names = st.sampled_from(["a", "b", "c.log"])
trees = st.dictionaries(
    st.lists(names, min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "1", "2"]),
    max_size=5,
)


def lay_out(root: Path, files: dict[str, str]) -> dict[str, str]:
    """Write what can be written (a name is a file or a directory); what is there then."""
    written = {}
    for name, text in files.items():
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError:
            continue
        written[name] = text
    return written


@settings(max_examples=60, deadline=None)
@given(
    trees, trees, st.lists(st.sampled_from(["*.log", "**/*.log", "a", "!a/b", "b/*"]), max_size=3)
)
def test_equal_exactly_where_the_kept_files_are(
    tmp_path_factory: pytest.TempPathFactory,
    left: dict[str, str],
    right: dict[str, str],
    lines: list[str],
) -> None:
    ignore = IgnoreFile.of(lines)
    digests = []
    kept = []
    for files in (left, right):
        root = tmp_path_factory.mktemp("tree")
        written = lay_out(root, files)
        # Only directories with files: the empty ones would make a difference of their own.
        for folder, _, _ in os.walk(root, topdown=False):
            if folder != str(root) and not os.listdir(folder):
                os.rmdir(folder)
        digests.append(BuildContext(str(root), ignore).digest("."))
        folders = {
            "/".join(name.split("/")[:depth])
            for name in written
            for depth in range(1, name.count("/") + 1)
        }
        files_kept = {name: text for name, text in written.items() if not ignore.ignores(name)}
        folders_kept = {
            folder
            for folder in folders
            if not ignore.ignores(folder) or any(it.startswith(folder + "/") for it in files_kept)
        }
        kept.append((files_kept, folders_kept))
    assert (digests[0] == digests[1]) == (kept[0] == kept[1])
