"""A set after ``dockstrata apply``, in a git repository of its own that tells what was written."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from build_apart import run


def applied(old: Path, new: Path, options: list[str]) -> Path:
    """A copy of a set, committed and refactored."""
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(old, new, symlinks=True)
    name = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for command in (["init", "-q"], ["add", "--all", "--force"], ["commit", "-qm", "before"]):
        run("git", *name, *command, folder=new)
    done = run(sys.executable, "-m", "dockstrata", "apply", *options, folder=new)
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise SystemExit(f"{new}: apply fails\n{done.stdout}\n{done.stderr}")
    return new


def changed(folder: Path) -> set[str]:
    """The committed files that are not as they were."""
    return set(run("git", "diff", "--name-only", "HEAD", folder=folder).stdout.splitlines())


def written(folder: Path) -> set[str]:
    """All files that are not as they were and folders that are new, also as seen from a context."""
    run("git", "add", "--intent-to-add", "--all", "--force", folder=folder)
    found = changed(folder)
    for path in list(found):
        for parent in Path(path).parents:
            if not run("git", "ls-tree", "HEAD", "--", str(parent), folder=folder).stdout:
                found.add(str(parent))
    parts = [path.split("/") for path in found - {"."}]
    return {"/".join(path[start:]) for path in parts for start in range(len(path))}
