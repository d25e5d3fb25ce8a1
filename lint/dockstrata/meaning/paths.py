"""Paths inside an image, as BuildKit normalises them; a part may be a symbol."""

from __future__ import annotations

import posixpath

from dockstrata.syntax.words import OPEN, is_symbolic, symbol

ROOT_DIRECTORY = symbol("root", "workdir")
"""The working directory that an unknown root image sets."""


def working_directory(current: str, path: str) -> str:
    """What WORKDIR sets: an absolute path as it is written, a relative one joined and cleaned."""
    return path if path.startswith("/") else resolve(current, path)


def resolve(directory: str, path: str) -> str:
    """``path`` as seen from ``directory``, cleaned where every part is known."""
    if path.startswith(OPEN):
        return symbol("join", directory, path)
    joined = path if path.startswith("/") else f"{directory}/{path}"
    return clean(joined)


def clean(path: str) -> str:
    """Go's ``path.Clean`` of an absolute path; behind an unknown part ``..`` stays as written."""
    if not is_symbolic(path):
        return posixpath.normpath("/" + path.lstrip("/"))
    below = path.removeprefix(ROOT_DIRECTORY)
    if below == path or is_symbolic(below) or ".." in below.split("/"):
        return path
    tail = posixpath.normpath("/" + below.lstrip("/"))
    return ROOT_DIRECTORY + (tail if tail != "/" else "")


def destination(directory: str, path: str) -> str:
    """Where COPY and ADD put things; a final slash is kept, for it means a directory."""
    resolved = resolve(directory, path or ".")
    if path.endswith("/."):
        return f"{resolved.rstrip('/')}/."
    slash = path in ("", ".") or path.endswith("/")
    return resolved if not slash or resolved.endswith("/") else resolved + "/"
