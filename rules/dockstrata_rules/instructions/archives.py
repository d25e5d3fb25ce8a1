"""What ADD unpacks and fetches."""

from __future__ import annotations

import re

SUFFIXES = (
    ".tar", ".gz", ".tgz", ".taz", ".bz2", ".tbz", ".tbz2", ".tb2", ".xz", ".txz", ".lzma",
    ".tlz", ".lz", ".Z", ".tZ", ".zst", ".tzst",
)  # fmt: skip

_REMOTE = re.compile(r"^(?:https?|ftp|git|ssh)://|^[\w.-]+@[\w.-]+:|^github\.com/")


def is_archive(source: str) -> bool:
    """Whether ADD unpacks a file of this name, as far as a name tells."""
    return source.endswith(SUFFIXES)


def is_remote(source: str) -> bool:
    """Whether ADD fetches it: an address or a git repository."""
    return bool(_REMOTE.match(source))
