"""The little that is asked of git; a tree without it is fine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence


def ignored_by_git(paths: Sequence[str]) -> str | None:
    """The first of the paths that git would ignore; ``None`` where there is none, or no git."""
    if not paths:
        return None
    folder = os.path.dirname(os.path.abspath(paths[0]))
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    try:
        found = subprocess.run(
            ["git", "-C", folder, "check-ignore", "--no-index", "-z", "--stdin"],
            input="\0".join(os.path.abspath(path) for path in paths).encode(),
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    if found.returncode != 0:
        return None
    first = os.fsdecode(found.stdout.split(b"\0")[0])
    return next((path for path in paths if os.path.abspath(path) == first), first)
