"""The journal under faults: killed at any call, refused half-way, run twice, misled by links."""

from __future__ import annotations

import builtins
import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dockstrata.errors import DockstrataError
from dockstrata.rewrite import journal

KILLED = 9
CALLS = ("replace", "fsync", "unlink", "mkdir", "rmdir", "chmod", "open", "rename", "remove")
OLD = {
    "a/Dockerfile": b"FROM old\n",
    "b/Dockerfile": b"FROM old\r\n",
    "old/Dockerfile": b"FROM gone\n",
    "c.Dockerfile": b"FROM \xff",
}
NEW = {"a/Dockerfile": "FROM new\n", "b/Dockerfile": "FROM new\r\n", "c.Dockerfile": "FROM\udcff n"}
ADDED = {"bases/one/Dockerfile": "FROM one\n", "bases/docker-bake.hcl": "# bake\n"}
GONE = "old/Dockerfile"

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
Tree = dict[str, object]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    for path, data in OLD.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / "a/Dockerfile").chmod(0o640)
    (folder / "c.Dockerfile").chmod(0o755)
    return folder


def files(root: Path) -> dict[str, str | None]:
    return {str(root / path): text for path, text in {**NEW, **ADDED, GONE: None}.items()}


def tree(root: Path) -> Tree:
    """Every file below the root but the journal's own: bytes and modes."""
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in root.rglob("*")
        if path.is_file() and journal.FOLDER not in path.relative_to(root).parts
    }


def folders(root: Path) -> set[str]:
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_dir() and journal.FOLDER not in path.relative_to(root).parts
    }


def after(root: Path, old: Tree) -> Tree:
    """The tree as it is once everything is written."""
    new = dict(old)
    for path, text in {**NEW, **ADDED}.items():
        mode = old[path][1] if path in old else 0o644 & ~_umask()  # type: ignore[index]
        new[path] = (text.encode("utf-8", "surrogateescape"), mode)
    del new[GONE]
    return new


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


