"""The bake file of a refactored set: every base, old and new, and every Dockerfile on one."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from dockstrata.load.secrets import Secret, mounted
from dockstrata.load.wiring import Build
from dockstrata.meaning.library import Library, Product
from dockstrata.meaning.repository import Repository
from dockstrata.meaning.stage import canonical_image
from dockstrata.rewrite.hcl import Target, bake_text, is_variable, target_names
from dockstrata.rewrite.images_named import images_named
from dockstrata.syntax.nodes import Document


def bake_file(repository: Repository, path: str) -> str:
    """The text of the bake file at ``path``, which builds the repository as it is."""
    library = repository.library
    documents, references = library.documents, library.marked
    products = _products_used(library, documents, references)
    used: Counter[str] = Counter()
    by_reference: dict[str, tuple[str, str]] = {}
    for reference in (*references.values(), *(ref for ref, _ in products)):
        by_reference[canonical_image(reference)] = (reference, _unused(reference, used))

    def named(reference: str) -> str:
        return by_reference[canonical_image(reference)][1]

    bases = [
        _target(named(ref), documents[file], library.builds[file][0], by_reference, (ref,))
        for file, ref in sorted(references.items())
    ]
    taken: set[tuple[str, int, str | None]] = set()
    for reference, product in products:
        build = library.builds[product.path][product.build]
        build = replace(build, target=product.target)
        taken.add((product.path, product.build, product.target))
        document = documents[product.path]
        bases.append(_target(named(reference), document, build, by_reference, (reference,)))
    children: list[Target] = []
    below = [
        (file, build)
        for file in sorted(documents)
        if file not in references and bases_of(documents[file], by_reference)
        for number, build in library.asked(file)
        if (file, number, build.target) not in taken
    ]
    shown = target_names((_relative(file, repository.root) for file, _ in below), used)
    for name, (file, build) in zip(shown, below, strict=True):
        children.append(_target(name, documents[file], build, by_reference, build.tags))
    return bake_text(bases, children, repository.root, path)


def _products_used(
    library: Library, documents: Mapping[str, Document], references: Mapping[str, str]
) -> list[tuple[str, Product]]:
    """Images that the set builds itself, no bases of ours, and that others of it name."""
    named = {image for document in documents.values() for image in images_named(document)}
    ours = set(map(canonical_image, references.values()))
    return sorted(
        (
            (product.reference, product)
            for image, product in library.products.items()
            if image in named and image not in ours
        ),
        key=lambda item: item[0],
    )


def _unused(reference: str, used: Counter[str]) -> str:
    """A target name for a reference that no other has."""
    stem = _target_name(reference)
    name, number = stem, 2
    while used[name]:
        name = f"{stem}-{number}"
        number += 1
    used[name] += 1
    return name


def _target_name(reference: str) -> str:
    """The last part of ``registry/name:tag``, as a target may be called."""
    name = reference.rpartition("/")[2].partition("@")[0].partition(":")[0]
    return re.sub(r"[^A-Za-z0-9_-]", "-", name) or "image"


def _target(
    name: str,
    document: Document,
    build: Build,
    by_reference: Mapping[str, tuple[str, str]],
    tags: tuple[str, ...],
) -> Target:
    given = dict(build.args)
    asked = mounted(document)
    known = {secret.id: secret for secret in build.secrets}
    # A named context that only the user's own bake or compose file can resolve is left to it.
    others = [item for item in build.contexts if not item[1].startswith(("target:", "service:"))]
    return Target(
        name=name,
        dockerfile=document.path,
        context=build.context,
        tags=tags,
        stage=build.target,
        contexts=(*bases_of(document, by_reference), *others),
        arguments=tuple((arg, given.get(arg)) for arg in _arguments(document)),
        platforms=build.platforms,
        secrets=tuple(known.get(name, Secret(name)) for name in asked.secrets),
        ssh=(build.ssh or asked.ssh) if asked.ssh else (),
    )


def _arguments(document: Document) -> list[str]:
    """The build arguments that a Dockerfile declares and HCL can name, sorted."""
    words = (word for n in document.instructions if n.keyword == "ARG" for word in n.arguments)
    return sorted(filter(is_variable, {word.partition("=")[0] for word in words}))


def bases_of(
    document: Document, by_reference: Mapping[str, tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The bases that a Dockerfile's stages are built on or take files from, as named contexts."""
    found = {by_reference[image] for image in images_named(document) if image in by_reference}
    return tuple((reference, f"target:{name}") for reference, name in sorted(found))


def _relative(path: str, root: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")
