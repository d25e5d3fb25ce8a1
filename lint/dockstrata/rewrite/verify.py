"""Proves a tree equal to another state of it, image by image, whoever made the change.

Both states are read and flattened; images are matched by Dockerfile and stage. The Dockerfiles
themselves, bases and wiring are left out of what COPY takes: they are what is allowed to change. So
is what git ignores or cannot hold: no commit has it.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dockstrata.errors import DockstrataError
from dockstrata.load.context import BuildContext, ContextError
from dockstrata.load.discover import discover, tidy
from dockstrata.load.ignorefile import IgnoreFile
from dockstrata.load.wiring import Build
from dockstrata.meaning.context import ContextReader, Taken
from dockstrata.meaning.evaluate import Evaluation
from dockstrata.meaning.images import Image
from dockstrata.meaning.repository import Repository, read_repository
from dockstrata.meaning.step import Barrier
from dockstrata.rewrite.git import submodules, touched_files, unknown_to_git
from dockstrata.rewrite.journal import FOLDER
from dockstrata.rewrite.proof import difference
from dockstrata.syntax.words import is_symbolic


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an image: ``equal``, ``different``, ``removed``, ``dissolved`` (a base that
    dockstrata wrote and took back) or ``new``; and how."""

    id: str
    outcome: str
    message: str = ""


def verify_against(
    paths: Sequence[str],
    reference: str,
    configured: Callable[[str], Sequence[Build]] = lambda top: (),
) -> list[Verdict]:
    """Compare the work tree under ``paths`` with a commit.

    ``configured`` gives the builds that the configuration of a tree tells, by its top.
    Raises :class:`DockstrataError` where git cannot give the commit, or nothing is to be read.
    """
    for path in paths:
        if not os.path.exists(path):
            raise DockstrataError("no such file or directory", path)
    with checked_out(paths[0], reference) as (old_top, new_top):
        # Bases may lie anywhere in the repository, so all of it is read.
        old_files, new_files = build_files(old_top), build_files(new_top)
        # Other repositories in it are in no checkout of this one; theirs is what git says.
        alike = submodules(new_top) - set(touched_files(new_top, reference))
        files = old_files | new_files | alike
        here = tidy(os.path.relpath(new_top))
        old, new = (
            read_repository([top], builds=configured(top), read=tree_reader(real, left_out))
            for top, real, left_out in (
                (old_top, old_top, files),
                (here, new_top, files | unknown_to_git(new_top)),
            )
        )
        asked = [os.path.relpath(os.path.realpath(path), new_top) for path in paths]
        return compare(old, new, asked)


def compare(old: Repository, new: Repository, asked: Sequence[str]) -> list[Verdict]:
    """The verdict on every image below ``asked`` (paths seen from the roots) of two states of a
    repository, in order of path and stage."""
    verdicts: list[Verdict] = []
    mine = _by_file(old, asked)
    theirs = _by_file(new, asked)
    for key, before in mine.items():
        after = theirs.get(key, [])
        matched = _match(before, after)
        for image, other in zip(before, matched, strict=True):
            shown = other.id if other is not None else new.under_root(_seen(image.id, old))
            if other is None:
                # Whoever still stood on such a base would differ.
                ours = old.library.marked.get(image.path, "").startswith("localhost/")
                verdicts.append(Verdict(shown, "dissolved" if ours else "removed"))
            elif (message := difference(image.stage, other.stage)) is not None:
                verdicts.append(Verdict(shown, "different", message))
            else:
                verdicts.append(Verdict(shown, "equal"))
        verdicts += [Verdict(image.id, "new") for image in after if image not in matched]
    for key, after in theirs.items():
        if key not in mine:
            verdicts += [Verdict(image.id, "new") for image in after]
    return verdicts


def _by_file(repository: Repository, asked: Sequence[str]) -> dict[tuple[str, int], list[Image]]:
    """Images by Dockerfile, as seen from the root, and number of the build."""
    numbers: dict[str, list[Evaluation]] = {}
    found: dict[tuple[str, int], list[Image]] = {}
    for image in repository.set.images:
        path = _seen(image.path, repository)
        if not any(part in (".", path) or path.startswith(part + os.sep) for part in asked):
            continue
        builds = numbers.setdefault(path, [])
        if image.evaluation not in builds:
            builds.append(image.evaluation)
        found.setdefault((path, builds.index(image.evaluation)), []).append(image)
    return found


def _match(before: Sequence[Image], after: Sequence[Image]) -> list[Image | None]:
    """For each old stage the new one: by name, those of one name, or of none, in their order."""
    by_name: dict[str | None, deque[Image]] = defaultdict(deque)
    for image in after:
        by_name[image.stage.name].append(image)
    found = [by_name[image.stage.name] for image in before]
    return [alike.popleft() if alike else None for alike in found]


