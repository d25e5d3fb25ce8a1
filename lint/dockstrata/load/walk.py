"""One pass over a directory tree: Dockerfiles, compose and bake files, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockstrata.load import names
from dockstrata.load.lookalike import Skipped

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# ruff's list, but for `build`, `dist`, `_build` and `.vscode`: Dockerfiles live in those.
_TOOL_FOLDERS = names.words(
    """.bzr .direnv .eggs .git .git-rewrite .hg .ipynb_checkpoints .mypy_cache .nox .pants.d .pyenv
    .pytest_cache .pytype .ruff_cache .svn .tox .venv __pypackages__ buck-out node_modules
    site-packages venv"""
)
OWN_IGNORE = ".dockstrataignore"

# Ignore rules in force: the directory they are relative to (real path), and the patterns.
_Rules = tuple[tuple[str, "GitIgnoreSpec"], ...]


@dataclass(slots=True)
class Walk:
    """What a walk met; paths as the user would write them, in no particular order.

    ``dockerfiles`` gives the real path of each; ``python`` stays empty where it was not asked for.
    ``ignored`` counts the Dockerfiles, by name, that patterns left out, folders not entered aside.
    """

    dockerfiles: dict[str, str] = field(default_factory=dict)
    wiring: list[str] = field(default_factory=list)
    python: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    ignored: int = 0


def walk(
    root: str,
    into: Walk,
    exclude: Sequence[str] = (),
    respect_ignore: bool = True,
    python: bool = False,
) -> None:
    """Walk a directory and add what is found to ``into``.

    ``exclude`` are gitignore patterns relative to the working directory. Directories that
    patterns exclude are not entered; symbolic links to directories are never followed.
    ``python`` asks for Python files too (links to them left out).
    """
    _Walker(root, into, exclude, respect_ignore, python).run()


class _Walker:
    def __init__(
        self, root: str, into: Walk, exclude: Sequence[str], respect_ignore: bool, python: bool
    ) -> None:
        self.root = root
        self.real = os.path.realpath(root)
        self.into = into
        self.respect_ignore = respect_ignore
        self.python = python
        self.excluded = _exclusion(exclude, self.real)

    def run(self) -> None:
        git: _Rules = ()
        own: _Rules = ()
        if self.respect_ignore:
            git = _rules_above(self.real)
            own = tuple(rule for folder in _above(self.real) for rule in _read(folder, OWN_IGNORE))
            if _decide(git, self.real, True):  # asked for by name: rules above do not apply
                git = ()
            if _decide(own, self.real, True):
                own = ()
        stack = [("" if self.root == "." else self.root.rstrip("/") + "/", self.real, git, own)]
        while stack:
            shown, real, git, own = stack.pop()
            try:
                with os.scandir(real) as scan:
                    entries = list(scan)
            except OSError as error:
                message = f"cannot be read: {error.strerror}"
                self.into.skipped.append(Skipped(shown.rstrip("/") or ".", "unreadable", message))
                continue
            if self.respect_ignore:
                present = {entry.name for entry in entries if entry.name.endswith("ignore")}
                if ".gitignore" in present:
                    git += tuple(_read(real, ".gitignore"))
                if OWN_IGNORE in present:
                    own += tuple(_read(real, OWN_IGNORE))
            for entry in entries:
                name = entry.name
                try:
                    is_dir = entry.is_dir(follow_symlinks=False)
                except OSError:
                    is_dir = False
                if is_dir:
                    if name not in _TOOL_FOLDERS and not self._ignored(entry.path, git, own, True):
                        stack.append((f"{shown}{name}/", entry.path, git, own))
                elif self.python and names.is_python_name(name) and not entry.is_symlink():
                    if entry.is_file() and not self._ignored(entry.path, git, own, False):
                        self.into.python.append(shown + name)
                elif names.interesting(name) or entry.is_symlink():
                    if not self._ignored(entry.path, git, own, False):
                        self._file(entry, shown + name)
                    elif names.is_dockerfile_name(name):
                        self.into.ignored += 1

    def _ignored(self, real: str, git: _Rules, own: _Rules, is_dir: bool) -> bool:
        if self.excluded is not None and self.excluded(real, is_dir):
            return True
        if own and (decision := _decide(own, real, is_dir)) is not None:
            return decision
        return bool(git and _decide(git, real, is_dir))

    def _file(self, entry: os.DirEntry[str], shown: str) -> None:
        dockerfile = names.is_dockerfile_name(entry.name)
        wiring = names.is_compose_name(entry.name) or names.is_bake_name(entry.name)
        target = entry.path
        if entry.is_symlink():
            target = os.path.realpath(entry.path)
            inside = target == self.real or target.startswith(self.real.rstrip("/") + "/")
            if not inside and (dockerfile or wiring or os.path.isdir(target)):
                message = "leads out of the directory that was given"
                self.into.skipped.append(Skipped(shown, "symlink-outside-root", message))
                return
            if dockerfile and not os.path.exists(target):
                message = "is a symbolic link to nothing"
                self.into.skipped.append(Skipped(shown, "broken-symlink", message))
                return
            if os.path.isdir(target):
                return  # its files are met where they really are
        if dockerfile:
            if entry.is_file():
                self.into.dockerfiles[shown] = target
            else:
                self.into.skipped.append(Skipped(shown, "not-a-file", "is not a regular file"))
        elif wiring and entry.is_file():
            self.into.wiring.append(shown)


def _exclusion(exclude: Sequence[str], root: str) -> Callable[[str, bool], bool] | None:
    if not exclude:
        return None
    here = os.path.realpath(".")
    # Out of the working directory, patterns are relative to what was given.
    base = here if root == here or root.startswith(here.rstrip("/") + "/") else root
    rules: _Rules = ((base, _spec(exclude)),)
    return lambda real, is_dir: bool(_decide(rules, real, is_dir))


def _decide(rules: _Rules, real: str, is_dir: bool) -> bool | None:
    """Whether rules ignore a path; None where no pattern says anything. The deepest rule wins."""
    for base, spec in reversed(rules):
        relative = real[len(base) :].lstrip("/")
        if relative and real.startswith(base):
            include = spec.check_file(relative + "/" if is_dir else relative).include
            if include is not None:
                return include
    return None


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    good = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:  # git passes over a pattern that it cannot read
            continue
        good.append(line)
    return GitIgnoreSpec.from_lines(good)


def _read(folder: str, name: str) -> Iterable[tuple[str, GitIgnoreSpec]]:
    try:
        with open(os.path.join(folder, name), "rb") as file:
            text = file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return ()
    lines = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
    return ((folder, _spec(lines)),) if lines else ()


def _above(real: str) -> list[str]:
    """The directories from the repository's root down to the parent; none outside of one."""
    found: list[str] = []
    folder = real
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return []
        folder = parent
        found.append(folder)
    return found[::-1]


def _rules_above(real: str) -> _Rules:
    folders = _above(real)
    top = folders[0] if folders else real
    found = [(top, spec) for _, spec in _read(os.path.join(top, ".git", "info"), "exclude")]
    for folder in folders:
        found += _read(folder, ".gitignore")
    return tuple(found)
