"""SQLite files in the user's cache directory: what an earlier run found out.

Runs at the same time neither lose nor spoil anything. What goes wrong with a cache is not told,
its answers are got again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # costs 5 ms
    from sqlite3 import Connection


Row = tuple[bytes, str]
# SQLite takes that many values in a query at least.
_AT_ONCE = 500
_UNREADABLE = (ValueError, TypeError, LookupError)


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


def seal(text: str) -> str:
    """The text as it is kept: SQLite does not notice a byte that changed inside of a value."""
    return blake2b(text.encode(), digest_size=8).hexdigest() + text


def unseal(kept: str) -> str:
    """The text that was kept; raises ``ValueError`` where it is no longer what it was."""
    text = kept[16:]
    if seal(text) != kept:
        raise ValueError("not as it was written")
    return text


def rows_of(database: Connection, table: str, column: str, keys: Iterable[bytes]) -> Iterator[Row]:
    """``(key, column)`` of those of the keys that the table has, by its column ``key``."""
    wanted = list(keys)
    for start in range(0, len(wanted), _AT_ONCE):
        part = wanted[start : start + _AT_ONCE]
        marks = ",".join("?" * len(part))
        query = f"SELECT key, {column} FROM {table} WHERE key IN ({marks})"
        yield from database.execute(query, part)


class Database:
    """One file in a ``with``: committed at its end; ``None`` where there is none to be had.

    ``create`` makes the file where it is not there yet. An error of SQLite's, or of reading what
    is in the file (``ValueError``, ``TypeError``, ``LookupError``), ends the block and the file.
    """

    def __init__(self, path: str, schema: str, *, create: bool = False) -> None:
        self.path = path
        self.schema = schema
        self.create = create
        self.connection: Connection | None = None

    def __enter__(self) -> Connection | None:
        if not (self.create or os.path.exists(self.path)) or not _is_ours(self.path):
            return None
        try:
            import sqlite3
        except ImportError:  # a Python built without it
            return None
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            self.connection = sqlite3.connect(self.path, timeout=5)
            # A crash may cost the cache, nothing else.
            self.connection.execute("PRAGMA synchronous = OFF")
            self.connection.executescript(self.schema)
        except (OSError, sqlite3.Error) as error:
            self._spoilt(error)
            return None
        return self.connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if self.connection is None:
            return False
        import sqlite3

        try:
            if error is None:
                self.connection.commit()
        except sqlite3.Error as failed:
            error = failed
        self.connection.close()
        if isinstance(error, (sqlite3.Error, OSError, *_UNREADABLE)):
            self._spoilt(error)
            return True
        return False

    def _spoilt(self, error: BaseException) -> None:
        """Of a file that is no such database nothing can be kept."""
        import sqlite3

        locked = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
        if not locked and isinstance(error, (sqlite3.DatabaseError, *_UNREADABLE)):
            try:
                os.unlink(self.path)
            except OSError:
                return


def _is_ours(path: str) -> bool:
    """Whether nobody else wrote the file, or could have: what it says is believed."""
    if not hasattr(os, "geteuid"):  # Windows keeps users' folders apart itself
        return True
    # SQLite plays a journal that it finds back into the file.
    for each in (os.path.dirname(path), path, f"{path}-journal", f"{path}-wal"):
        try:
            if os.stat(each).st_uid != os.geteuid():
                return False
        except OSError:
            continue  # not there
    return True
