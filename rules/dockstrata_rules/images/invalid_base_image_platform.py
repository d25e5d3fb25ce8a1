"""A base image is of another platform than the one that is built.

The build then stands on programs that do not run there, or cannot find its base at all.

Bad:

    # docker-bake.hcl
    target "base" {
      context = "base"
      platforms = ["linux/amd64"]
    }
    target "app" {
      context = "app"
      contexts = { base = "target:base" }
      platforms = ["linux/amd64", "linux/arm64"]
    }
    # base/Dockerfile
    FROM debian:12.5
    RUN make tools
    # app/Dockerfile
    FROM base
    RUN make

Good:

    # docker-bake.hcl
    target "base" {
      context = "base"
      platforms = ["linux/amd64", "linux/arm64"]
    }
    target "app" {
      context = "app"
      contexts = { base = "target:base" }
      platforms = ["linux/amd64", "linux/arm64"]
    }
    # base/Dockerfile
    FROM debian:12.5
    RUN make tools
    # app/Dockerfile
    FROM base
    RUN make

Source: BuildKit. It asks the registry; here nothing is asked. What is known is an image that the
set itself builds for given platforms (compose, bake or configuration say them), and a local OCI
layout that is a named context. The platform wanted is that of the build, or ``--platform`` of FROM.
Where one of the two is not written anywhere, it depends on the machine, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.meaning.images import Image
from dockstrata.rule import Finding, SetContext, Severity, set_rule
from dockstrata.syntax.readable import by_default
from dockstrata_rules.images.from_name import from_name, named_context

_ARCHITECTURES = {
    "aarch64": "arm64",
    "armhf": "arm",
    "armel": "arm",
    "i386": "386",
    "x86-64": "amd64",
    "x86_64": "amd64",
}


@set_rule(
    code="InvalidBaseImagePlatform",
    name="invalid-base-image-platform",
    severity=Severity.WARNING,
    alone=True,
)
def invalid_base_image_platform(context: SetContext) -> Iterator[Finding]:
    for image in context.images.images:
        name = from_name(image.evaluation, image.stage)
        actual = _actual(context, image, name) if name is not None else set()
        if not actual:
            continue
        for wanted in _wanted(image):
            if wanted not in actual:
                yield context.finding(
                    image.stage.node,
                    f"Base image {name} was pulled with platform"
                    f' "{", ".join(sorted(actual))}", expected "{wanted}" for current build',
                )


def _wanted(image: Image) -> list[str]:
    """The platforms that the image is built for, where they are written."""
    if image.stage.platform is not None:
        platform = by_default(image.stage.platform)
        return _normal([platform]) if platform else []
    build = image.evaluation.build
    return _normal(build.platforms) if build is not None else []


def _actual(context: SetContext, image: Image, name: str) -> set[str]:
    """The platforms that its base image is known to have."""
    build = image.evaluation.build
    if image.stage.parent is not None or build is None:
        return set()
    if image.parent is None:
        given = named_context(image.evaluation, name)
        return set(context.facts.platforms(build, given) or ()) if given is not None else set()
    builds = context.facts.library.builds[image.parent.path]
    if not all(it.platforms for it in builds):
        return set()
    return {name for it in builds for name in _normal(it.platforms)}


def _normal(platforms: tuple[str, ...] | list[str]) -> list[str]:
    """``os/architecture``; what names one of the two alone depends on the machine."""
    found: list[str] = []
    for platform in platforms:
        system, _, rest = platform.lower().partition("/")
        architecture = rest.partition("/")[0]
        if architecture:
            found.append(f"{system}/{_ARCHITECTURES.get(architecture, architecture)}")
    return found
