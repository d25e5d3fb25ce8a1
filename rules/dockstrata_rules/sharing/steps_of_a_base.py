"""An image repeats the steps of a base image that the repository has.

The base is there to have them in one place. Built FROM it, the image follows when the base changes;
with its own copy it drifts.

Bad:

    # compose.yaml
    services:
      java:
        image: registry.example.com/java:17
        build: java
      shop:
        build: shop
      cart:
        build: cart
    # java/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y openjdk-17-jre
    # shop/Dockerfile
    FROM registry.example.com/java:17
    COPY shop.jar /
    # cart/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y openjdk-17-jre
    COPY cart.jar /

Good:

    # compose.yaml
    services:
      java:
        image: registry.example.com/java:17
        build: java
      shop:
        build: shop
      cart:
        build: cart
    # java/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y openjdk-17-jre
    # shop/Dockerfile
    FROM registry.example.com/java:17
    COPY shop.jar /
    # cart/Dockerfile
    FROM registry.example.com/java:17
    COPY cart.jar /

Source: the images that ``dockstrata plan`` would move onto an existing base; ``dockstrata apply``
moves them where it can prove that nothing changes. A base is what other images are built on
already, or what ``apply`` wrote. Files that a program writes are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Finding, Related, SetContext, Severity, set_rule


@set_rule(code="DS103", name="steps-of-a-base", severity=Severity.WARNING)
def steps_of_a_base(context: SetContext) -> Iterator[Finding]:
    for base in (base for plan in context.facts.plans for base in plan.reused):
        its = context.images.of(base.path)[-1].stage.node.start_line
        for member in base.members:
            step = member.image.steps[member.steps - 1]
            count = "this step" if member.steps == 1 else f"the {member.steps} steps up to here"
            yield context.finding(
                step.instruction,
                f"{base.ref} has {count} already: build FROM it (`dockstrata apply` does)",
                related=[Related(base.path, its, f"builds {base.ref}")],
            )
