"""Evaluates the documents of a set, each once for every way in which it is built."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import NamedTuple

from dockstrata.load.context import ContextError, real_path, taken
from dockstrata.load.discover import tidy
from dockstrata.load.secrets import secret_from, seen_from, ssh_from, ssh_seen_from
from dockstrata.load.wiring import Build
from dockstrata.meaning.context import ContextReader, Taken, no_context
from dockstrata.meaning.evaluate import Evaluation, Stage, canonical_image, evaluate
from dockstrata.meaning.images_named import arguments_of, stands_on
from dockstrata.meaning.marks import BASE_MARK, MARKED_LINES
from dockstrata.meaning.step import Barrier
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.words import is_symbolic

CONTEXT_MARK = "# dockstrata context "
"""Begins the line that gives such a base's build context, relative to its own folder."""
BUILD_MARK = "# dockstrata build "
"""Begins the line that gives what such a base's build is given: arguments, platforms, as JSON."""
WRITTEN = "# Written by dockstrata"
"""Begins every other file that dockstrata writes."""


class BuildKey(NamedTuple):
    """One image that the set can build: a Dockerfile, one of its builds, and the target stage."""

    path: str
    build: int = 0
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """What builds an image reference: a Dockerfile, one of its builds, and the target stage.

    ``reference`` is how it was written.
    """

    path: str
    build: int
    target: str | None
    reference: str = ""

    @property
    def key(self) -> BuildKey:
        return BuildKey(self.path, self.build, self.target)


