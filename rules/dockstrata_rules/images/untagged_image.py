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

from dockstrata.rule import Context, Finding, Severity, Stage, rule
from dockstrata.syntax.reference import parse_reference
from dockstrata.syntax.words import WordError, expand
from dockstrata_rules.instructions.defaults import with_defaults


@rule(code="DL3006", name="untagged-image", severity=Severity.WARNING)
def untagged_image(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        written = stage.node.argument
        if stage.parent is not None or stage.base is not None or written in ("", "scratch"):
            continue
        name = _by_default(context, written) if "$" in written else written
        if name is None or _names_stage(context, stage, name):
            continue
        reference = parse_reference(name)
        if reference.tag is None and reference.digest is None:
            yield context.finding(stage.node, "Always tag the version of an image explicitly")


def _by_default(context: Context, written: str) -> str | None:
    """The name where arguments have their defaults; ``None`` where a variable may be all of it."""
    if written.lstrip("\"'").startswith("$"):
        return None
    try:
        values = with_defaults(context.evaluation.global_values)
        return expand(written, values.get, context.document.escape)
    except WordError:
        return None


def _names_stage(context: Context, stage: Stage, name: str) -> bool:
    return any(other.name == name.lower() for other in context.stages[: stage.index])
