"""``plan --format diff``: the patch that ``apply`` would make."""

from __future__ import annotations

from dockstrata.report.diff import unified_texts
from dockstrata.rewrite.refactor import Refactoring


def plan_diff(refactoring: Refactoring) -> bytes:
    """New files first, then changed ones, then what goes, each in order of path."""
    originals = refactoring.originals
    texts = [*sorted(refactoring.new.items()), *sorted(refactoring.changed.items())]
    parts = [unified_texts(path, originals.get(path), text) for path, text in texts]
    parts += [unified_texts(path, originals[path], None) for path in sorted(refactoring.removed)]
    return b"".join(parts)
