"""ShellCheck's answers of earlier runs, on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from hashlib import blake2b

from dockstrata import __version__
from dockstrata.database import Database, cache_folder, rows_of, seal, unseal
from dockstrata.finding import Severity
from dockstrata.shellcheck.process import OPTIONS
from dockstrata.shellcheck.scripts import Comment, Place

MAX_ENTRIES = 50_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, comments TEXT NOT NULL, serial INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS programs (identity TEXT PRIMARY KEY, version TEXT NOT NULL);
"""


class Cache:
    """The answers of one version of ShellCheck, kept by this version of ours."""

    def __init__(self, folder: str | None = None) -> None:
        self.path = os.path.join(folder or cache_folder(), "shellcheck.sqlite3")

    def version(self, program: str) -> str | None:
        """The version of the ShellCheck at this path, where it is known."""
        if _is_script(program):
            return None
        with Database(self.path, _SCHEMA) as database:
            if database is None:
                return None
            query = "SELECT version FROM programs WHERE identity = ?"
            row = database.execute(query, (_identity(program),)).fetchone()
            return None if row is None else str(row[0])
        return None

    def remember(self, program: str, version: str) -> None:
        """Keep a program's version; never a script's, which stays while what it starts changes."""
        if _is_script(program):
            return
        with Database(self.path, _SCHEMA, create=True) as database:
            if database is not None:
                query = "INSERT OR REPLACE INTO programs VALUES (?, ?)"
                database.execute(query, (_identity(program), version))

    def get(self, version: str, scripts: Sequence[str]) -> dict[str, tuple[Comment, ...]]:
        """What is known of these scripts."""
        by_key = {_key(version, script): script for script in scripts}
        found: dict[str, tuple[Comment, ...]] = {}
        with Database(self.path, _SCHEMA) as database:
            if database is None:
                return found
            for key, text in rows_of(database, "answers", "comments", by_key):
                found[by_key[key]] = _read(unseal(text))
        return found

    def put(self, version: str, answers: Mapping[str, tuple[Comment, ...]]) -> None:
        """Keep answers; the oldest go where there are too many."""
        with Database(self.path, _SCHEMA, create=True) as database:
            if database is None:
                return
            (last,) = database.execute("SELECT COALESCE(MAX(serial), 0) FROM answers").fetchone()
            rows = [
                (_key(version, script), seal(_written(comments)), last + 1)
                for script, comments in answers.items()
            ]
            database.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", rows)
            (count,) = database.execute("SELECT COUNT(*) FROM answers").fetchone()
            if count > MAX_ENTRIES:
                oldest = "SELECT key FROM answers ORDER BY serial LIMIT ?"
                surplus = count - MAX_ENTRIES * 3 // 4
                database.execute(f"DELETE FROM answers WHERE key IN ({oldest})", (surplus,))


def _key(version: str, script: str) -> bytes:
    text = "\0".join((__version__, version, *OPTIONS, script))
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=20).digest()


def _is_script(program: str) -> bool:
    try:
        with open(program, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:  # may be run, not read
        return True


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
