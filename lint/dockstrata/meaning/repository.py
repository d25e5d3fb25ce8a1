"""Reads a repository's Dockerfiles into an image set: discover, parse, evaluate, once each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from dockstrata.errors import DockstrataError
from dockstrata.load.builds import Builds, load_builds
from dockstrata.load.discover import discover, tidy
from dockstrata.load.generated import Look, generated_by, list_directory, read_text, template_for
from dockstrata.load.lookalike import Skipped
from dockstrata.load.wiring import Build
from dockstrata.meaning.context import ContextReader
from dockstrata.meaning.images import ImageSet, image_set
from dockstrata.meaning.library import WRITTEN, Library
from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that is in the set and has no images: where, and why."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Generated:
    """A Dockerfile that a program writes: the phrase that says so, or the template found."""

    phrase: str | None
    template: str | None

    @property
    def reason(self) -> str:
        if self.template is not None:
            return f"is generated from {self.template}"
        return f"says that it is generated: “{self.phrase}”"


@dataclass(frozen=True, slots=True)
class Repository:
    """A set of Dockerfiles as it lies on disk.

    ``root`` is the directory that all given paths lie in, as the user would write it; nothing is
    ever written outside it. ``exclude`` and ``configured`` are what it was read with.
    """

    root: str
    set: ImageSet
    library: Library
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]
    generated: dict[str, Generated]
    exclude: tuple[str, ...] = ()
    configured: tuple[Build, ...] = ()

    def with_library(self, library: Library) -> Repository:
        """The same repository with other texts."""
        return replace(self, set=image_set(library.all()), library=library)

    @property
    def unreadable(self) -> list[tuple[str, str]]:
        """What could not be read at all, and why: a job that leaves it out is not done."""
        return [(skip.path, skip.message) for skip in self.skipped if skip.reason == "unreadable"]

    @property
    def is_done(self) -> bool:
        """Whether all was read that can be, and something at all."""
        return bool(self.set.images) and not self.unreadable

    def under_root(self, *parts: str) -> str:
        """A path below the root, as the user would write it."""
        return tidy(os.path.join(self.root, *parts))


def read_repository(
    paths: Sequence[str],
    *,
    exclude: Sequence[str] = (),
    builds: Sequence[Build] = (),
    read: Callable[[str, str], ContextReader] | None = None,
) -> Repository:
    """Read every Dockerfile under ``paths``; ``read`` as in :class:`Library`.

    ``builds`` are told by the configuration, and go before what compose and bake files say.

    Raises :class:`DockstrataError` where a path does not exist or no Dockerfile is found.
    """
    found = discover(paths, exclude=exclude)
    wiring = [path for path in found.wiring if not written_by_us(path)]
    if not found.files:
        inline = _inline(load_builds((), (), wiring=wiring))
        more = f"{len(inline)} inside compose or bake files left out" if inline else ""
        raise DockstrataError(found.nothing(more), ", ".join(paths))
    problems: list[Problem] = []
    unreadable: list[Skipped] = []
    documents: list[Document] = []
    for path in found.files:
        if not os.path.isfile(path):
            unreadable.append(Skipped(path, "unreadable", "is not a regular file"))
            continue
        try:
            with open(path, "rb") as file:
                source = Source.from_bytes(path, file.read())
        except OSError as error:
            unreadable.append(Skipped(path, "unreadable", f"cannot be read: {error.strerror}"))
            continue
        document = parse(source)
        if document.faults:
            fault = document.faults[0]
            problems.append(Problem(path, fault.line, fault.message))
        documents.append(document)
    if not documents:
        raise DockstrataError(unreadable[0].message, unreadable[0].path)
    wired = load_builds(paths, found.files, wiring=wiring)
    problems += [
        Problem(problem.path, problem.line, problem.message)
        for problem in wired.problems
        if problem.reason not in ("unknown-value", "inline")
    ]
    library = Library(documents, all_builds(wired, builds), read)
    images = image_set(library.all())
    root = common_root(paths)
    left_out = (*found.skipped, *unreadable, *_inline(wired))
    generated = generated_files(documents)
    told = (tuple(exclude), tuple(builds))
    return Repository(root, images, library, left_out, tuple(problems), generated, *told)


def _inline(wired: Builds) -> list[Skipped]:
    """Dockerfiles that stand inside compose or bake files."""
    return [
        Skipped(problem.path, "inline", f"line {problem.line}: {problem.message}")
        for problem in wired.problems
        if problem.reason == "inline"
    ]


def generated_files(documents: Iterable[Document]) -> dict[str, Generated]:
    """Those of the documents, by path, that a program writes."""
    look, text_of = Look(list_directory), lru_cache(256)(read_text)
    found: dict[str, Generated] = {}
    for document in documents:
        text = document.source.text
        phrase = generated_by(text)
        template = template_for(document.path, look, text=text, read=text_of)
        if phrase is not None or template is not None:
            found[document.path] = Generated(phrase, template)
    return found


def all_builds(wired: Builds, configured: Sequence[Build]) -> dict[str, list[Build]]:
    """How each Dockerfile is built: as configured, else as compose and bake files say."""
    found = {path: list(builds) for path, builds in wired.by_dockerfile.items()}
    told: dict[str, list[Build]] = {}
    for build in configured:
        told.setdefault(build.dockerfile, []).append(build)
    return {**found, **told}


def written_by_us(path: str) -> bool:
    """Whether a bake file is our own: it repeats what the bases' marks say."""
    try:
        with open(path, "rb") as file:
            return file.read(len(WRITTEN)) == WRITTEN.encode()
    except OSError:
        return False


def common_root(paths: Sequence[str]) -> str:
    """The directory that every path is or lies in."""
    folders = [path if os.path.isdir(path) else os.path.dirname(path) or "." for path in paths]
    if len(folders) == 1:
        return tidy(folders[0])
    if any(os.path.isabs(folder) for folder in folders):
        return tidy(os.path.commonpath([os.path.abspath(folder) for folder in folders]))
    common = os.path.commonpath([os.path.abspath(folder) for folder in folders])
    return tidy(os.path.relpath(common))
