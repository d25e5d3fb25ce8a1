"""``plan --format diff``: the patch that ``apply`` would make."""

from __future__ import annotations

from dockstrata.report.diff import unified_texts
from dockstrata.rewrite.refactor import Refactoring


def plan_diff(refactoring: Refactoring) -> bytes:
    """New files first, then changed ones, each in order of path."""
    parts = [unified_texts(path, None, text) for path, text in sorted(refactoring.new.items())]
    parts += [
        unified_texts(path, refactoring.originals[path], text)
        for path, text in sorted(refactoring.changed.items())
    ]
    return b"".join(parts)
