"""ShellCheck's comments on many scripts: from memory, from the cache, or got now."""

from __future__ import annotations

from collections.abc import Iterable

from dockstrata.shellcheck.cache import Cache
from dockstrata.shellcheck.process import Batch, version_of
from dockstrata.shellcheck.scripts import Comment

Comments = tuple[Comment, ...]

# A process more pays from about this many scripts on.
SCRIPTS_A_PROCESS = 40


class ShellCheck:
    """Asks ShellCheck about each script once. ``cache`` of ``None``: nothing on disk."""

    def __init__(self, program: str, cache: Cache | None, processes: int = 1) -> None:
        self.program = program
        self.cache = cache
        self.processes = processes
        self.known: dict[str, Comments] = {}
        self._version: str | None = None

    def begin(self, scripts: Iterable[str]) -> Question:
        """Set ShellCheck to work on what is not known yet; raises :class:`DockstrataError`."""
        asked = [script for script in dict.fromkeys(scripts) if script not in self.known]
        if asked and self.cache is not None:
            self.known.update(self.cache.get(self.version(), asked))
            asked = [script for script in asked if script not in self.known]
        if not asked:
            return Question(self, None)
        processes = max(1, min(self.processes, len(asked) // SCRIPTS_A_PROCESS))
        return Question(self, Batch(self.program, asked, processes))

    def version(self) -> str:
        if self._version is None:
            assert self.cache is not None
            self._version = self.cache.version(self.program)
            if self._version is None:
                self._version = version_of(self.program)
                self.cache.remember(self.program, self._version)
        return self._version


class Question:
    """What was asked; the answer may still be on its way."""

    def __init__(self, shellcheck: ShellCheck, batch: Batch | None) -> None:
        self.shellcheck = shellcheck
        self.batch = batch

    def answers(self) -> dict[str, Comments]:
        """The comments by script, of everything asked so far; raises :class:`DockstrataError`."""
        known, cache = self.shellcheck.known, self.shellcheck.cache
        if self.batch is not None:
            batch, self.batch = self.batch, None
            new = dict(zip(batch.scripts, batch.comments(), strict=True))
            known.update(new)
            if cache is not None:
                cache.put(self.shellcheck.version(), new)
        return known
