"""One root image is used at several tags across the set.

Each tag is another set of layers to pull, to scan and to update. Often the odd one out was just
forgotten at the last update; sometimes it is meant, which is why this is off by default.

Bad:

    # one/Dockerfile
    FROM debian:12.5
    # two/Dockerfile
    FROM debian:12.5
    # three/Dockerfile
    FROM debian:12.4

Good:

    # one/Dockerfile
    FROM debian:12.5
    # two/Dockerfile
    FROM debian:12.5

Source: dockstrata. Compared are tags that differ in numbers alone (``3.11-slim`` and ``3.12-slim``,
not ``3.12``), and ``latest`` with plain versions. What a file's path names is meant
(``ubuntu-22.04/Dockerfile``).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from dockstrata.meaning.images import Image
from dockstrata.rule import Finding, SetContext, Severity, set_rule
from dockstrata.syntax.reference import parse_reference
from dockstrata.syntax.words import is_symbolic

_NUMBER = re.compile(r"\d+(?:\.\d+)*")


@set_rule(code="DS105", name="drifted-pins", severity=Severity.INFO, default=False)
def drifted_pins(context: SetContext) -> Iterator[Finding]:
    uses: defaultdict[tuple[str, str], list[tuple[str, Image]]] = defaultdict(list)
    for image in context.images.images:
        if image.parent is None and not is_symbolic(image.stage.image):
            reference = parse_reference(image.stage.image)
            tag = reference.tag or (reference.digest and f"@{reference.digest[:19]}") or "latest"
            name = "/".join(filter(None, (reference.registry, reference.repository)))
            uses[name, _variant(tag)].append((tag, image))
    standing = _standing(context)
    for (repository, _), found in uses.items():
        tags: Counter[str] = Counter()
        for tag, image in found:
            tags[tag] += standing[image.id]
        (usual, most), *rest = tags.most_common()
        if not rest or most == rest[0][1]:
            continue
        for tag, image in found:
            if tag != usual and not _is_meant(tag, usual, image.path):
                yield context.finding(
                    image.stage.node,
                    f"{repository} is at {tag} here but at {usual} in {most} other images"
                    f" ({len(tags)} tags in the set): use one where you can",
                )


def _variant(tag: str) -> str:
    """A tag without its versions: ``3.12-slim`` → ``#-slim``."""
    if tag.startswith("@"):
        return tag[:1]
    return "#" if tag == "latest" else _NUMBER.sub("#", tag)


def _is_meant(tag: str, usual: str, path: str) -> bool:
    """Whether the path names a version that only this tag has."""
    own = set(_NUMBER.findall(tag)) - set(_NUMBER.findall(usual))
    return bool(own & set(_NUMBER.findall(path)))


def _standing(context: SetContext) -> Counter[str]:
    """How many images, by the image that they stand on: a base counts for those built on it."""
    below = {image.parent.id for image in context.images.images if image.parent is not None}
    counts: Counter[str] = Counter()
    for image in context.images.images:
        if image.id not in below:
            root = image
            while root.parent is not None:
                root = root.parent
            counts[root.id] += 1
    return counts
