"""What a lint run gives: findings, and what happened on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockstrata.checker import Failure
from dockstrata.finding import Finding
from dockstrata.source import Source

if TYPE_CHECKING:  # loaded by who makes them
    from dockstrata.fixer import Dropped
    from dockstrata.load.lookalike import Skipped


@dataclass(frozen=True, slots=True)
class Change:
    """A file that fixes change, or would change."""

    before: Source
    after: Source


@dataclass(slots=True)
class Result:
    """The outcome of a run.

    ``files`` counts the Dockerfiles that were read; ``sources`` has their text, after fixing, by
    path. ``errors`` are messages of what could not be done, ``notes`` of what was left out.
    """

    findings: list[Finding] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    files: int = 0
    skipped: tuple[Skipped, ...] = ()
    failures: list[Failure] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    applied: Counter[str] = field(default_factory=Counter)
    dropped: list[tuple[str, Dropped]] = field(default_factory=list)

    @property
    def fixable(self) -> int:
        """How many findings carry a fix."""
        return sum(finding.fix is not None for finding in self.findings)
