"""Reads a repository's Dockerfiles into an image set: discover, parse, evaluate, once each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from dockstrata.errors import DockstrataError
from dockstrata.load.context import ContextError, context_for
from dockstrata.load.discover import discover, tidy
from dockstrata.load.generated import generated_by, template_for
from dockstrata.load.lookalike import Skipped
from dockstrata.meaning.context import ContextReader, Taken
from dockstrata.meaning.evaluate import Evaluation, Stage, canonical_image, evaluate
from dockstrata.meaning.images import ImageSet, image_set
from dockstrata.meaning.step import Barrier
from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse
from dockstrata.syntax.words import is_symbolic

BASE_MARK = "# dockstrata base "
"""Begins the line by which a base image that dockstrata wrote says what its children call it."""
CONTEXT_MARK = "# dockstrata context "
"""Begins the line that gives such a base's build context, relative to its own folder."""


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
    ever written outside it.
    """

    root: str
    set: ImageSet
    library: Library
    skipped: tuple[Skipped, ...]
    problems: tuple[Problem, ...]
    generated: dict[str, Generated]

    def under_root(self, *parts: str) -> str:
        """A path below the root, as the user would write it."""
        return tidy(os.path.join(self.root, *parts))


def read_repository(paths: Sequence[str], *, exclude: Sequence[str] = ()) -> Repository:
    """Read every Dockerfile under ``paths``.

    Raises :class:`DockstrataError` where a path does not exist or no Dockerfile is found.
    """
    found = discover(paths, exclude=exclude)
    if not found.files:
        where = ", ".join(paths)
        skipped = f" ({len(found.skipped)} look-alikes skipped)" if found.skipped else ""
        raise DockstrataError(f"no Dockerfile found{skipped}", where)
    problems: list[Problem] = []
    generated: dict[str, Generated] = {}
    documents: list[Document] = []
    for path in found.files:
        try:
            with open(path, "rb") as file:
                source = Source.from_bytes(path, file.read())
        except OSError as error:
            problems.append(Problem(path, 1, f"cannot be read: {error.strerror}"))
            continue
        document = parse(source)
        if document.faults:
            fault = document.faults[0]
            problems.append(Problem(path, fault.line, fault.message))
        phrase = generated_by(source.text)
        template = template_for(path, text=source.text)
        if phrase is not None or template is not None:
            generated[path] = Generated(phrase, template)
        documents.append(document)
    library = Library(documents)
    images = image_set(library.evaluation(document.path) for document in documents)
    root = common_root(paths)
    return Repository(root, images, library, found.skipped, tuple(problems), generated)


class Library:
    """Evaluates the documents of a set, each once, following FROM from file to file.

    A base that dockstrata wrote says in its first lines what its children call it.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = {document.path: document for document in documents}
        self.evaluations: dict[str, Evaluation | None] = {}
        self.builds: dict[str, str] = {}
        self.contexts: dict[str, str] = {}
        for document in documents:
            for comment in document.comments[:8]:
                if comment.text.startswith(BASE_MARK):
                    reference = comment.text[len(BASE_MARK) :].strip()
                    self.builds.setdefault(canonical_image(reference), document.path)
                elif comment.text.startswith(CONTEXT_MARK):
                    self.contexts[document.path] = comment.text[len(CONTEXT_MARK) :].strip()

    def evaluation(self, path: str) -> Evaluation:
        """The evaluated Dockerfile at ``path``."""
        found = self.evaluations.get(path)
        if found is None:
            self.evaluations[path] = None  # while under way: a cycle resolves to nothing
            document = self.documents[path]
            found = evaluate(document, reader(self.context_of(path), path), self.resolve)
            self.evaluations[path] = found
        return found

    def context_of(self, path: str) -> str:
        """The build context of a Dockerfile: its own folder where nothing says otherwise."""
        folder = os.path.dirname(path) or "."
        given = self.contexts.get(path)
        return folder if given is None else os.path.join(folder, given)

    def resolve(self, reference: str) -> Stage | None:
        """The stage that builds ``reference``, spelled in full, where one of the set does."""
        path = self.builds.get(reference)
        if path is None or (path in self.evaluations and self.evaluations[path] is None):
            return None
        evaluation = self.evaluation(path)
        if evaluation.document.faults or not evaluation.stages:
            return None
        return evaluation.stages[-1]


def evaluate_in_place(document: Document, context: str | None = None) -> Evaluation:
    """Evaluate one document with the files of its build context, by default its own folder."""
    directory = context if context is not None else os.path.dirname(document.path) or "."
    return evaluate(document, reader(directory, document.path))


def reader(directory: str, dockerfile: str) -> ContextReader:
    """What COPY takes from ``directory`` when ``dockerfile`` is built with it."""
    directory = tidy(directory)

    def read(source: str, excludes: Sequence[str]) -> Taken:
        if any(is_symbolic(text) for text in (source, *excludes)):
            key = ("symbolic", os.path.abspath(directory), source, tuple(excludes))
            return Taken(key, directory)
        try:
            digest = context_for(directory, dockerfile).digest(source, excludes)
        except ContextError as error:
            # The same missing file of the same context is still one file, whenever it comes.
            key = ("absent", os.path.abspath(directory), source, tuple(excludes))
            if error.reason == "missing-source":
                return Taken(key, directory)
            return Taken(key, directory, Barrier(error.reason, error.message))
        return Taken(("files", digest), directory)

    return read


def common_root(paths: Sequence[str]) -> str:
    """The directory that every path is or lies in."""
    folders = [path if os.path.isdir(path) else os.path.dirname(path) or "." for path in paths]
    if len(folders) == 1:
        return tidy(folders[0])
    if any(os.path.isabs(folder) for folder in folders):
        return tidy(os.path.commonpath([os.path.abspath(folder) for folder in folders]))
    common = os.path.commonpath([os.path.abspath(folder) for folder in folders])
    return tidy(os.path.relpath(common))