class Killer:
    """Ends the process, as a kill would, instead of the n-th call that changes the disk."""

    def __init__(self, at: int, *, half: bool) -> None:
        self.left, self.half = at, half

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                os._exit(KILLED)
            return call(*arguments, **named)

        return counted

    def opener(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
            file = call(path, mode, *arguments, **named)
            if "w" in mode:
                self.left -= 1
                if self.left == 0:
                    if self.half:
                        file.write(b"HALF")
                        file.flush()
                    os._exit(KILLED)
            return file

        return opened

    def arm(self) -> None:
        for name in CALLS:
            setattr(os, name, self.wrap(getattr(os, name)))
        builtins.open = self.opener(builtins.open)  # type: ignore[assignment]


def killed_at(count: int, work: Callable[[], object], *, half: bool = False) -> bool:
    """Do ``work`` in a child that is killed at its ``count``-th call; whether it came to that."""
    child = os.fork()
    if child == 0:
        try:
            Killer(count, half=half).arm()
            work()
        except BaseException:
            os._exit(3)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def counts() -> Iterator[int]:
    yield from range(1, 500)
    raise AssertionError("the work never ends")


@needs_fork
@pytest.mark.parametrize("half", [False, True], ids=["before-the-call", "half-written"])
def test_killed_while_writing(root: Path, half: bool) -> None:
    old = tree(root)
    new = after(root, old)
    for count in counts():
        if not killed_at(count, lambda: journal.write_all(str(root), files(root)), half=half):
            break
        journal.recover(str(root))
        found = tree(root)
        assert found in (old, new), count
        if found == new:
            journal.undo(str(root))
            assert tree(root) == old
    assert count > 20
    assert tree(root) == new
    journal.undo(str(root))
    assert tree(root) == old
    assert not (root / journal.FOLDER).exists()


@needs_fork
def test_killed_while_undoing(root: Path) -> None:
    old = tree(root)
    new = after(root, old)
    for count in counts():
        journal.write_all(str(root), files(root))
        if not killed_at(count, lambda: journal.undo(str(root))):
            break
        journal.recover(str(root))
        found = tree(root)
        assert found in (old, new), count
        if found == new:
            journal.undo(str(root))
        assert tree(root) == old, count
    assert count > 10
    assert tree(root) == old


@needs_fork
@pytest.mark.parametrize("first", [12, 20, 28, 34, 40])
def test_killed_again_while_recovering(root: Path, first: int) -> None:
    old = tree(root)
    for count in counts():
        if not killed_at(first, lambda: journal.write_all(str(root), files(root))):
            break
        again = killed_at(count, lambda: journal.recover(str(root)))
        journal.recover(str(root))
        found = tree(root)
        assert found in (old, after(root, old)), (first, count)
        if found != old:
            journal.undo(str(root))
        if not again:
            break


@needs_fork
def test_the_next_run_says_what_it_restored(root: Path) -> None:
    old = tree(root)
    told = 0
    for count in counts():
        if not killed_at(count, lambda: journal.write_all(str(root), files(root))):
            break
        changed = {path for path, value in tree(root).items() if old.get(path) != value}
        changed = {path for path in changed if path in {**NEW, **ADDED}}
        changed |= old.keys() - tree(root).keys()
        restored = {os.path.relpath(path, root) for path in journal.recover(str(root))}
        if tree(root) == old:
            assert restored == changed, count
            told += bool(restored)
        else:
            journal.undo(str(root))
    assert told > 3


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_an_error_half_way_restores(root: Path, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tree(root)
    real = getattr(os, call)
    for at in range(1, 40):
        left = at

        def failing(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(*arguments, **named)

        with monkeypatch.context() as patch:
            patch.setattr(os, call, failing)
            with contextlib.suppress(DockstrataError, OSError):
                journal.write_all(str(root), files(root))
        if left > 0:
            break
        # What a full disk left, the next run clears; nothing may be half.
        journal.recover(str(root))
        found = tree(root)
        if found != old:
            assert found == after(root, old)
            journal.undo(str(root))
        assert tree(root) == old, at
    assert at > 3


def test_an_error_half_way_is_told_with_its_path(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tree(root)
    real = os.replace

    def failing(source: str, target: str) -> None:
        if str(target).endswith("c.Dockerfile") and journal.FOLDER not in str(target):
            raise PermissionError(errno.EACCES, "Permission denied")
        real(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(DockstrataError, match=r"c\.Dockerfile.*Permission denied; nothing was ch"):
        journal.write_all(str(root), files(root))
    assert tree(root) == old


def test_a_read_only_file_is_refused_and_nothing_written(root: Path) -> None:
    (root / "c.Dockerfile").chmod(0o444)
    if os.access(root / "c.Dockerfile", os.W_OK):
        pytest.skip("everything is writable for this user")
    old = tree(root)
    with pytest.raises(DockstrataError, match="cannot be written"):
        journal.write_all(str(root), files(root))
    assert tree(root) == old


def test_an_interrupt_restores(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tree(root)
    real = os.replace

    def interrupted(source: str, target: str) -> None:
        if str(target).endswith("b/Dockerfile"):
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        journal.write_all(str(root), files(root))
    assert tree(root) == old


def test_modes_are_kept(root: Path) -> None:
    journal.write_all(str(root), files(root))
    assert stat.S_IMODE((root / "a/Dockerfile").stat().st_mode) == 0o640
    assert stat.S_IMODE((root / "c.Dockerfile").stat().st_mode) == 0o755
    assert (root / "c.Dockerfile").read_bytes() == b"FROM\xff n"


def test_two_runs_at_once(root: Path) -> None:
    old = tree(root)
    with (
        journal.locked(str(root)),
        pytest.raises(DockstrataError, match="another dockstrata is writing here"),
    ):
        journal.write_all(str(root), files(root))
    assert tree(root) == old
    journal.write_all(str(root), files(root))


def test_undo_behind_a_users_edit_changes_nothing(root: Path) -> None:
    journal.write_all(str(root), files(root))
    (root / "b/Dockerfile").write_text("FROM mine\n")
    edited = tree(root)
    with pytest.raises(DockstrataError, match=r"b/Dockerfile.*changed since"):
        journal.undo(str(root))
    assert tree(root) == edited


def test_undo_behind_a_deletion_changes_nothing(root: Path) -> None:
    journal.write_all(str(root), files(root))
    (root / "bases/one/Dockerfile").unlink()
    edited = tree(root)
    with pytest.raises(DockstrataError, match="changed since"):
        journal.undo(str(root))
    assert tree(root) == edited


def test_undo_leaves_what_others_put_beside(root: Path) -> None:
    journal.write_all(str(root), files(root))
    (root / "bases/notes.txt").write_text("mine")
    journal.undo(str(root))
    assert (root / "bases/notes.txt").read_text() == "mine"
    assert not (root / "bases/one").exists()


def test_undo_twice(root: Path) -> None:
    journal.write_all(str(root), files(root))
    journal.undo(str(root))
    with pytest.raises(DockstrataError, match="nothing to undo"):
        journal.undo(str(root))


def test_undo_gives_the_last_run_back(root: Path) -> None:
    journal.write_all(str(root), files(root))
    first = tree(root)
    journal.write_all(str(root), {str(root / "a/Dockerfile"): "FROM third\n"})
    journal.undo(str(root))
    assert tree(root) == first


@pytest.mark.parametrize("path", ["../outside/Dockerfile", "a/../../outside/Dockerfile"])
def test_paths_that_lead_out_are_refused(root: Path, path: str) -> None:
    old = tree(root)
    with pytest.raises(DockstrataError, match="leads out"):
        journal.write_all(str(root), {**files(root), str(root) + "/" + path: "x"})
    assert tree(root) == old
    assert not (root.parent / "outside").exists()


def test_a_folder_that_links_out_is_refused(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (root / "bases").symlink_to(outside)
    with pytest.raises(DockstrataError, match="leads out"):
        journal.write_all(str(root), files(root))
    assert list(outside.iterdir()) == []


def test_a_journal_folder_that_links_out_is_not_followed(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "keep").write_text("mine")
    (root / journal.FOLDER).symlink_to(outside)
    with pytest.raises(DockstrataError):
        journal.write_all(str(root), files(root))
    assert [path.name for path in outside.iterdir()] == ["keep"]


def test_a_link_at_the_temporary_name_is_not_followed(root: Path) -> None:
    """A link laid where the new text is prepared must not lead a write out of the root."""
    outside = root.parent / "victim"
    outside.write_text("mine")
    (root / "a/Dockerfile.dockstrata-new").symlink_to(outside)
    with contextlib.suppress(DockstrataError):
        journal.write_all(str(root), files(root))
    assert outside.read_text() == "mine"


def test_a_users_file_at_the_temporary_name_is_kept(root: Path) -> None:
    (root / "a/Dockerfile.dockstrata-new").write_text("mine")
    with contextlib.suppress(DockstrataError):
        journal.write_all(str(root), files(root))
        journal.undo(str(root))
    assert (root / "a/Dockerfile.dockstrata-new").read_text() == "mine"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"state": "done"}', '{"state": "done", "entries": [[1]]}',
     '{"state": "done", "entries": [["../victim", null, null, 420, null]]}',],
)  # fmt: skip
def test_a_broken_journal_is_told_and_harms_nothing(root: Path, text: str) -> None:
    victim = root.parent / "victim"
    victim.write_text("mine")
    folder = root / journal.FOLDER
    folder.mkdir()
    (folder / "journal.json").write_text(text)
    old = tree(root)
    for act in (journal.undo, journal.recover):
        with contextlib.suppress(DockstrataError):
            act(str(root))
    assert tree(root) == old
    assert victim.read_text() == "mine"


@needs_fork
def test_no_empty_folder_is_left(root: Path) -> None:
    before = folders(root)
    for count in counts():
        if not killed_at(count, lambda: journal.write_all(str(root), files(root))):
            break
        journal.recover(str(root))
        if tree(root).keys() == OLD.keys():
            assert folders(root) == before, count
        else:
            journal.undo(str(root))


def test_a_journal_that_somebody_laid_there(root: Path) -> None:
    victim = root.parent / "victim"
    victim.write_text("mine")
    folder = root / journal.FOLDER
    folder.mkdir()
    digest = hashlib.sha256(b"mine").hexdigest()
    entry = f'["../victim", null, "{digest}", 420, null]'
    (folder / "journal.json").write_text(f'{{"state": "writing", "entries": [{entry}]}}')
    with contextlib.suppress(DockstrataError):
        journal.recover(str(root))
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("names", [("a", "z"), ("e",)])
def test_folders_that_are_empty_then_go_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """Bases and their bake file, whichever comes first by name, seen from the root and above."""
    for root in (".", "below"):
        monkeypatch.chdir(tmp_path)
        paths = [os.path.join(root, f"bases/{name}/Dockerfile") for name in names]
        paths.append(os.path.join(root, "bases/d.hcl"))
        for path in paths:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(path)
        journal.write_all(root, {os.path.normpath(path): None for path in paths})
        assert not Path(root, "bases").exists()
        assert Path(root).is_dir()
        assert len(journal.undo(root)) == len(paths)
        assert all(Path(path).read_text() == path for path in paths)
