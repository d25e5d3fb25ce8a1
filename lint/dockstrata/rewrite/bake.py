"""The bake file of a refactored set: every base, old and new, and every Dockerfile on one."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dockstrata.load.secrets import Secret, agent_id, mounted
from dockstrata.load.wiring import Build
from dockstrata.meaning.images_named import images_named
from dockstrata.meaning.library import BuildKey, Library, Product
from dockstrata.meaning.repository import Repository
from dockstrata.meaning.stage import canonical_image
from dockstrata.rewrite.hcl import Target, bake_text, is_variable, target_names
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.reference import context_name


def bake_file(repository: Repository, path: str) -> str:
    """The text of the bake file at ``path``, which builds the repository as it is."""
    library = repository.library
    documents, references = library.documents, library.marked
    products = _products_used(library, references)
    used: Counter[str] = Counter()
    by_reference: dict[str, tuple[str, str]] = {}
    for reference in references.values():
        by_reference[canonical_image(reference)] = (reference, _unused(reference, used))
    names: dict[BuildKey, str] = {}
    tags: dict[BuildKey, tuple[str, ...]] = {}
    for reference, product in products:
        key = product.key
        names[key] = names.get(key) or _unused(reference, used)
        tags[key] = (*tags.get(key, ()), reference)
        by_reference[canonical_image(reference)] = (reference, names[key])

    def named(reference: str) -> str:
        return by_reference[canonical_image(reference)][1]

    files = {file for file in documents if file in references}
    files |= {
        file
        for file in documents
        for build in library.builds[file]
        if _bases_of(documents[file], build, by_reference)
    }
    files |= {product.path for _, product in products}
    for value, product in _drawn_from(library, files).items():
        if product.path not in references and product.key not in names:
            names[product.key] = _unused(value.partition(":")[2].partition("@")[0], used)
    below: list[tuple[BuildKey, Build]] = []
    others: list[tuple[BuildKey, Build]] = []
    for file, document in sorted(documents.items()):
        if file in references or document.faults:
            continue
        for number, build in library.asked(file):
            key = BuildKey(file, number, build.target)
            if key not in names:
                stands = _bases_of(document, build, by_reference)
                (below if stands else others).append((key, build))
    shown = target_names(
        (_relative(key.path, repository.root) for key, _ in (*below, *others)), used
    )
    called = dict(zip((key for key, _ in (*below, *others)), shown, strict=True)) | names
    by_context: dict[str, str] = {}
    for value, product in _drawn_from(library, documents).items():
        base = references.get(product.path)
        name = called.get(product.key) if base is None else named(base)
        if name is not None:
            by_context[value] = name

    def target(name: str, file: str, build: Build, tags: tuple[str, ...]) -> Target:
        return _target(name, documents[file], build, by_reference, by_context, tags)

    bases = [
        target(named(ref), file, library.builds[file][0], (ref,))
        for file, ref in sorted(references.items())
    ]
    for key, called_so in names.items():
        build = library.builds[key.path][key.build]
        asked = replace(build, target=key.target)
        bases.append(target(called_so, key.path, asked, tags.get(key, build.tags)))
    children, rest = (
        [target(called[key], key.path, build, build.tags) for key, build in found]
        for found in (below, others)
    )
    given = _handed_up([*bases, *children, *rest])
    bases, children, rest = (
        [given[target.name] for target in group] for group in (bases, children, rest)
    )
    return bake_text(bases, children, rest, repository.root, path)


def _handed_up(targets: Sequence[Target]) -> dict[str, Target]:
    """By name, the targets with the secrets and agents of all that they are built on.

    Of the builds that wait for a step BuildKit asks one, whichever: where that lacks an optional
    secret or agent, the step runs without.
    """
    by_name = {target.name: target for target in targets}
    found: dict[str, Target] = {}

    def given(name: str) -> Target:
        if name not in found:
            target = found[name] = by_name[name]  # meanwhile: a circle ends here
            secrets = {secret.id: secret for secret in target.secrets}
            agents = {agent_id(agent): agent for agent in target.ssh}
            for _, value in target.contexts:
                lower = value.removeprefix("target:")
                if lower != value and lower in by_name:
                    for secret in given(lower).secrets:
                        secrets.setdefault(secret.id, secret)
                    for agent in given(lower).ssh:
                        agents.setdefault(agent_id(agent), agent)
            all_secrets, all_agents = tuple(secrets.values()), tuple(agents.values())
            found[name] = replace(target, secrets=all_secrets, ssh=all_agents)
        return found[name]

    return {name: given(name) for name in by_name}


def _drawn_from(library: Library, files: Iterable[str]) -> dict[str, Product]:
    """By ``target:…`` or ``service:…``, the images that builds of the files have as named
    contexts, and those that these have in turn."""
    found: dict[str, Product] = {}
    todo = sorted(files)
    while todo:
        for _, build in library.asked(todo.pop()):
            for _, value in build.contexts:
                product = library.products.get(value)
                if value.startswith(("target:", "service:")) and product and value not in found:
                    found[value] = product
                    todo.append(product.path)
    return dict(sorted(found.items()))


def _products_used(library: Library, references: Mapping[str, str]) -> list[tuple[str, Product]]:
    """Images that the set builds itself, no bases of ours, and that others of it name."""
    named = {
        image
        for path, document in library.documents.items()
        for build in library.builds[path]
        for image in images_named(document, build)
    }
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
    by_context: Mapping[str, str],
    tags: tuple[str, ...],
) -> Target:
    given = dict(build.args)
    asked = mounted(document)
    known = {secret.id: secret for secret in build.secrets}
    others = [
        (name, f"target:{by_context[value]}" if value in by_context else value)
        for name, value in build.contexts
        # What only the user's own bake or compose file can resolve is left to it.
        if value in by_context or not value.startswith(("target:", "service:"))
    ]
    return Target(
        name=name,
        dockerfile=document.path,
        context=build.context,
        tags=tags,
        stage=build.target,
        contexts=(
            *(it for it in _bases_of(document, build, by_reference) if it[1] != f"target:{name}"),
            *others,
        ),
        arguments=tuple((arg, given.get(arg)) for arg in _arguments(document)),
        platforms=build.platforms,
        secrets=tuple(known.get(name, Secret(name)) for name in asked.secrets),
        ssh=(build.ssh or asked.ssh) if asked.ssh else (),
    )


def _arguments(document: Document) -> list[str]:
    """The build arguments that a Dockerfile declares and HCL can name, sorted."""
    words = (word for n in document.instructions if n.keyword == "ARG" for word in n.arguments)
    return sorted(filter(is_variable, {word.partition("=")[0] for word in words}))


def _bases_of(
    document: Document, build: Build, by_reference: Mapping[str, tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """The bases that a Dockerfile's stages are built on or take files from, as named contexts."""
    named = images_named(document, build)
    found = {by_reference[image] for image in named if image in by_reference}
    return tuple((context_name(ref), f"target:{name}") for ref, name in sorted(found))


def _relative(path: str, root: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")
