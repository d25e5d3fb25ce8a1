"""FROM names an image of the repository that nothing in it builds.

``localhost/`` is no registry: what is called so must be built here. So must the target of a bake
file that a named context points at. Perhaps a base was renamed or removed, or its tag was changed.

Bad:

    # bases/java/Dockerfile
    # dockstrata base localhost/java:17
    FROM debian:12.5
    RUN apt-get update && apt-get install -y openjdk-17-jre
    # app/Dockerfile
    FROM localhost/java:21
    COPY app.jar /

Good:

    # bases/java/Dockerfile
    # dockstrata base localhost/java:17
    FROM debian:12.5
    RUN apt-get update && apt-get install -y openjdk-17-jre
    # app/Dockerfile
    FROM localhost/java:17
    COPY app.jar /

Source: dockstrata. An image is built here if compose, bake or configuration give its name to a
Dockerfile, or if ``dockstrata apply`` wrote it. A script that builds images is not read: where one
does, ignore the rule. A ``localhost`` with a port is a registry.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Finding, SetContext, Severity, set_rule
from dockstrata_rules.images.from_name import base_reference


@set_rule(code="DS206", name="missing-base", severity=Severity.WARNING, alone=True)
def missing_base(context: SetContext) -> Iterator[Finding]:
    library = context.facts.library
    for evaluation in context.images.evaluations:
        path, build = evaluation.document.path, evaluation.build
        for stage in evaluation.stages:
            reference = base_reference(evaluation, stage)
            if reference is None or reference in library.products or "$" in stage.node.rest:
                continue  # an argument decides which image it is
            name = stage.node.arguments[0]
            if reference.startswith("localhost/") and not context.facts.builds(path, reference):
                near = _same_name(reference, list(library.products))
                yield context.finding(
                    stage.node,
                    f"nothing here builds {name}: no base has this name, and no compose or"
                    f" bake file gives it to one{near}",
                )
            elif (
                reference.startswith("target:")
                and build is not None
                and not context.facts.mentions_target(build, reference.removeprefix("target:"))
            ):
                yield context.finding(
                    stage.node,
                    f"{name} is {reference} in {build.origin}, and there is no such target",
                )


def _same_name(reference: str, products: list[str]) -> str:
    name = reference.rpartition(":")[0]
    others = [it for it in products if it.rpartition(":")[0] == name]
    return f"; there is {', '.join(sorted(others))}" if others else ""
