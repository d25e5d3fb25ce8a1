"""Content hashes of files: each file is read at most once a process while it stays as it is."""

from __future__ import annotations

import hashlib
import os
import stat

_BLOCK = 1 << 20
_hashes: dict[tuple[int, int, int, int], str] = {}


def file_digest(path: str, status: os.stat_result) -> str:
    """SHA-256 of a regular file in hex; ``status`` is its ``lstat``. Raises ``OSError``."""
    key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if (known := _hashes.get(key)) is not None:
        return known
    digest = hashlib.sha256()
    # A pipe that takes the file's place meanwhile must not block.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "is not a regular file")
        while block := file.read(_BLOCK):
            digest.update(block)
    return _hashes.setdefault(key, digest.hexdigest())


def mode_word(mode: int) -> str:
    """The permissions as far as they tell images apart.

    What git tracks (executable or not) is one word under the usual umasks, so that digests agree
    between checkouts; any other permissions are written out.
    """
    permissions = stat.S_IMODE(mode)
    if permissions in (0o644, 0o664):
        return "plain"
    if permissions in (0o755, 0o775):
        return "executable"
    return f"{permissions:o}"
