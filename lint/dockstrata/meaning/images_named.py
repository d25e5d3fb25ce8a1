"""The images that a Dockerfile names: what its stages are built on or take files from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dockstrata.load.wiring import Build
from dockstrata.meaning.stage import canonical_image
from dockstrata.syntax.nodes import Document, Instruction
from dockstrata.syntax.words import WordError, expand

_MOUNT_FROM = re.compile(r"(?:^|,)from=([^,]+)")


def images_named(document: Document, build: Build | None = None) -> Iterator[str]:
    """References spelled in full, once for each place.

    With a ``build`` those that its arguments decide are among them, else only what is written out.
    """
    for node, image in outer_images(document, arguments_of(build)):
        if build is not None or node.keyword != "FROM" or "$" not in node.arguments[0]:
            yield canonical_image(image)


def arguments_of(build: Build | None) -> dict[str, str]:
    """The build arguments whose values are known."""
    return {name: value for name, value in build.args if value is not None} if build else {}


def outer_images(document: Document, given: Mapping[str, str]) -> Iterator[tuple[Instruction, str]]:
    """The images from outside a file, and the instructions that name them, in their order.

    ``given`` are values of build arguments; other arguments have their defaults. Names of earlier
    stages are left out.
    """
    values: dict[str, str] = {}
    stages: set[str] = set()
    for node in document.instructions:
        if node.keyword == "ARG" and not stages:
            for word in node.arguments:
                name, _, default = word.partition("=")
                values[name] = given.get(name, _expanded(default, values, document.escape))
        elif node.keyword == "FROM" and node.arguments:
            image = _expanded(node.arguments[0], values, document.escape)
            if image.lower() not in stages:
                yield node, image
            stages.add(node.arguments[2].lower() if len(node.arguments) == 3 else "\0")
        else:
            inner = node.trigger or node
            sources = [inner.flag("from") or ""] if inner.keyword == "COPY" else []
            if inner.keyword == "RUN":
                for mount in inner.all_flags("mount"):
                    sources += _MOUNT_FROM.findall(mount)
            for source in sources:
                if source and source.lower() not in stages and not source.isdecimal():
                    yield node, source


def stands_on(document: Document, reference: str, given: Mapping[str, str]) -> bool:
    """Whether a stage is built FROM an image of that name, spelled in full.

    A file that makes an image of this very name shadows one of a registry: what others mean by the
    name is not to be known.
    """
    return any(
        node.keyword == "FROM" and canonical_image(image) == reference
        for node, image in outer_images(document, given)
    )


def _expanded(word: str, values: Mapping[str, str], escape: str) -> str:
    try:
        return expand(word, values.get, escape)
    except WordError:
        return word
