"""An image stands on more images than the limit allows.

A change at the bottom rebuilds everything above it, one after the other; and who reads the image
has to open each file on the way. Merge a base that few images use into its children.

Bad:

    FROM debian:12.5 AS one
    RUN make one
    FROM one AS two
    RUN make two
    FROM two AS three
    RUN make three
    FROM three AS four
    RUN make four

Good:

    FROM debian:12.5 AS one
    RUN make one
    FROM one AS two
    RUN make two && make three && make four

Source: dockstrata. The external root and the image itself count; stages with nothing but FROM,
which are only names, do not. ``max-depth`` in the table ``[plan]`` of the configuration is the
limit, 4 by default.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.meaning.images import Image
from dockstrata.rule import Finding, SetContext, Severity, set_rule
from dockstrata.syntax.readable import readable


@set_rule(code="DS201", name="image-depth", severity=Severity.WARNING)
def image_depth(context: SetContext) -> Iterator[Finding]:
    limit = context.plan.max_depth
    deepest: dict[tuple[str, int], Image] = {}  # of all ways in which a stage is built
    for image in context.images.images:
        known = deepest.setdefault((image.path, image.stage.index), image)
        if image.depth > known.depth:
            deepest[image.path, image.stage.index] = image
    for image in deepest.values():
        if image.depth > limit:
            yield context.finding(
                image.stage.node,
                f"this image is {image.depth} images deep, the limit is {limit}:"
                f" {' → '.join(_path(image))}. Merge one of those in between into its child",
            )


def _path(image: Image) -> list[str]:
    here = image.stage.name or image.id
    if image.ground is None:
        return [readable(image.named.stage.image), here]
    return [*_path(image.ground), here]
