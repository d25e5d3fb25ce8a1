"""Writes a file whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile

from dockstrata.errors import DockstrataError


def write_atomically(path: str, data: bytes) -> None:
    """Replace a file's bytes; its mode and owner stay, a crash leaves the old or the new file.

    A symbolic link is followed where it leads inside the working directory. Raises
    :class:`DockstrataError`.
    """
    target = os.path.realpath(path)
    if os.path.islink(path):
        here = os.path.realpath(".")
        if os.path.commonpath([here, target]) != here:
            raise DockstrataError(
                "is a symbolic link out of the working directory; not written", path
            )
    temporary = None
    try:
        before = os.stat(target)
        if not before.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise DockstrataError("is read-only; not written", path)
        handle, temporary = tempfile.mkstemp(prefix=".dockstrata-", dir=os.path.dirname(target))
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, stat.S_IMODE(before.st_mode))
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):  # only root may give files away
                os.chown(temporary, before.st_uid, before.st_gid)
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DockstrataError(f"cannot be written: {reason}", path) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
