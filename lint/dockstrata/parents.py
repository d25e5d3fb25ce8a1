"""The images of the set that a linted file stands on: FROM names what another file here builds.

Each file is checked alone, in whatever process. What its parent leaves (user, working directory,
SHELL, environment) is evaluated here on demand, so that a file on a root image costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from dockstrata.meaning.evaluate import Evaluation, Resolver, evaluate, nothing_known
from dockstrata.meaning.images_named import stands_on
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


Lookup = tuple[str, str, str]
"""Whose FROM, what it names, and a digest of what builds that; empty where nothing here does."""


@dataclass(slots=True)
class Lookups:
    """All that was looked up for one file, for its parents' parents too.

    ``cut``: images stand on each other in a circle; what comes of it depends on where one began.
    """

    asked: dict[tuple[str, str], None] = field(default_factory=dict)
    cut: bool = False

    def add(self, other: Lookups) -> None:
        self.asked.update(other.asked)
        self.cut = self.cut or other.cut


class Parents:
    """Finds what builds an image: as compose, bake or configuration say, or as a base's mark does.

    ``tags`` has builders by reference, spelled in full. ``bases`` is the folder that holds bases,
    looked for in the directories above a file, up to the repository's root.
    """

    def __init__(self, tags: Mapping[str, Builder], bases: str = "bases") -> None:
        self.tags = tags
        self.bases = bases
        self.evaluations: dict[str, Evaluation | None] = {}
        self.lookups: dict[str, Lookups] = {}
        # Of this run alone: files change between two.
        self.documents: dict[str, Document | None] = {}
        self.builders: dict[tuple[str, str], Builder | None] = {}
        self.holders: dict[str, tuple[str, ...]] = {}

    def resolver(self, document: Document, lookups: Lookups | None = None) -> Resolver:
        """How FROM in this file is resolved; ``lookups`` gets what it asks."""
        noted = Lookups() if lookups is None else lookups
        for node in document.instructions:
            if node.keyword == "FROM" and node.arguments:
                name = node.arguments[0]
                if "$" not in name and self._ask(document.path, canonical_image(name), noted):
                    break
        else:
            return nothing_known

        def resolve(reference: str) -> Stage | None:
            builder = self._ask(document.path, reference, noted)
            return None if builder is None else self._stage(builder, noted)

        return resolve

    def answers(self, lookups: Lookups) -> tuple[Lookup, ...] | None:
        """The lookups with what they found, to be compared in another run by :meth:`still`."""
        if lookups.cut:
            return None
        return tuple([(*asked, self._digest(*asked)) for asked in lookups.asked])

    def still(self, answers: Sequence[Lookup] | None) -> bool:
        """Whether each of the lookups would find the same, to the byte."""
        return answers is not None and all(
            self._digest(path, reference) == digest for path, reference, digest in answers
        )

    def _digest(self, path: str, reference: str) -> str:
        builder = self._builder(path, reference)
        if builder is None:
            return ""
        document = self._read(builder.path)
        text = None if document is None else document.source.text
        told = repr((builder, text)).encode("utf-8", "surrogatepass")
        return blake2b(told, digest_size=16).hexdigest()

    def _ask(self, path: str, reference: str, lookups: Lookups) -> Builder | None:
        lookups.asked[path, reference] = None
        return self._builder(path, reference)

    def _builder(self, path: str, reference: str) -> Builder | None:
        key = (path, reference)
        if key not in self.builders:
            self.builders[key] = self._find_builder(path, reference)
        return self.builders[key]

    def _find_builder(self, path: str, reference: str) -> Builder | None:
        told = self.tags.get(reference)
        if told is not None:
            made = None if told.path == path else self._read(told.path)
            return told if made is not None and not stands_on(made, reference, {}) else None
        name = parse_reference(reference).short_name.rsplit("/", 1)[-1]
        marked = self._marked(os.path.dirname(path), name) if name else None
        if marked is None or marked == path:
            return None
        document = self._read(marked)
        mark = None if document is None else base_reference(document)
        same = mark is not None and canonical_image(mark) == reference
        return Builder(marked) if same else None

    def _stage(self, builder: Builder, lookups: Lookups) -> Stage | None:
        path = builder.path
        if path not in self.evaluations:
            self.evaluations[path] = None  # while under way: a cycle resolves to nothing
            own = self.lookups[path] = Lookups(cut=True)
            document = self._read(path)
            if document is not None and not document.faults:
                noted = Lookups()
                # The image that a builder makes carries SHELL; only the OCI format drops it.
                resolve = self.resolver(document, noted)
                evaluation = evaluate(document, resolve_image=resolve, carry_shell=True)
                self.evaluations[path] = evaluation
                own.asked, own.cut = noted.asked, noted.cut
            else:
                own.cut = False
        lookups.add(self.lookups[path])
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
        for holder in self._holders(folder):
            path = os.path.join(holder, name, "Dockerfile")
            if os.path.isfile(path):
                return path
        return None

    def _holders(self, folder: str) -> tuple[str, ...]:
        """The folders of bases in the directories from ``folder`` to the repository's root."""
        way: list[str] = []  # those above share what is found
        shown = os.path.normpath(folder or ".")
        while shown not in self.holders:
            way.append(shown)
            real = os.path.abspath(shown)
            if os.path.dirname(real) == real or os.path.exists(os.path.join(real, ".git")):
                break
            shown = os.path.normpath(os.path.join(shown, os.pardir))
        found = self.holders.get(shown, ())
        for shown in reversed(way):
            path = os.path.normpath(os.path.join(shown, self.bases))
            if os.path.isdir(path):
                found = (path, *found)
            self.holders[shown] = found
        return found
