"""Several images begin with the same steps, written out in each of them.

Every copy is edited on its own and drifts from the others, and a change of what they share must be
found in each. One base image that they build FROM keeps it in one place, and gives them the same
layers on every builder.

Bad:

    # shop/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y openjdk-17-jre
    COPY shop.jar /
    # cart/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y openjdk-17-jre
    COPY cart.jar /

Good:

    # shop/Dockerfile
    FROM localhost/debian-openjdk-17-jre:12.5
    COPY shop.jar /
    # cart/Dockerfile
    FROM localhost/debian-openjdk-17-jre:12.5
    COPY cart.jar /

Source: the images that ``dockstrata plan`` would make; its limits and costs decide which prefixes
are worth one. ``dockstrata apply`` writes them. Files that a program writes are passed over, as
``apply`` leaves them alone: ``dockstrata plan --include-generated`` shows what they repeat.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dockstrata.meaning.images import Image
from dockstrata.rule import Finding, Instruction, Related, SetContext, Severity, set_rule
from dockstrata.syntax.readable import readable

if TYPE_CHECKING:
    from dockstrata.plan.model import Base


@set_rule(code="DS101", name="repeated-prefix", severity=Severity.WARNING)
def repeated_prefix(context: SetContext) -> Iterator[Finding]:
    for base in (base for plan in context.facts.plans for base in plan.bases):
        places = [
            (image, node)
            for image in sorted(base.served, key=lambda image: image.path)
            if (node := _last_shared(image, base.node.chain)) is not None
        ]
        if len(places) < 2:
            continue
        (first, at), *others = places
        related = [
            Related(
                image.path,
                node.start_line,
                f"stage {image.stage.label} shares the steps up to here",
            )
            for image, node in others
        ]
        yield context.finding(at, _message(base, first, len(places)), related=related)


def _last_shared(image: Image, chain: str) -> Instruction | None:
    return next((step.instruction for step in image.steps if step.chain == chain), None)


def _message(base: Base, first: Image, images: int) -> str:
    # Bases of the plan below it are not there yet: their steps repeat, too.
    count, lowest = len(base.own_steps), base
    while lowest.parent is not None and not lowest.parent.existing:
        lowest = lowest.parent
        count += len(lowest.own_steps)
    steps = "step" if count == 1 else f"{count} steps"
    where = "a base image" if base.kind == "file" else "a stage at the top of this file"
    what = "images" if base.kind == "file" else "stages"
    root = lowest.parent.ref if lowest.parent is not None else readable(first.stage.root)
    return (
        f"{images} {what} repeat the same {steps} on {root} up to here: write it once in {where}"
        " that they build FROM (`dockstrata plan` shows it, `dockstrata apply` writes it)"
    )
