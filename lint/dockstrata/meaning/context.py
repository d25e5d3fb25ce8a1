"""What the evaluator asks about build contexts, whoever answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dockstrata.meaning.step import Barrier


@dataclass(frozen=True, slots=True)
class Taken:
    """What a COPY takes: ``key`` is equal where the files are; ``directory`` is the context."""

    key: tuple[object, ...]
    directory: str
    barrier: Barrier | None = None


class ContextReader(Protocol):
    """What ``source`` takes; ``excludes`` are patterns of ``--exclude``, ``parents`` is that flag.

    ``named`` is the folder of a named context, read in place of the build's own.
    """

    def __call__(
        self,
        source: str,
        excludes: Sequence[str],
        *,
        parents: bool = False,
        named: str | None = None,
    ) -> Taken: ...


def no_context(
    source: str, excludes: Sequence[str], *, parents: bool = False, named: str | None = None
) -> Taken:
    """For work that never compares files: what is taken is known by name alone."""
    return Taken(("unread", source, tuple(excludes), parents, named), "")
