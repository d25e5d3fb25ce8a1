"""The images of the set that a linted file stands on: FROM names what another file here builds.

Each file is checked alone, in whatever process. What its parent leaves (user, working directory,
SHELL, environment) is evaluated here on demand, so that a file on a root image costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from dockstrata.meaning.evaluate import Evaluation, Resolver, evaluate, nothing_known
from dockstrata.meaning.marks import base_reference
from dockstrata.meaning.stage import Stage, canonical_image
from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse
from dockstrata.syntax.reference import parse_reference


@dataclass(frozen=True, slots=True)
class Builder:
    """What builds an image: a Dockerfile, and its target stage (``None``: the last)."""

    path: str
    target: str | None = None


class Parents:
    """Finds what builds an image: as compose, bake or configuration say, or as a base's mark does.

    ``tags`` has builders by reference, spelled in full. ``bases`` is the folder that holds bases,
    looked for in the directories above a file, up to the repository's root.
    """

    def __init__(self, tags: Mapping[str, Builder], bases: str = "bases") -> None:
        self.tags = tags
        self.bases = bases
        self.evaluations: dict[str, Evaluation | None] = {}
        # Of this run alone: files change between two.
        self.documents: dict[str, Document | None] = {}
        self.holders: dict[str, tuple[str, ...]] = {}

    def resolver(self, document: Document) -> Resolver:
        """How FROM in this file is resolved."""
        for node in document.instructions:
            if node.keyword == "FROM" and node.arguments:
                name = node.arguments[0]
                if "$" not in name and self._builder(document.path, canonical_image(name)):
                    break
        else:
            return nothing_known

        def resolve(reference: str) -> Stage | None:
            builder = self._builder(document.path, reference)
            return None if builder is None else self._stage(builder)

        return resolve

    def _builder(self, path: str, reference: str) -> Builder | None:
        told = self.tags.get(reference)
        if told is not None:
            return None if told.path == path else told
        name = parse_reference(reference).short_name.rsplit("/", 1)[-1]
        marked = self._marked(os.path.dirname(path), name) if name else None
        if marked is None or marked == path:
            return None
        document = self._read(marked)
        mark = None if document is None else base_reference(document)
        same = mark is not None and canonical_image(mark) == reference
        return Builder(marked) if same else None

    def _stage(self, builder: Builder) -> Stage | None:
        path = builder.path
        if path not in self.evaluations:
            self.evaluations[path] = None  # while under way: a cycle resolves to nothing
            document = self._read(path)
            if document is not None and not document.faults:
                # The image that a builder makes carries SHELL; only the OCI format drops it.
                resolve = self.resolver(document)
                evaluation = evaluate(document, resolve_image=resolve, carry_shell=True)
                self.evaluations[path] = evaluation
        found = self.evaluations[path]
        if found is None or not found.stages:
            return None
        if builder.target is None:
            return found.stages[-1]
        if builder.target.isdecimal() and int(builder.target) < len(found.stages):
            return found.stages[int(builder.target)]
        return found.stage_named(builder.target, len(found.stages))

    def _read(self, path: str) -> Document | None:
        if path not in self.documents:
            try:
                with open(path, "rb") as file:
                    self.documents[path] = parse(Source.from_bytes(path, file.read()))
            except OSError:
                self.documents[path] = None
        return self.documents[path]

    def _marked(self, folder: str, name: str) -> str | None:
        if folder not in self.holders:
            self.holders[folder] = _holders(folder, self.bases)
        for holder in self.holders[folder]:
            path = os.path.join(holder, name, "Dockerfile")
            if os.path.isfile(path):
                return path
        return None


def _holders(folder: str, bases: str) -> tuple[str, ...]:
    """The folders of bases in the directories from ``folder`` to the repository's root."""
    found: list[str] = []
    shown, real = folder, os.path.abspath(folder)
    while True:
        path = os.path.normpath(os.path.join(shown, bases))
        if os.path.isdir(path):
            found.append(path)
        parent = os.path.dirname(real)
        if parent == real or os.path.exists(os.path.join(real, ".git")):
            return tuple(found)
        shown, real = os.path.join(shown, os.pardir), parent
