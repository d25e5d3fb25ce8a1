"""Writes a set of files as a whole: after a crash at any moment it can be made old or new again.

The journal lies in ``.git`` where the root has one, so that no build context sees it, else in
``.dockstrata`` below the root. First every original is copied there and the
list of changes written, then each file is replaced atomically, then the list is marked done. An
interrupted run is rolled back by the next one; a finished one can be undone.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dockstrata.errors import DockstrataError
from dockstrata.source import encode

FOLDER = ".dockstrata"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: digests before and after, ``None`` for "no such file", and its mode before.

    ``copy`` is the original's name among the originals, ``temporary`` the new file's beside its
    place, ``folders`` are those that had to be made for it, the innermost first.
    """

    path: str
    before: str | None
    after: str | None
    mode: int
    copy: str | None
    temporary: str
    folders: tuple[str, ...] = ()


def write_all(root: str, files: Mapping[str, str | None]) -> None:
    """Write every file, or none; ``None`` removes one, and its folder where that is then empty.

    Paths are as the user writes them, inside ``root``.

    Raises :class:`DockstrataError` where a file cannot be written; nothing is changed then.
    """
    for path in files:
        _inside(root, path)
    with locked(root):
        recover_locked(root)
        _write(root, files)


def written_before(root: str) -> set[str]:
    """The files that the last finished run wrote and that are as it left them."""
    try:
        state, entries = _read(root)
    except DockstrataError:
        return set()
    if state != "done":
        return set()
    paths = ((_absolute(root, entry.path), entry.after) for entry in entries)
    return {os.path.realpath(path) for path, after in paths if _digest(path) == after}


def cut_off(root: str) -> str | None:
    """What was interrupted here, ``apply`` or ``--undo``, and no later run has put right."""
    try:
        state, _ = _read(root)
    except DockstrataError:
        return None
    return {"writing": "apply", "undoing": "--undo"}.get(state)


def recover(root: str) -> list[str]:
    """Roll back what an interrupted run left, or end its undoing; the paths that changed."""
    if not os.path.exists(_journal(root)):
        return []
    with locked(root):
        return recover_locked(root)


def undo(root: str) -> list[str]:
    """Give back the bytes that the last run replaced; the paths that changed.

    Raises :class:`DockstrataError` where there is none, or a file was changed since.
    """
    with locked(root):
        state, entries = _read(root)
        if state == "writing":
            return recover_locked(root)
        if state not in ("done", "undoing"):
            raise DockstrataError("there is nothing to undo", root)
        for entry in entries if state == "done" else ():
            path = _absolute(root, entry.path)
            if _digest(path) != entry.after:
                raise DockstrataError("was changed since it was written; nothing was undone", path)
            if not os.access(_nearest_folder(path), os.W_OK):
                raise DockstrataError("its folder cannot be written; nothing was undone", path)
        _store(root, "undoing", entries)
        try:
            restored = _restore(root, entries)
        except OSError as error:
            message = f"cannot be restored: {error.strerror}; run --undo again to go on"
            raise DockstrataError(message, str(error.filename or root)) from None
        _forget(root)
        return restored


def recover_locked(root: str) -> list[str]:
    state, entries = _read(root)
    if state in ("writing", "undoing"):
        restored = _restore(root, entries)
        _forget(root)
        return restored
    return []


@contextlib.contextmanager
def locked(root: str) -> Iterator[None]:
    """Keep other runs out of this root. Raises :class:`DockstrataError` where one is under way."""
    folder = _folder(root)
    if os.path.islink(folder):
        raise DockstrataError("is a symbolic link; nothing is written through it", folder)
    try:
        os.makedirs(folder, exist_ok=True)
        # Nothing in here is anyone's business: not git's, not a build's.
        _put(os.path.join(folder, ".gitignore"), b"*\n")
        lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DockstrataError(f"cannot write here: {error.strerror}", folder) from None
    try:
        _lock(lock, folder)
        yield
    finally:
        os.close(lock)
        if not os.path.exists(_journal(root)):
            shutil.rmtree(folder, ignore_errors=True)


def _lock(lock: int, folder: str) -> None:
    try:
        import fcntl
    except ImportError:  # a system without advisory locks
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise DockstrataError("another dockstrata is writing here", folder) from None


def _write(root: str, files: Mapping[str, str | None]) -> None:
    copies = os.path.join(_folder(root), "originals")
    entries: list[Entry] = []
    # Not in any way like the file's own: nobody takes it for a Dockerfile.
    token = f".dockstrata-{secrets.token_hex(6)}"
    path = copies
    try:
        shutil.rmtree(copies, ignore_errors=True)
        os.makedirs(copies)
        for number, (path, text) in enumerate(sorted(files.items())):
            copy, temporary = os.path.join(copies, str(number)), f"{token}-{number}"
            entries.append(_keep(path, text, copy, root, temporary))
        path = _journal(root)
        _store(root, "writing", entries)
    except OSError as error:
        _forget(root)
        message = f"the original cannot be kept: {error.strerror}; nothing was changed"
        raise DockstrataError(message, path) from None
    path = root
    temporaries = {
        path: os.path.join(os.path.dirname(path), entry.temporary)
        for path, entry in zip(sorted(files), entries, strict=True)
    }
    try:
        for path, text in sorted(files.items()):
            if text is not None:
                _prepare(path, text, temporaries[path])
        for path in sorted(files):
            if files[path] is None:
                _remove(path, root)
            else:
                os.replace(temporaries[path], path)
                _sync_folder(os.path.dirname(path) or ".")
    except OSError as error:
        _restore(root, entries)
        _forget(root)
        message = f"cannot be written: {error.strerror}; nothing was changed"
        raise DockstrataError(message, path) from None
    except BaseException:
        _restore(root, entries)
        _forget(root)
        raise
    _store(root, "done", entries)


