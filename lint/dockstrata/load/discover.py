"""Which Dockerfiles there are under the paths that a user names."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from dockstrata.errors import DockstrataError
from dockstrata.load.lookalike import Skipped, lookalike
from dockstrata.load.names import is_python_name
from dockstrata.load.walk import Walk, walk

__all__ = ["Discovery", "Skipped", "discover"]

# Longer than any Dockerfile; what follows is not looked at to tell what a file is.
_ENOUGH = 4 << 20


@dataclass(frozen=True, slots=True)
class Discovery:
    """Sorted paths, as the user would write them, each file once.

    ``files`` are Dockerfiles; ``wiring`` are the compose and bake files met on the same walk;
    ``python`` are Python files, which may have Dockerfiles in their string literals; ``ignored``
    counts what is called like a Dockerfile and was left out by ignore files or ``exclude``.
    """

    files: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    wiring: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    ignored: int = 0

    def nothing(self, *more: str) -> str:
        """That no Dockerfile was found, and what there is instead; ``more`` is what else."""
        skipped = f"{len(self.skipped)} look-alikes skipped" if self.skipped else ""
        ignored = f"{self.ignored} left out by ignore files or --exclude" if self.ignored else ""
        what = ", ".join(filter(None, (skipped, ignored, *more)))
        return "no Dockerfile found" + (f" ({what})" if what else "")


def discover(
    paths: Sequence[str],
    *,
    exclude: Sequence[str] = (),
    respect_ignore: bool = True,
    python: bool = False,
) -> Discovery:
    """Find Dockerfiles: a path to a file is taken as it is, a directory is walked.

    ``exclude`` are gitignore patterns relative to the working directory; they, ``.gitignore``
    and ``.dockstrataignore`` do not touch files that are named. ``respect_ignore`` set to False
    passes over the ignore files alone. ``python`` looks for Python files in directories too.

    Raises :class:`DockstrataError` for a path that does not exist.
    """
    found = Walk()
    named: list[str] = []
    if "" in paths:
        raise DockstrataError("an empty path was given")
    for path in dict.fromkeys(map(tidy, paths)):
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no such file or directory"
            raise DockstrataError(reason[0].lower() + reason[1:], path) from None
        if stat.S_ISDIR(mode):
            walk(path, found, exclude, respect_ignore, python)
        elif is_python_name(path):
            found.python.append(path)
        else:
            named.append(path)
    files: list[str] = []
    skipped = found.skipped
    seen: set[str] = set()
    for path in named:
        if (real := os.path.realpath(path)) not in seen:
            seen.add(real)
            _take(path, files, skipped, found.python, named=True)
    # Real files go before links to them, so that a link beside its target is the duplicate.
    linked = os.path.islink
    for path, real in sorted(found.dockerfiles.items(), key=lambda item: (linked(item[0]), item)):
        if real not in seen:
            seen.add(real)
            _take(path, files, skipped, found.python if python else None, named=False)
        elif linked(path):
            message = "is a symbolic link to a file that is taken already"
            skipped.append(Skipped(path, "symlink-duplicate", message))
    return Discovery(
        tuple(sorted(files)),
        tuple(sorted(set(skipped), key=lambda skip: (skip.path, skip.reason))),
        tuple(sorted(set(found.wiring))),
        tuple(sorted({os.path.realpath(path): path for path in sorted(found.python)}.values())),
        found.ignored,
    )


def tidy(path: str) -> str:
    """A path as the user would write it: posix slashes, cleaned, no leading ``./``."""
    if not path:
        return "."
    if os.sep != "/":
        path = path.replace(os.sep, "/")
    return os.path.normpath(path).replace(os.sep, "/")


def _take(
    path: str,
    files: list[str],
    skipped: list[Skipped],
    python: list[str] | None,
    *,
    named: bool,
) -> None:
    """Sort a path into one of the lists; a program goes to ``python`` where there is one."""
    try:
        # Only regular files are read here: a pipe that a user names can be read but once.
        if stat.S_ISREG(os.stat(path).st_mode):
            with open(path, "rb") as file:
                text = file.read(_ENOUGH).decode("utf-8", "surrogateescape")
            if (skip := lookalike(path, text, named=named)) is not None:
                if (
                    python is not None
                    and skip.reason == "not-a-dockerfile"
                    and path.endswith(".py")
                ):
                    python.append(path)
                else:
                    skipped.append(skip)
                return
    except OSError as error:
        skipped.append(Skipped(path, "unreadable", f"cannot be read: {error.strerror}"))
        return
    files.append(path)