def _seen(path: str, repository: Repository) -> str:
    return os.path.relpath(path, repository.root)


def build_files(top: str) -> set[str]:
    """Dockerfiles and wiring, as seen from ``top``."""
    found = discover([top])
    names = (*found.files, *found.wiring, *(skip.path for skip in found.skipped))
    return {os.path.relpath(os.path.realpath(name), top) for name in names}


def tree_reader(top: str, left_out: set[str]) -> Callable[[str, str], ContextReader]:
    """What COPY takes in one of two trees that are compared, as :class:`Library` reads it.

    Keys name directories relative to ``top``. The files and folders of ``left_out`` (relative to
    it) and git's own are in no build context.
    """
    contexts: dict[tuple[str, str], BuildContext | ContextError] = {}

    def for_build(directory: str, dockerfile: str) -> ContextReader:
        def read(
            source: str, excludes: Sequence[str], *, parents: bool = False, named: str | None = None
        ) -> Taken:
            key = (directory, dockerfile) if named is None else (named, "")
            where = os.path.relpath(os.path.abspath(key[0]), top)
            what = (where, source, tuple(excludes), parents)
            if any(is_symbolic(text) for text in (source, *excludes)):
                return Taken(("symbolic", *what), key[0])
            try:
                if key not in contexts:
                    contexts[key] = _context(*key, top, left_out)
                context = contexts[key]
                assert isinstance(context, BuildContext)
                digest = context.digest(source, excludes, parents=parents)
                return Taken(("files", digest), key[0])
            except ContextError as error:
                barrier = None
                if error.reason != "missing-source":
                    barrier = Barrier(error.reason, error.message)
                return Taken(("absent", *what), key[0], barrier)

        return read

    return for_build


def _context(directory: str, dockerfile: str, top: str, left_out: set[str]) -> BuildContext:
    """The build context without the files, and folders of nothing else, that are left out."""
    text = ""
    own = [f"{dockerfile}.dockerignore"] if dockerfile else []
    for path in (*own, os.path.join(directory, ".dockerignore")):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            text = file.read().decode("utf-8", "surrogateescape")
            break
    where = os.path.realpath(directory)
    patterns = [text]
    for name in sorted(_with_folders(left_out, top)):
        relative = os.path.relpath(os.path.join(top, name), where).replace(os.sep, "/")
        if not relative.startswith(".."):
            patterns.append("/" + re.sub(r"([*?\[\]\\!#])", r"\\\1", relative))
    return BuildContext(directory, IgnoreFile.parse("\n".join(patterns), directory))


def _with_folders(names: set[str], top: str) -> set[str]:
    """``names`` and the folders in which nothing else is."""
    found = set(names) | {FOLDER, ".git"}
    folders = {os.path.dirname(name) for name in names}
    while folders:
        folder = max(folders, key=len)
        folders.discard(folder)
        if not folder:
            continue
        try:
            entries = os.listdir(os.path.join(top, folder))
        except OSError:
            continue
        if all(os.path.join(folder, entry) in found for entry in entries):
            found.add(folder)
            folders.add(os.path.dirname(folder))
    return found


@contextlib.contextmanager
def checked_out(path: str, reference: str) -> Iterator[tuple[str, str]]:
    """A folder with the files of a commit, and the top of the work tree that ``path`` is in.

    The files are as git checks them out, through an index of our own: unlike ``git archive`` it
    leaves nothing out that ``.gitattributes`` keeps from archives.
    """
    top = os.path.realpath(_git(".", path, "rev-parse", "--show-toplevel").decode().strip())
    commit = _git(top, top, "rev-parse", "--verify", "--end-of-options", f"{reference}^{{commit}}")
    with tempfile.TemporaryDirectory(prefix="dockstrata-") as folder:
        tree, index = os.path.join(folder, "tree"), os.path.join(folder, "index")
        os.mkdir(tree)
        _git(top, top, "read-tree", commit.decode().strip(), index=index)
        _git(top, top, "checkout-index", "--all", "--quiet", f"--prefix={tree}/", index=index)
        yield os.path.realpath(tree), top


def _git(folder: str, path: str, *arguments: str, index: str | None = None) -> bytes:
    where = path if os.path.isdir(path) else os.path.dirname(path) or "."
    environment = None if index is None else {**os.environ, "GIT_INDEX_FILE": index}
    try:
        done = subprocess.run(
            ["git", "-C", where if folder == "." else folder, *arguments],
            env=environment,
            capture_output=True,
            check=False,
        )
    except OSError:
        raise DockstrataError("git is needed to read a commit, and was not found") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else "git failed"
        reason = reason.removeprefix("fatal: ")
        if "rev-parse" in arguments and "--verify" in arguments:
            reason = f"git knows no commit {arguments[-1].removesuffix('^{commit}')}"
        raise DockstrataError(reason, path)
    return done.stdout
