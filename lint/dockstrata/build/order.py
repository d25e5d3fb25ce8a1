"""Which images there are to build, and which must be there before which."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dockstrata.errors import DockstrataError
from dockstrata.load.secrets import Mounted, mounted
from dockstrata.load.wiring import Build
from dockstrata.meaning.images_named import arguments_of, outer_images
from dockstrata.meaning.library import BuildKey
from dockstrata.meaning.repository import Repository
from dockstrata.meaning.stage import canonical_image
from dockstrata.rewrite.hcl import target_names
from dockstrata.syntax.nodes import Document, Instruction
from dockstrata.syntax.reference import context_name

BUILT = "built:"
"""Begins a named context that another job's image is; its reference follows."""
LOCAL = "localhost/"


@dataclass(frozen=True, slots=True)
class Named:
    """An image that FROM, COPY or a mount names, arguments expanded; ``job`` is what builds it."""

    node: Instruction
    image: str
    job: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """One image to build.

    ``name`` is what people call it, ``tags`` never empty, the first what others refer to.
    ``number`` is that of the build among those of its Dockerfile. ``contexts`` are named contexts,
    ``built:REF`` where another job builds them. ``declared`` are the build arguments of its
    Dockerfile, ``asked`` what its RUN mounts. ``named`` are the images from outside the file with
    the instructions that name them and, where another job builds one, its name. ``needs`` are the
    names of the jobs that must be done before, ``missing`` images of ``localhost`` that no job
    builds.
    """

    name: str
    build: Build
    tags: tuple[str, ...]
    contexts: tuple[tuple[str, str], ...]
    declared: frozenset[str]
    asked: Mounted
    number: int = 0
    named: tuple[Named, ...] = ()
    needs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    base: bool = False

    @property
    def dockerfile(self) -> str:
        return self.build.dockerfile

    def answers(self, word: str) -> bool:
        """Whether a user who says ``word`` may mean this one."""
        paths = {self.dockerfile, os.path.dirname(self.dockerfile)} - {""}
        words = {self.name, self.build.service, *self.tags}
        return word in words or os.path.normpath(word) in map(os.path.normpath, paths)


def jobs_of(repository: Repository, given: Mapping[str, str] | None = None) -> list[Job]:
    """Every image of the set, each after those that it needs.

    ``given`` are build arguments of the user's, which may decide what FROM names. Raises
    :class:`DockstrataError` where images need each other in a circle.
    """
    library = repository.library
    keys, drafts = _drafts(repository)
    known = {reference: keys[product.key] for reference, product in library.products.items()}
    tag_of = {job.name: job.tags[0] for job in drafts}
    jobs: dict[str, Job] = {}
    for job in drafts:
        document = library.documents[job.dockerfile]
        named = dict(job.build.contexts)
        needs: dict[str, None] = {}
        missing: dict[str, None] = {}
        images: list[Named] = []
        for node, image in outer_images(document, {**arguments_of(job.build), **(given or {})}):
            needed = known.get(_reference(image, named))
            images.append(Named(node, image, needed))
            if needed is not None:
                needs[needed] = None
            elif image.startswith(LOCAL) and context_name(image) not in named:
                missing[image] = None
        contexts: list[tuple[str, str]] = []
        for name, value in job.build.contexts:
            needed = known.get(value)
            if needed is not None:
                needs[needed] = None
            contexts.append((name, value if needed is None else BUILT + tag_of[needed]))
        jobs[job.name] = replace(
            job,
            contexts=tuple(contexts),
            named=tuple(images),
            needs=tuple(needs),
            missing=tuple(missing),
        )
    return list(_ordered(jobs))


def chosen(jobs: Sequence[Job], words: Sequence[str], alone: bool = False) -> list[Job]:
    """The jobs that a user names, and those that they need, in order; all without a name.

    ``alone``: what they need is there already.

    Raises :class:`DockstrataError` for a name that nothing has.
    """
    if not words:
        return list(jobs)
    wanted: set[str] = set()
    for word in words:
        found = [job.name for job in jobs if job.answers(word)]
        if not found:
            names = ", ".join(job.name for job in jobs)
            raise DockstrataError(f"--only '{word}' names no image; there are {names}")
        wanted.update(found)
    for job in reversed(jobs):
        if job.name in wanted and not alone:
            wanted.update(job.needs)
    return [job for job in jobs if job.name in wanted]


def _drafts(repository: Repository) -> tuple[dict[BuildKey, str], list[Job]]:
    """A job for each Dockerfile, way of building it, and target; and their names by that."""
    library = repository.library
    tags: dict[BuildKey, list[str]] = {}
    services: dict[BuildKey, str] = {}
    for path, builds in library.builds.items():
        for number, build in enumerate(builds):
            key = BuildKey(path, number, build.target)
            tags[key] = list(build.tags)
            services[key] = build.service
    for reference, product in library.products.items():
        found = tags.setdefault(product.key, [])
        if product.reference and product.reference not in found:
            found.append(product.reference)
        if reference.startswith("service:"):
            services.setdefault(product.key, reference.partition(":")[2])
    keys = sorted(tags, key=lambda key: (key[0] not in library.marked, key[0], key[1]))
    names = _names(keys, repository)
    jobs = []
    for key in keys:
        path, number, target = key
        document = library.documents[path]
        name = names[key]
        build = library.builds[path][number]
        jobs.append(
            Job(
                name=name,
                build=replace(build, target=target, service=services.get(key, "")),
                tags=tuple(tags[key]) or (LOCAL + name,),
                contexts=build.contexts,
                declared=_declared(document),
                asked=mounted(document),
                base=path in library.marked,
                number=number,
            )
        )
    return names, jobs


def _names(keys: Iterable[BuildKey], repository: Repository) -> dict[BuildKey, str]:
    """What each is called: a base by its reference, others by their folder; fit for a tag."""
    marked = repository.library.marked
    top = os.path.basename(os.path.abspath(repository.root)) or "image"
    shown = []
    for path, _, _ in keys:
        folder, _, file = (
            os.path.relpath(path, repository.root).replace(os.sep, "/").rpartition("/")
        )
        if path in marked:
            folder = marked[path].rpartition("/")[2].partition(":")[0]
        elif file not in ("Dockerfile", "Containerfile"):
            folder = f"{folder}-{file}"
        shown.append(re.sub(r"[^a-z0-9]+", "-", (folder or top).lower()) + "/Dockerfile")
    return dict(zip(keys, target_names(shown, ()), strict=True))


def _declared(document: Document) -> frozenset[str]:
    words = (word for n in document.instructions if n.keyword == "ARG" for word in n.arguments)
    return frozenset(word.partition("=")[0] for word in words)


def _reference(image: str, named: Mapping[str, str]) -> str:
    """An image as the library's products call it."""
    given = named.get(context_name(image))
    if given is None:
        return canonical_image(image)
    if given.startswith("docker-image://"):
        return canonical_image(given.removeprefix("docker-image://"))
    return given


def _ordered(jobs: Mapping[str, Job]) -> Iterator[Job]:
    """Each job after those that it needs, else in the order given."""
    done: set[str] = set()

    def visit(job: Job, way: tuple[str, ...]) -> Iterator[Job]:
        if job.name in way:
            circle = " → ".join((*way[way.index(job.name) :], job.name))
            raise DockstrataError(f"these images need each other: {circle}", job.dockerfile)
        if job.name not in done:
            for name in job.needs:
                if name != job.name:
                    yield from visit(jobs[name], (*way, job.name))
            done.add(job.name)
            yield job

    for job in jobs.values():
        yield from visit(job, ())