class Library:
    """The documents of a set, their builds, and their evaluations.

    ``builds`` has for each path the distinct ways in which it is built, ``products`` by
    reference (spelled in full, or ``service:…`` and ``target:…``) what builds it. Sources:
    compose and bake files, and the marks that dockstrata writes into its bases. ``read`` gives
    what COPY takes from a directory for a Dockerfile; by default what is there.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        wired: Mapping[str, Sequence[Build]] | None = None,
        read: Callable[[str, str], ContextReader] | None = None,
        carry_shell: bool = False,
        own_names: _OwnNames | None = None,
    ) -> None:
        self.read = read or reader
        self.carry_shell = carry_shell
        self.documents = {document.path: document for document in documents}
        self.builds: dict[str, list[Build]] = {}
        self.products: dict[str, Product] = {}
        # Those that are built on an image of the same name.
        self.shadowing: dict[str, Product] = {}
        self.marked: dict[str, str] = {}
        self._forget()
        self.told = wired or {}
        self.own_names = own_names or _own_names(it for all_ in self.told.values() for it in all_)
        for document in documents:
            told = self.told.get(document.path, ())
            self._add(document, [self.own_names.resolved(build) for build in told])

    def _forget(self) -> None:
        self.evaluations: dict[tuple[str, int], Evaluation | None] = {}
        self._under_way: list[tuple[str, int]] = []
        # By evaluation, the references that it asked for; those that met themselves on the way.
        self._asked: dict[tuple[str, int], set[str]] = {}
        self._circular: set[tuple[str, int]] = set()

    def _add(self, document: Document, builds: list[Build]) -> None:
        path = document.path
        own = default_build(path)
        for comment in document.comments[:MARKED_LINES]:
            if comment.text.startswith(BASE_MARK):
                reference = comment.text[len(BASE_MARK) :].strip()
                self.marked[path] = reference
                product = Product(path, 0, None, reference)
                self.products.setdefault(canonical_image(reference), product)
            elif comment.text.startswith(CONTEXT_MARK):
                folder = os.path.join(own.context, comment.text[len(CONTEXT_MARK) :].strip())
                own = replace(own, context=tidy(folder))
            elif comment.text.startswith(BUILD_MARK):
                own = with_given(own, comment.text[len(BUILD_MARK) :])
        if path in self.marked:
            for build in builds:
                # A compose or bake file may build the base too; its name there is the base's.
                for name in self.own_names.of(build):
                    self.products.setdefault(name, Product(path, 0, None))
            builds = []
        distinct: list[Build] = []
        for build in builds or [own]:
            number = next((n for n, other in enumerate(distinct) if same_build(build, other)), None)
            if number is None:
                number = len(distinct)
                distinct.append(build)
            distinct[number] = _given_both(distinct[number], build)
            product = Product(path, number, build.target)
            for tag in build.tags:
                named, name = replace(product, reference=tag), canonical_image(tag)
                shadows = stands_on(document, name, arguments_of(build))
                (self.shadowing if shadows else self.products).setdefault(name, named)
            for name in self.own_names.of(build):
                self.products.setdefault(name, product)
        self.builds[path] = distinct

    def asked(self, path: str) -> list[tuple[int, Build]]:
        """What is asked of a file: the number of a way of building it, and that with the target
        and all tags; one item for each target."""
        found: dict[tuple[int, str | None], Build] = {}
        ways = self.builds[path]
        for told in self.told.get(path, ()) if path not in self.marked else ():
            build = self.own_names.resolved(told)
            number = next(n for n, other in enumerate(ways) if same_build(build, other))
            known = found.get((number, build.target))
            tags = (*(known.tags if known is not None else ()), *build.tags)
            found[number, build.target] = replace(
                ways[number], target=build.target, tags=tuple(dict.fromkeys(tags))
            )
        if not found:
            return list(enumerate(ways))
        return [(number, build) for (number, _), build in found.items()]

    def with_documents(self, documents: Mapping[str, Document]) -> Library:
        """The same set with other texts; what is built how stays."""
        values = list(documents.values())
        other = Library(values, self.told, self.read, self.carry_shell, self.own_names)
        other._keep(self)
        return other

    def _keep(self, before: Library) -> None:
        """Take over the evaluations of the set as it was that would come to the same."""
        same: dict[tuple[str, int], bool] = {}

        def is_same(key: tuple[str, int]) -> bool:
            if key not in same:
                path, _ = key
                found = before.evaluations.get(key)
                same[key] = (
                    found is not None
                    and key not in before._circular
                    and self.documents.get(path) is found.document
                    and self.builds[path] == before.builds[path]
                    and all(map(is_same_image, before._asked[key]))
                )
            return same[key]

        def is_same_image(reference: str) -> bool:
            product = self.products.get(reference)
            if product != before.products.get(reference):
                return False
            return product is None or is_same((product.path, product.build))

        for key in filter(is_same, before.evaluations):
            self.evaluations[key] = before.evaluations[key]
            self._asked[key] = before._asked[key]
            # An image's build is found among its file's by identity.
            self.builds[key[0]] = before.builds[key[0]]

    def again(self, carry_shell: bool) -> Library:
        """The same set, evaluated with SHELL carried from image to image, or lost."""
        if carry_shell == self.carry_shell:
            return self
        other = copy(self)
        other.carry_shell = carry_shell
        other._forget()
        return other

    def all(self) -> list[Evaluation]:
        """Every document in every way in which it is built."""
        return [
            self.evaluation(path, number)
            for path, builds in self.builds.items()
            for number in range(len(builds))
        ]

    def evaluation(self, path: str, number: int = 0) -> Evaluation:
        """The Dockerfile at ``path``, built in the way with that number."""
        found = self.evaluations.get((path, number))
        if found is None:
            key = path, number
            self.evaluations[key] = None  # while under way: a cycle resolves to nothing
            self._asked[key] = set()
            self._under_way.append(key)
            build = self.builds[path][number]
            context = self.read(build.context, path)
            try:
                found = evaluate(
                    self.documents[path],
                    context,
                    self.resolve,
                    build=build,
                    carry_shell=self.carry_shell,
                )
            finally:
                self._under_way.pop()
            self.evaluations[key] = found
        return found

    def resolve(self, reference: str) -> Stage | None:
        """The stage that builds ``reference``, where one of the set does."""
        if self._under_way:
            self._asked[self._under_way[-1]].add(reference)
        product = self.products.get(reference)
        if product is None:
            return None
        key = (product.path, product.build)
        if key in self._under_way:
            self._circular.update(self._under_way)
            return None
        return self.stage(product.path, product.build, product.target)

    def stage(self, path: str, number: int, target: str | None) -> Stage | None:
        """The stage that is built, ``None`` where the file has none of that name."""
        evaluation = self.evaluation(path, number)
        if evaluation.document.faults or not evaluation.stages:
            return None
        if target is None:
            return evaluation.stages[-1]
        if target.isdecimal() and int(target) < len(evaluation.stages):
            return evaluation.stages[int(target)]
        return evaluation.stage_named(target, len(evaluation.stages))


@dataclass(frozen=True, slots=True)
class _OwnNames:
    """``service:NAME`` and ``target:NAME`` where several files have a NAME of their own.

    ``origins`` has for each name the files that say it, each with the first that says the same. In
    a named context of one of these files, or of one beside it, the name is its own; elsewhere it is
    the first one's.
    """

    origins: Mapping[str, Mapping[str, str]]

    def of(self, build: Build) -> Iterator[str]:
        if build.service:
            same = self.origins.get(build.service, {})
            for kind in ("service", "target"):
                yield f"{kind}:{build.service}"
                if same:
                    yield f"{kind}:{build.service}@{same.get(build.origin, build.origin)}"

    def resolved(self, build: Build) -> Build:
        contexts = tuple((name, self._resolved(value, build)) for name, value in build.contexts)
        return build if contexts == build.contexts else replace(build, contexts=contexts)

    def _resolved(self, value: str, build: Build) -> str:
        kind, _, name = value.partition(":")
        origins = self.origins.get(name, {}) if kind in ("service", "target") else {}
        if not origins:
            return value
        folder = os.path.dirname(build.origin)
        near = [origin for origin in origins if os.path.dirname(origin) == folder]
        own = build.origin if build.origin in origins else next(iter(near), None)
        return value if own is None else f"{value}@{origins[own]}"


def _own_names(builds: Iterable[Build]) -> _OwnNames:
    named: dict[str, list[Build]] = {}
    for build in builds:
        if build.service:
            named.setdefault(build.service, []).append(build)
    origins = {name: _same_origins(found) for name, found in named.items()}
    return _OwnNames({name: same for name, same in origins.items() if len(set(same.values())) > 1})


def _same_origins(builds: Sequence[Build]) -> dict[str, str]:
    """The files that the builds are from, each with the first that says the same of its own."""
    same: dict[str, str] = {}
    by_file: dict[tuple[str, str | None], list[Build]] = {}
    for build in builds:
        if build.origin not in same:
            others = by_file.setdefault((build.dockerfile, build.target), [])
            like = next((it for it in others if same_build(it, build)), build)
            same[build.origin] = like.origin
            others.append(build)
    return same


def default_build(path: str, context: str | None = None) -> Build:
    """How a Dockerfile is built that nothing mentions: with its own folder."""
    folder = context if context is not None else os.path.dirname(path) or "."
    return Build(path, folder, None, (), (), (), (), path, 1, "")


def given_text(build: Build) -> str:
    """What a build is given as :func:`with_given` reads it, ``""`` for nothing.

    Paths are relative to the folder of the Dockerfile.
    """
    if not (build.args or build.platforms or build.secrets or build.ssh):
        return ""
    given: dict[str, object] = {"args": dict(build.args), "platforms": list(build.platforms)}
    folder = os.path.dirname(build.dockerfile) or "."
    if build.secrets:
        given["secrets"] = [
            [secret.id, seen_from(secret.file, folder), secret.variable] for secret in build.secrets
        ]
    if build.ssh:
        given["ssh"] = [ssh_seen_from(agent, folder) for agent in build.ssh]
    return json.dumps(given)


def with_given(own: Build, text: str) -> Build:
    """A base's build with what its mark says; other text changes nothing."""
    folder = os.path.dirname(own.dockerfile)
    try:
        given = json.loads(text)
        args = tuple((str(name), value) for name, value in given["args"].items())
        platforms = tuple(map(str, given["platforms"]))
        secrets = tuple(
            secret_from(str(name), str(file), str(variable), folder)
            for name, file, variable in given.get("secrets", ())
        )
        ssh = tuple(ssh_from(str(agent), folder) for agent in given.get("ssh", ()))
    except (ValueError, TypeError, KeyError, AttributeError):
        return own
    if not all(value is None or isinstance(value, str) for _, value in args):
        return own
    return replace(own, args=args, platforms=platforms, secrets=secrets, ssh=ssh)


