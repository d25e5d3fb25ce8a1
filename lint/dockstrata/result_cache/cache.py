"""The results of files that nothing changed about, kept on disk.

A result is found again by the file's path and bytes, the rules that run, everything they are
told, and the program itself; it is served where every image that a FROM names is still built by
what built it then, to the byte. So it is what the rules would say now.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import fields
from hashlib import blake2b

from dockstrata.checker import Checked, Checker
from dockstrata.database import Database, cache_folder, rows_of, seal, unseal
from dockstrata.errors import DockstrataError
from dockstrata.result_cache.codec import read, written
from dockstrata.result_cache.program import packages_of, program_digest
from dockstrata.source import Source

MAX_BYTES = 100_000_000
# A file with thousands of findings is quicker to check than to keep.
MAX_ENTRY = 500_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS results (
    serial INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, checked TEXT NOT NULL
);
"""


class ResultCache:
    """The results of one checker's rules."""

    def __init__(self, checker: Checker, folder: str | None = None) -> None:
        self.path = os.path.join(folder or cache_folder(), "results.sqlite3")
        self.parents = checker.parents
        self.packages = packages_of(checker.registry)
        self.program = program_digest(self.packages)
        self.run = None if self.program is None else _run_key(checker, self.program)

    def get(self, sources: Sequence[Source]) -> dict[str, Checked]:
        """What is known of these files, by path."""
        found: dict[str, Checked] = {}
        if self.run is None:
            return found
        by_key = {self._key(source): source for source in sources}
        with Database(self.path, _SCHEMA) as database:
            if database is None:
                return found
            for key, text in rows_of(database, "results", "checked", by_key):
                checked = read(unseal(text), by_key[key])
                if self.parents.still(checked.lookups):
                    found[checked.source.path] = checked
        return found

    def put(self, results: Iterable[Checked]) -> None:
        """Keep what was found just now; the oldest go where there is too much."""
        rows = [row for checked in results if (row := self._row(checked)) is not None]
        # Meanwhile a rule may have loaded code that the key knows nothing of.
        if not rows or program_digest(self.packages) != self.program:
            return
        with Database(self.path, _SCHEMA, create=True) as database:
            if database is None:
                return
            insert = "INSERT OR REPLACE INTO results (key, checked) VALUES (?, ?)"
            database.executemany(insert, rows)
            (size,) = database.execute("PRAGMA page_size").fetchone()
            (pages,) = database.execute("PRAGMA page_count").fetchone()
            (free,) = database.execute("PRAGMA freelist_count").fetchone()
            if (pages - free) * size > MAX_BYTES:
                query = "SELECT MIN(serial), MAX(serial) FROM results"
                first, last = database.execute(query).fetchone()
                oldest = first + (last - first) // 4
                database.execute("DELETE FROM results WHERE serial <= ?", (oldest,))

    def _row(self, checked: Checked) -> tuple[bytes, str] | None:
        if self.run is None or not checked.repeatable:
            return None
        try:
            text = written(checked)
            same = len(text) <= MAX_ENTRY and read(text, checked.source) == checked
        except (TypeError, ValueError):
            return None
        return (self._key(checked.source), seal(text)) if same else None

    def _key(self, source: Source) -> bytes:
        assert self.run is not None
        digest = blake2b(self.run, digest_size=20)
        path = source.path.encode("utf-8", "surrogateescape")
        digest.update(len(path).to_bytes(8, "big") + path)
        digest.update(source.to_bytes())
        return digest.digest()


def _run_key(checker: Checker, program: bytes) -> bytes | None:
    """A digest of what two files of a run have in common; ``None`` where it cannot be known."""
    try:
        shellcheck = checker.shellcheck_version()
    except DockstrataError:  # told where it is asked for a comment
        return None
    options = checker.options
    rules = [
        [value for field in fields(rule) if not callable(value := getattr(rule, field.name))]
        for rule in checker.rules
    ]
    told = (rules, options.settings, options.hadolint_comments, shellcheck)
    return blake2b(program + repr(told).encode("utf-8", "surrogatepass"), digest_size=20).digest()
