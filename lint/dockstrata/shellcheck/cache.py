"""ShellCheck's answers of earlier runs, on disk.

One SQLite file, so that runs at the same time neither lose nor spoil anything. It is a cache: what
goes wrong with it is not told, the answers are got again.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

from dockstrata import __version__
from dockstrata.finding import Severity
from dockstrata.shellcheck.scripts import Comment, Place

if TYPE_CHECKING:
    from sqlite3 import Connection

MAX_ENTRIES = 50_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, comments TEXT NOT NULL, serial INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS programs (identity TEXT PRIMARY KEY, version TEXT NOT NULL);
"""
# SQLite takes that many values in a query at least.
_AT_ONCE = 500


def cache_folder() -> str:
    """Where the user's caches lie, and ours among them."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return os.path.join(given, "dockstrata")
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~")
        return os.path.join(base, "dockstrata", "Cache")
    if sys.platform == "darwin":
        return os.path.expanduser("~/Library/Caches/dockstrata")
    return os.path.expanduser("~/.cache/dockstrata")


class Cache:
    """The answers of one version of ShellCheck, kept by this version of ours."""

    def __init__(self, folder: str | None = None) -> None:
        self.path = os.path.join(folder or cache_folder(), "shellcheck.sqlite3")

    def version(self, program: str) -> str | None:
        """The version of the ShellCheck at this path, where it is known."""
        with _Open(self.path) as database:
            if database is None:
                return None
            query = "SELECT version FROM programs WHERE identity = ?"
            row = database.execute(query, (_identity(program),)).fetchone()
            return None if row is None else str(row[0])
        return None

    def remember(self, program: str, version: str) -> None:
        with _Open(self.path, create=True) as database:
            if database is not None:
                query = "INSERT OR REPLACE INTO programs VALUES (?, ?)"
                database.execute(query, (_identity(program), version))

    def get(self, version: str, scripts: Sequence[str]) -> dict[str, tuple[Comment, ...]]:
        """What is known of these scripts."""
        by_key = {_key(version, script): script for script in scripts}
        found: dict[str, tuple[Comment, ...]] = {}
        with _Open(self.path) as database:
            if database is None:
                return found
            keys = list(by_key)
            for start in range(0, len(keys), _AT_ONCE):
                part = keys[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, comments FROM answers WHERE key IN ({marks})"
                for key, text in database.execute(query, part):
                    found[by_key[key]] = _read(text)
        return found

    def put(self, version: str, answers: Mapping[str, tuple[Comment, ...]]) -> None:
        """Keep answers; the oldest go where there are too many."""
        with _Open(self.path, create=True) as database:
            if database is None:
                return
            (last,) = database.execute("SELECT COALESCE(MAX(serial), 0) FROM answers").fetchone()
            rows = [
                (_key(version, script), _written(comments), last + 1)
                for script, comments in answers.items()
            ]
            database.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)
            (count,) = database.execute("SELECT COUNT(*) FROM answers").fetchone()
            if count > MAX_ENTRIES:
                oldest = "SELECT key FROM answers ORDER BY serial LIMIT ?"
                surplus = count - MAX_ENTRIES * 3 // 4
                database.execute(f"DELETE FROM answers WHERE key IN ({oldest})", (surplus,))


def _key(version: str, script: str) -> bytes:
    text = f"{__version__}\0{version}\0{script}"
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=20).digest()


def _identity(program: str) -> str:
    status = os.stat(program)
    return f"{os.path.realpath(program)}\0{status.st_size}\0{status.st_mtime_ns}"


def _written(comments: Sequence[Comment]) -> str:
    return json.dumps([(c.code, int(c.severity), c.message, c.place, c.changes) for c in comments])


def _read(text: str) -> tuple[Comment, ...]:
    return tuple(
        Comment(
            code,
            Severity(severity),
            message,
            _place(place),
            tuple((_place(where), new) for where, new in changes),
        )
        for code, severity, message, place, changes in json.loads(text)
    )


def _place(numbers: Sequence[int]) -> Place:
    line, column, end_line, end_column = numbers
    return line, column, end_line, end_column


class _Open:
    """The database in a ``with``: committed at its end; ``None`` where there is none to be had."""

    def __init__(self, path: str, create: bool = False) -> None:
        self.path = path
        self.create = create
        self.database: Connection | None = None

    def __enter__(self) -> Connection | None:
        if not self.create and not os.path.exists(self.path):
            return None
        try:
            import sqlite3
        except ImportError:  # a Python built without it
            return None
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            self.database = sqlite3.connect(self.path, timeout=5)
            # A crash may cost the cache, nothing else.
            self.database.execute("PRAGMA synchronous = OFF")
            self.database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            self._spoilt(error)
            return None
        return self.database

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if self.database is None:
            return False
        import sqlite3

        try:
            if error is None:
                self.database.commit()
        except sqlite3.Error as failed:
            error = failed
        self.database.close()
        if isinstance(error, (sqlite3.Error, OSError, ValueError, TypeError)):
            self._spoilt(error)
            return True
        return False

    def _spoilt(self, error: BaseException) -> None:
        """Of a file that is no such database, or not ours, nothing can be kept."""
        import sqlite3

        locked = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
        if not locked and isinstance(error, (sqlite3.DatabaseError, ValueError, TypeError)):
            try:
                os.unlink(self.path)
            except OSError:
                return
