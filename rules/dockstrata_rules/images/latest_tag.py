"""A base image with the tag ``latest`` changes under your feet.

Two builds of one commit can begin with different images. Name a release, or pin a digest.

Bad:

    FROM debian:latest

Good:

    FROM debian:12.5

Source: hadolint DL3007. An image that the set builds itself is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.reference import parse_reference


@rule(code="DL3007", name="latest-tag", severity=Severity.WARNING)
def latest_tag(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        if stage.parent is None and stage.base is None:
            reference = parse_reference(stage.image)
            if reference.tag == "latest" and reference.digest is None:
                yield context.finding(
                    stage.node,
                    "Using latest is prone to errors if the image will ever update."
                    " Pin the version explicitly to a release tag",
                )
