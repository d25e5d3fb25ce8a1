"""The little that is asked of git; a tree without it is fine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence


def ignored_by_git(paths: Sequence[str]) -> str | None:
    """The first of the paths that git would ignore; ``None`` where there is none, or no git."""
    found = _git(paths, "check-ignore", "--no-index", "-z", "--stdin")
    if not found:
        return None
    first = os.fsdecode(found.split(b"\0")[0])
    return next((path for path in paths if os.path.abspath(path) == first), first)


def changed_since_commit(paths: Sequence[str]) -> list[str]:
    """Those of the paths that git tracks and that differ from the last commit."""
    wanted = {os.path.realpath(path): path for path in paths}
    top = _git(paths, "rev-parse", "--show-toplevel")
    found = _git(paths, "diff", "--name-only", "-z", "HEAD", "--")
    if not top or not found:
        return []
    root = os.fsdecode(top.rstrip(b"\n"))
    names = (os.path.join(root, os.fsdecode(name)) for name in found.split(b"\0") if name)
    return sorted(wanted[real] for name in names if (real := os.path.realpath(name)) in wanted)


def unknown_to_git(top: str) -> set[str]:
    """What of a work tree git would not add: what it ignores, and folders without any file.

    Relative to its ``top``; whole folders by name.
    """

    def listed(*options: str) -> set[str]:
        others = ("--others", "--exclude-standard", "--directory", "-z")
        found = _git([os.path.join(top, ".git")], "ls-files", *others, *options)
        return {os.fsdecode(name).rstrip("/") for name in found.split(b"\0") if name}

    return listed("--ignored") | (listed() - listed("--no-empty-directory"))


def submodules(top: str) -> set[str]:
    """The folders of a work tree, relative to its ``top``, that are repositories of their own."""
    found = _git([os.path.join(top, ".git")], "ls-files", "--stage", "-z")
    entries = (entry.partition(b"\t") for entry in found.split(b"\0"))
    return {os.fsdecode(name) for about, _, name in entries if about.startswith(b"160000 ")}


def touched_files(top: str, reference: str) -> list[str]:
    """The files of a work tree, relative to its ``top``, that differ from a commit or are new."""
    below = [os.path.join(top, ".git")]
    found = _git(below, "diff", "--name-only", "--no-renames", "--no-relative", "-z", reference)
    found += _git(below, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({os.fsdecode(name) for name in found.split(b"\0") if name})


def _git(paths: Sequence[str], *arguments: str) -> bytes:
    """What git prints, asked where the first path lies; nothing where it has nothing to say."""
    if not paths:
        return b""
    folder = os.path.dirname(os.path.abspath(paths[0]))
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    given = b"\0".join(os.fsencode(os.path.abspath(path)) for path in paths)
    try:
        found = subprocess.run(
            ["git", "-C", folder, *arguments],
            input=given,
            capture_output=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return found.stdout if found.returncode == 0 else b""
