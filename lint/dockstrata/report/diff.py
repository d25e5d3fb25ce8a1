"""What fixing would change, as a unified diff."""

from __future__ import annotations

from difflib import diff_bytes, unified_diff

from dockstrata.result import Change
from dockstrata.source import encode


def unified(change: Change) -> bytes:
    """A patch for one file that ``patch -p1`` and ``git apply`` take."""
    return unified_texts(change.before.path, change.before.text, change.after.text)


def unified_texts(path: str, before: str | None, after: str | None) -> bytes:
    """A patch from one text to another; ``None`` before a file is there and after it is gone."""
    shown = path.removeprefix("/")
    old, new = _lines(encode(before or "")), _lines(encode(after or ""))
    origin = b"/dev/null" if before is None else _name(f"a/{shown}")
    target = b"/dev/null" if after is None else _name(f"b/{shown}")
    lines = diff_bytes(unified_diff, old, new, origin, target)
    return b"".join(
        line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"
        for line in lines
    )


def _name(path: str) -> bytes:
    """A file's name, quoted as git does where it has characters that would break the line."""
    if not any(ord(char) < 32 or char in '"\\' for char in path):
        return encode(path)
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    quoted = "".join(
        escapes.get(char) or (f"\\{ord(char):03o}" if ord(char) < 32 else char) for char in path
    )
    return encode(f'"{quoted}"')


def _lines(data: bytes) -> list[bytes]:
    """Cut at ``\\n`` alone, as patches are."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]] + (
        [data.split(b"\n")[-1]] if not data.endswith(b"\n") and data else []
    )
