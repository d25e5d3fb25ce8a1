"""What fixing would change, as a unified diff."""

from __future__ import annotations

from difflib import diff_bytes, unified_diff

from dockstrata.result import Change
from dockstrata.source import encode


def unified(change: Change) -> bytes:
    """A patch for one file that ``patch -p1`` and ``git apply`` take."""
    path = encode(change.before.path.removeprefix("/"))
    old, new = (_lines(source.to_bytes()) for source in (change.before, change.after))
    lines = diff_bytes(unified_diff, old, new, b"a/" + path, b"b/" + path)
    return b"".join(
        line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"
        for line in lines
    )


def _lines(data: bytes) -> list[bytes]:
    """Cut at ``\\n`` alone, as patches are."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]] + (
        [data.split(b"\n")[-1]] if not data.endswith(b"\n") and data else []
    )