def _keep(path: str, text: str | None, copy: str, root: str, temporary: str) -> Entry:
    """Copy the original aside and say what is to happen to it."""
    after = None if text is None else hashlib.sha256(encode(text)).hexdigest()
    relative = os.path.relpath(path, root)
    if not os.path.lexists(path):
        folders = tuple(_missing_folders(os.path.dirname(relative), root))
        return Entry(relative, None, after, 0o644, None, temporary, folders)
    with open(path, "rb") as file:
        data = file.read()
    _put(copy, data)
    mode = os.stat(path).st_mode & 0o7777
    before = hashlib.sha256(data).hexdigest()
    return Entry(relative, before, after, mode, os.path.basename(copy), temporary)


def _missing_folders(relative: str, root: str) -> Iterator[str]:
    while relative and not os.path.isdir(os.path.join(root, relative)):
        yield relative
        relative = os.path.dirname(relative)


def _prepare(path: str, text: str, temporary: str) -> None:
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise PermissionError(13, "Permission denied")
    _put_new(temporary, encode(text))
    if os.path.exists(path):
        shutil.copymode(path, temporary)


def _remove(path: str, root: str) -> None:
    """Remove a file, and the folders on its way from the root in which nothing else lies."""
    os.unlink(path)
    folder = os.path.relpath(os.path.dirname(path) or ".", root)
    with contextlib.suppress(OSError):
        while folder not in ("", os.curdir):
            os.rmdir(os.path.join(root, folder))
            folder = os.path.dirname(folder)
    _sync_folder(os.path.join(root, folder))


def _nearest_folder(path: str) -> str:
    """The folder of ``path``, or the nearest above it that is there."""
    folder = os.path.dirname(path) or "."
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder) or "."
    return folder


def _restore(root: str, entries: list[Entry]) -> list[str]:
    """Make every file old again; what was changed by others meanwhile is left alone."""
    restored: list[str] = []
    for entry in entries:
        path = _absolute(root, entry.path)
        temporary = os.path.join(os.path.dirname(path), entry.temporary)
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if _digest(path) == entry.after and entry.after != entry.before:
            if entry.copy is None:
                os.unlink(path)
            else:
                os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
                with open(os.path.join(_folder(root), "originals", entry.copy), "rb") as file:
                    _put_new(temporary, file.read())
                os.chmod(temporary, entry.mode)
                os.replace(temporary, path)
            restored.append(path)
    for entry in entries:
        for folder in entry.folders:
            with contextlib.suppress(OSError):
                os.rmdir(_absolute(root, folder))
    return restored


def _inside(root: str, path: str) -> None:
    """Refuse a path that leads out of the root, through links too."""
    real_root = os.path.realpath(root)
    real = os.path.realpath(path)
    if os.path.commonpath([real_root, real]) != real_root:
        raise DockstrataError("leads out of the directory that is refactored", path)


def _journal(root: str) -> str:
    return os.path.join(_folder(root), "journal.json")


def _folder(root: str) -> str:
    """Where journal and originals lie."""
    git = os.path.join(root, ".git")
    if os.path.isdir(git) and not os.path.islink(git):
        return os.path.join(git, "dockstrata")
    return os.path.join(root, FOLDER)


def _store(root: str, state: str, entries: list[Entry]) -> None:
    record = {
        "state": state,
        "entries": [
            [
                entry.path,
                entry.before,
                entry.after,
                entry.mode,
                entry.copy,
                entry.temporary,
                entry.folders,
            ]
            for entry in entries
        ],
    }
    path = _journal(root)
    _put(path + ".new", json.dumps(record).encode("ascii"))
    os.replace(path + ".new", path)
    _sync_folder(os.path.dirname(path))


def _read(root: str) -> tuple[str, list[Entry]]:
    """State and entries; a journal that names anything outside the root is nobody's of ours."""
    try:
        with open(_journal(root), encoding="ascii") as file:
            record = json.load(file)
        entries = [Entry(*fields) for fields in record["entries"]]
        if not all(_sound(root, entry) for entry in entries):
            raise ValueError
        return str(record["state"]), entries
    except FileNotFoundError:
        return "none", []
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DockstrataError(
            "the journal cannot be read; remove it to go on without", _journal(root)
        ) from None


def _sound(root: str, entry: Entry) -> bool:
    names = [name for name in (entry.copy, entry.temporary) if name is not None]
    if any(os.path.basename(name) != name or not name for name in names):
        return False
    return all(_is_inside(root, path) for path in (entry.path, *entry.folders))


def _is_inside(root: str, relative: str) -> bool:
    real_root = os.path.realpath(root)
    real = os.path.realpath(_absolute(root, relative))
    return not os.path.isabs(relative) and os.path.commonpath([real_root, real]) == real_root


def _forget(root: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_journal(root))


def _absolute(root: str, relative: str) -> str:
    return os.path.normpath(os.path.join(root, relative))


def _digest(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return None


def _put_new(path: str, data: bytes) -> None:
    """Write a file that must not be there yet, and no link either; see it on the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with open(os.open(path, flags, 0o666), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _put(path: str, data: bytes) -> None:
    """Write a file and see it on the disk."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: str) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
