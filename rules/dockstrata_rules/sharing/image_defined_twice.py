"""Two Dockerfiles define the same image.

They have the same root image, steps and configuration, so whatever is built from one can be built
from the other. Keep one and refer to it, before someone changes one of them alone.

Bad:

    # one/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl
    CMD ["curl"]
    # two/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl
    CMD ["curl"]

Good:

    # one/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl
    CMD ["curl"]
    # two/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl
    CMD ["curl", "--version"]

Source: dockstrata. Equal is what BuildKit compiles to the same build and configuration; files that
COPY takes are compared too. A file that a program writes is no finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from dockstrata.meaning.images import Image
from dockstrata.rule import Finding, Related, SetContext, Severity, set_rule


@set_rule(code="DS104", name="image-defined-twice", severity=Severity.WARNING)
def image_defined_twice(context: SetContext) -> Iterator[Finding]:
    equal: defaultdict[tuple[str, str], list[Image]] = defaultdict(list)
    for image in context.images.images:
        # Equal stages on the way to different images are a repeated prefix.
        final = image.stage.index == len(image.evaluation.stages) - 1
        if not final or image.stage.problem is not None:
            continue
        if any(step.kind != "WORKDIR" for step in image.steps):
            equal[image.stage.meaning, image.stage.config_digest()].append(image)
    for first, *others in equal.values():
        written = {first.path}
        for image in others:
            if image.path in written:
                continue  # one file, built for several tags or platforms
            written.add(image.path)
            if image.path in context.facts.generated:
                continue  # its generator has it but once
            yield context.finding(
                image.stage.node,
                f"this image is the same as {first.id}: same root, steps and configuration."
                " Keep one of the two",
                related=[Related(first.path, first.stage.node.start_line, "defined here first")],
            )
