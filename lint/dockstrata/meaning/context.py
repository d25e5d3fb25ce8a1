"""What the evaluator asks about build contexts, whoever answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dockstrata.meaning.step import Barrier


@dataclass(frozen=True, slots=True)
class Taken:
    """What a COPY takes: ``key`` is equal where the files are; ``directory`` is the context."""

    key: tuple[object, ...]
    directory: str
    barrier: Barrier | None = None


ContextReader = Callable[[str, Sequence[str]], Taken]
"""(source path, exclude patterns) → what is taken."""


def no_context(source: str, excludes: Sequence[str]) -> Taken:
    """For work that never compares files: what is taken is known by name alone."""
    return Taken(("unread", source, tuple(excludes)), "")