def _given_both(one: Build, other: Build) -> Build:
    """A build with the secrets and agents of another that is the same otherwise."""
    known = {secret.id for secret in one.secrets}
    more = tuple(secret for secret in other.secrets if secret.id not in known)
    ssh = tuple(dict.fromkeys((*one.ssh, *other.ssh)))
    return one if not more and ssh == one.ssh else replace(one, secrets=one.secrets + more, ssh=ssh)


def same_build(one: Build, other: Build) -> bool:
    """Whether two builds of a file give its stages the same meaning."""
    return (
        real_path(one.context) == real_path(other.context)
        and dict(one.args) == dict(other.args)
        and dict(one.contexts) == dict(other.contexts)
        and sorted(one.platforms) == sorted(other.platforms)
    )


def unread(_directory: str, _dockerfile: str) -> ContextReader:
    """For work that never compares files."""
    return no_context


def reader(directory: str, dockerfile: str) -> ContextReader:
    """What COPY takes from ``directory`` when ``dockerfile`` is built with it."""
    directory = tidy(directory)

    def read(
        source: str, excludes: Sequence[str], *, parents: bool = False, named: str | None = None
    ) -> Taken:
        # A named context has its own ignore file alone.
        folder, file = (directory, dockerfile) if named is None else (named, "")
        where = os.path.abspath(folder)
        what = (where, source, tuple(excludes), parents)
        if any(is_symbolic(text) for text in (source, *excludes)):
            return Taken(("symbolic", *what), folder)
        try:
            digest = taken(folder, file, source, tuple(excludes), parents)
        except ContextError as error:
            # The same missing file of the same context is still one file, whenever it comes.
            barrier = None
            if error.reason != "missing-source":
                barrier = Barrier(error.reason, error.message)
            return Taken(("absent", *what), folder, barrier)
        return Taken(("files", digest), folder)

    return read
