"""The images that a Dockerfile names: what its stages are built on or take files from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.meaning.stage import canonical_image
from dockstrata.syntax.nodes import Document

_MOUNT_FROM = re.compile(r"(?:^|,)from=([^,]+)")


def images_named(document: Document) -> Iterator[str]:
    """References spelled in full, once for each place; names of stages are among them."""
    for node in document.instructions:
        if node.keyword == "FROM" and node.arguments:
            yield canonical_image(node.arguments[0])
        elif node.keyword == "COPY" and (source := node.flag("from")):
            yield canonical_image(source)
        elif node.keyword == "RUN":
            for mount in node.all_flags("mount"):
                yield from map(canonical_image, _MOUNT_FROM.findall(mount))
