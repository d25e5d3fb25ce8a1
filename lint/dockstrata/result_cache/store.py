"""Results kept on disk, for as long as the program that found them is the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import TypeVar

from dockstrata.checker import Checker
from dockstrata.database import Database, Row, cache_folder, rows_of, seal, unseal
from dockstrata.result_cache.program import packages_of, program_digest
from dockstrata.rule import Rule

T = TypeVar("T")
MAX_BYTES = 100_000_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    serial INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, checked TEXT NOT NULL
);
"""


class Store:
    """Texts by key. ``program`` belongs into each key; ``None``: nothing can be kept."""

    def __init__(self, checker: Checker, folder: str | None = None) -> None:
        self.path = os.path.join(folder or cache_folder(), "results.sqlite3")
        self.packages = packages_of(checker.registry)
        self.program = program_digest(self.packages)

    def get(self, keys: Iterable[bytes], read: Callable[[bytes, str], T]) -> list[T]:
        """What ``read`` makes of those keys that are kept, and of their texts.

        A ``ValueError``, ``TypeError`` or ``LookupError`` of it ends the store's file.
        """
        found: list[T] = []
        with Database(self.path, _SCHEMA) as database:
            if database is not None:
                for key, text in rows_of(database, "results", "checked", keys):
                    found.append(read(key, unseal(text)))
        return found

    def put(self, rows: Sequence[Row]) -> None:
        """Keep what was found just now; the oldest go where there is too much."""
        # Meanwhile a rule may have loaded code that the key knows nothing of.
        if not rows or program_digest(self.packages) != self.program:
            return
        with Database(self.path, _SCHEMA, create=True) as database:
            if database is None:
                return
            insert = "INSERT OR REPLACE INTO results (key, checked) VALUES (?, ?)"
            database.executemany(insert, [(key, seal(text)) for key, text in rows])
            (size,) = database.execute("PRAGMA page_size").fetchone()
            (pages,) = database.execute("PRAGMA page_count").fetchone()
            (free,) = database.execute("PRAGMA freelist_count").fetchone()
            if (pages - free) * size > MAX_BYTES:
                query = "SELECT MIN(serial), MAX(serial) FROM results"
                first, last = database.execute(query).fetchone()
                oldest = first + (last - first) // 4
                database.execute("DELETE FROM results WHERE serial <= ?", (oldest,))


def told_of(rules: Iterable[Rule]) -> list[list[object]]:
    """What rules say of themselves, less their functions: these are part of the program."""
    return [
        [value for field in fields(rule) if not callable(value := getattr(rule, field.name))]
        for rule in rules
    ]
