"""The set stands on several tags of one root image.

Each tag is pulled, scanned and patched for itself, and images on different tags share no layer.

Bad:

    # a/Dockerfile
    FROM mirror.acme.example/debian:12.5
    RUN true
    # b/Dockerfile
    FROM mirror.acme.example/debian:12.6
    RUN true

Good:

    # a/Dockerfile
    FROM mirror.acme.example/debian:12.5
    RUN true
    # b/Dockerfile
    FROM mirror.acme.example/debian:12.5
    RUN true
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from dockstrata.meaning.images import Image
from dockstrata.rule import Finding, SetContext, Severity, set_rule
from dockstrata.syntax.reference import parse_reference


@set_rule(code="ACME101", name="several-tags", severity=Severity.INFO)
def several_tags(context: SetContext) -> Iterator[Finding]:
    tags: dict[str, dict[str, list[Image]]] = defaultdict(lambda: defaultdict(list))
    for image in context.images.images:
        reference = parse_reference(image.stage.image)
        if image.parent is None and reference.valid and reference.digest is None:
            name, _, tag = reference.canonical.rpartition(":")
            tags[name][tag].append(image)
    for by_tag in tags.values():
        usual = max(by_tag, key=lambda tag: len(by_tag[tag]))
        for tag, images in by_tag.items():
            for image in images if tag != usual else ():
                message = f"other images of the set use the tag {usual}"
                yield context.finding(image.stage.node, message)
