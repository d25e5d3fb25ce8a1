"""The result of a set that nothing changed about, kept on disk.

It is found again by the paths and bytes of all files, how they are built, the rules and the
program; it is served where the build contexts, ignore files, templates and other files that were
looked at then, asked again, say the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from hashlib import blake2b

# What is asked again is known by having been loaded.
import dockstrata.load.context
import dockstrata.load.generated
import dockstrata.load.oci_layout  # noqa: F401
from dockstrata.checker import Checker
from dockstrata.load.witness import still, witness
from dockstrata.result_cache.codec import read_set, written_set
from dockstrata.result_cache.store import Store, told_of
from dockstrata.set_check import SetOutcome, Wired
from dockstrata.source import Source

# Smaller sets are checked in the time that it takes to look.
FEWEST = 20
MAX_ENTRY = 20_000_000


class SetCache:
    """The results of one checker's rules about sets."""

    def __init__(self, checker: Checker, store: Store) -> None:
        self.checker = checker
        self.store = store

    def outcome(
        self, sources: Sequence[Source], wired: Wired, check: Callable[[], SetOutcome]
    ) -> SetOutcome:
        """What is known of these files together, or else what ``check`` finds, to be kept."""
        program = self.store.program
        if program is None or len(sources) < FEWEST:
            return check()
        key = self._key(program, sources, wired)
        for found, questions in self.store.get([key], lambda _, text: read_set(text)):
            if self.checker.parents.still(found.lookups) and still(questions):
                return found
        with witness() as answers:
            outcome = check()
        if not outcome.failures and outcome.lookups is not None:
            questions = [(name, args, digest) for (name, args), digest in answers.items()]
            text = written_set(outcome, questions)
            if text is not None and len(text) <= MAX_ENTRY:
                self.store.put([(key, text)])
        return outcome

    def _key(self, program: bytes, sources: Sequence[Source], wired: Wired) -> bytes:
        digest = blake2b(program, digest_size=20)
        options = self.checker.options
        # Where the set lies tells apart what is alike but for its place.
        told = (
            told_of(self.checker.set_rules),
            options.settings,
            options.plan,
            options.bases,
            os.getcwd(),
            sorted(wired.items()),
        )
        digest.update(repr(told).encode("utf-8", "surrogatepass"))
        for source in sources:
            for part in (os.fsencode(source.path), source.to_bytes()):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()
