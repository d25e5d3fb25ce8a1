"""A copy of a real repository that can be built without the network and what else is missing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from build_failures import missing_file

Replacement = tuple[re.Pattern[bytes], bytes | Callable[[re.Match[bytes]], bytes]]
"""A pattern of bytes in a file, and what stands there in the copy."""


def _as_tag(found: re.Match[bytes]) -> bytes:
    """A tag in a digest's place, which no stand-in can have."""
    return b"%s-%s" % (found[1], found[2]) if found[1] else b":" + found[2]


_ALWAYS: tuple[Replacement, ...] = (
    # No frontend can be fetched.
    (re.compile(rb"(?im)^#[ \t]*syntax[ \t]*=.*\r?\n"), b""),
    (re.compile(rb"(:[\w.-]+|(?<==)\d[\w.-]*)?@sha256:([0-9a-f]{8})[0-9a-f]{56}"), _as_tag),
)


def copy_cleaned(source: Path, copy: Path, *more: Replacement) -> None:
    """Copy a repository without git's folder; what needs the network is replaced in all files."""
    shutil.copytree(source, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    for file in copy.rglob("*"):
        if file.is_file() and not file.is_symlink() and file.stat().st_size < 1_000_000:
            data = clean = file.read_bytes()
            for pattern, replacement in (*_ALWAYS, *more):
                clean = pattern.sub(replacement, clean)
            if clean != data:
                file.write_bytes(clean)


def matched_name(pattern: str) -> str:
    """A relative path that a source of COPY, which may be a pattern, matches."""
    plain = re.sub(r"\[(.).*?\]", r"\1", pattern)
    return plain.replace("*", "x").replace("?", "x").strip("/")


def make_up(context: Path, path: str) -> bool:
    """Put a file there; whether it was missing. Its content is its name."""
    name = matched_name(path)
    place = context / name
    if not name or ".." in name.split("/") or place.exists():
        return False
    for parent in reversed(place.relative_to(context).parents):
        if (context / parent).is_file():
            (context / parent).unlink()
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.endswith("/") or "." not in place.name:
        place.mkdir()
        place = place / "made-up"
    place.write_text(name + "\n")
    return True


def context_lacks(context: Path, why: str) -> bool:
    """Make up the file that a failed build misses in its context; whether there was one."""
    path = missing_file(why)
    return path is not None and make_up(context, path)
