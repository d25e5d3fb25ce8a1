"""A base image without a tag is whatever ``latest`` is today.

Two builds of one commit can begin with different images. Name a release, or pin a digest.

Bad:

    FROM debian

Good:

    FROM debian:12.5

Source: hadolint DL3006. An image that the set builds itself is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.reference import parse_reference


@rule(code="DL3006", name="untagged-image", severity=Severity.WARNING)
def untagged_image(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        written = stage.node.arguments[0] if stage.node.arguments else ""
        if (
            stage.parent is not None
            or stage.base is not None
            or "$" in written
            or written in ("", "scratch")
        ):
            continue
        reference = parse_reference(written)
        if reference.tag is None and reference.digest is None:
            yield context.finding(stage.node, "Always tag the version of an image explicitly")
