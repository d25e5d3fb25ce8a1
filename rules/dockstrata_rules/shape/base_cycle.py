"""Images are built on each other in a circle.

None of them can be built first. Where an image is in a registry already the build works, and each
one then stands on the one before: layers pile up, and nobody can build it from nothing.

Bad:

    # compose.yaml
    services:
      one:
        image: registry.example.com/one:1
        build: one
      two:
        image: registry.example.com/two:1
        build: two
    # one/Dockerfile
    FROM registry.example.com/two:1
    RUN make one
    # two/Dockerfile
    FROM registry.example.com/one:1
    RUN make two

Good:

    # compose.yaml
    services:
      one:
        image: registry.example.com/one:1
        build: one
      two:
        image: registry.example.com/two:1
        build: two
    # one/Dockerfile
    FROM debian:12.5
    RUN make one
    # two/Dockerfile
    FROM registry.example.com/one:1
    RUN make two

Source: dockstrata. Which Dockerfile builds which image is what compose, bake or configuration say,
and the marks of bases that ``dockstrata apply`` wrote. Arguments in FROM have their defaults.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Evaluation, Finding, Related, SetContext, Severity, Stage, set_rule
from dockstrata_rules.images.from_name import base_reference, from_name


@set_rule(code="DS204", name="base-cycle", severity=Severity.WARNING, alone=True)
def base_cycle(context: SetContext) -> Iterator[Finding]:
    home = {id(stage): it for it in context.images.evaluations for stage in it.stages}
    seen: set[int] = set()
    for evaluation in context.images.evaluations:
        for stage in evaluation.stages:
            way: list[Stage] = []
            at: Stage | None = stage
            while at is not None and id(at) not in seen:
                seen.add(id(at))
                way.append(at)
                at = _below(context, home[id(at)], at)
            circle = way[way.index(at) :] if at is not None and at in way else []
            if circle:
                yield _finding(context, home, circle)


def _below(context: SetContext, evaluation: Evaluation, stage: Stage) -> Stage | None:
    """The stage that a stage is built on; of another file too."""
    if stage.parent is not None:
        return evaluation.stages[stage.parent]
    reference = base_reference(evaluation, stage)
    if reference is None:
        return None
    library = context.facts.library
    own = library.shadowing.get(reference)
    if own is not None and own.path == stage.node.source.path:
        return library.stage(own.path, own.build, own.target)
    return library.resolve(reference)


def _finding(context: SetContext, home: dict[int, Evaluation], circle: list[Stage]) -> Finding:
    """At the FROM that leads out of its file, in the first file by path."""
    out = [stage for stage in circle if stage.parent is None]
    first = min(out, key=lambda stage: stage.node.source.path)
    at = out.index(first)
    ordered = out[at:] + out[:at]
    names = [from_name(home[id(stage)], stage) for stage in ordered]
    if len(out) == 1:
        message = (
            f"this image is built FROM {names[0]}, which is what it is called itself:"
            " each build stands on the one before. Give it another name"
        )
        return context.finding(first.node, message)
    files = " → ".join(stage.node.source.path for stage in [*ordered, first])
    return context.finding(
        first.node,
        f"images are built on each other in a circle: {files}. None can be built first",
        related=[
            Related(stage.node.source.path, stage.node.start_line, f"built FROM {name}")
            for stage, name in list(zip(ordered, names, strict=True))[1:]
        ],
    )
