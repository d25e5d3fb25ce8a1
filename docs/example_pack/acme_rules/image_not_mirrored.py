"""A root image does not come from Acme's mirror.

Builds that pull from elsewhere stop when that registry is down or limits pulls, and nobody has
scanned what they get.

Bad:

    FROM debian:12.5

Good:

    FROM mirror.acme.example/debian:12.5

Fix: unsafe, because the mirror may lack the image.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe, word_spans
from dockstrata.syntax.reference import parse_reference

MIRROR = "mirror.acme.example/"
HUB = ("docker.io/library/", "docker.io/")


@rule(
    code="ACME001",
    name="image-not-mirrored",
    severity=Severity.WARNING,
    fix=Fixable.SOMETIMES,
)
def image_not_mirrored(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        # A stage of the same file, or an image that the set builds, is pulled from nowhere.
        if stage.parent is not None or stage.base is not None or stage.image == "scratch":
            continue
        reference = parse_reference(stage.image)
        if not reference.valid or reference.canonical.startswith(MIRROR):
            continue
        fix = None
        hub = next((prefix for prefix in HUB if reference.canonical.startswith(prefix)), None)
        if hub is not None and stage.node.arguments[0] == stage.image:
            mirrored = MIRROR + reference.canonical.removeprefix(hub)
            fix = unsafe(context.edit(word_spans(stage.node)[0], mirrored))
        message = f"pull {stage.image} through {MIRROR.rstrip('/')}"
        yield context.finding(stage.node, message, fix=fix)
