"""The results of files that nothing changed about, kept on disk.

A result is found again by the file's path and bytes, the rules that run, everything they are
told, and the program itself; it is served where every image that a FROM names is still built by
what built it then, to the byte. So it is what the rules would say now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from dockstrata.checker import Checked, Checker
from dockstrata.errors import DockstrataError
from dockstrata.result_cache.codec import read, written
from dockstrata.result_cache.store import Store, told_of
from dockstrata.source import Source

# A file with thousands of findings is quicker to check than to keep.
MAX_ENTRY = 500_000


class ResultCache:
    """The results of one checker's rules."""

    def __init__(self, checker: Checker, store: Store) -> None:
        self.store = store
        self.parents = checker.parents
        self.run = None if store.program is None else _run_key(checker, store.program)

    def get(self, sources: Sequence[Source]) -> dict[str, Checked]:
        """What is known of these files, by path."""
        if self.run is None:
            return {}
        by_key = {self._key(source): source for source in sources}
        kept = self.store.get(by_key, lambda key, text: read(text, by_key[key]))
        return {it.source.path: it for it in kept if self.parents.still(it.lookups)}

    def put(self, results: Iterable[Checked]) -> None:
        """Keep what was found just now."""
        rows = [row for checked in results if (row := self._row(checked)) is not None]
        self.store.put(rows)

    def _row(self, checked: Checked) -> tuple[bytes, str] | None:
        if self.run is None or not checked.repeatable:
            return None
        try:
            text = written(checked)
            same = len(text) <= MAX_ENTRY and read(text, checked.source) == checked
        except (TypeError, ValueError):
            return None
        return (self._key(checked.source), text) if same else None

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
    told = (told_of(checker.rules), options.settings, options.hadolint_comments, shellcheck)
    return blake2b(program + repr(told).encode("utf-8", "surrogatepass"), digest_size=20).digest()
