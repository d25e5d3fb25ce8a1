"""A base image has one image built on it, and no other use.

It is one more file to read and one more image to build, and shares nothing. Write its steps into
the image that uses it, or wait for the second one.

Bad:

    # bases/java/Dockerfile
    # dockstrata base localhost/java:17
    FROM debian:12.5
    RUN apt-get update && apt-get install -y openjdk-17-jre
    # shop/Dockerfile
    FROM localhost/java:17
    COPY shop.jar /

Good:

    # bases/java/Dockerfile
    # dockstrata base localhost/java:17
    FROM debian:12.5
    RUN apt-get update && apt-get install -y openjdk-17-jre
    # shop/Dockerfile
    FROM localhost/java:17
    COPY shop.jar /
    # cart/Dockerfile
    FROM localhost/java:17
    COPY cart.jar /

Source: dockstrata. A base is what ``dockstrata apply`` wrote, or the target of a bake file without
a tag that is there as another target's named context. Stages within one file are not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from dockstrata.meaning.images import Image
from dockstrata.rule import Finding, Related, SetContext, Severity, set_rule
from dockstrata_rules.images.from_name import base_reference, from_name


@set_rule(code="DS205", name="base-with-one-child", severity=Severity.INFO)
def base_with_one_child(context: SetContext) -> Iterator[Finding]:
    children: defaultdict[str, dict[tuple[str, int], Image]] = defaultdict(dict)
    for image in context.images.images:
        if image.parent is not None and image.parent.path != image.path:
            children[image.parent.path][image.path, image.stage.index] = image
    for path, built in children.items():
        child, *others = built.values()
        if others or not _is_only_a_base(context, path):
            continue
        name = base_reference(child.evaluation, child.stage) or child.stage.image
        if not _is_named_elsewhere(context, path, child, name):
            shown = from_name(child.evaluation, child.stage) or name
            at = context.images.of(path)[-1].stage.node
            yield context.finding(
                at,
                f"{shown} is a base of {child.id} alone: write its steps there, or"
                " build another image on it",
                related=[Related(child.path, child.stage.node.start_line, "built on it")],
            )


def _is_only_a_base(context: SetContext, path: str) -> bool:
    library = context.facts.library
    if path in library.marked:
        return not any(
            product.path == path
            for reference, product in library.products.items()
            if reference.startswith(("service:", "target:"))
        )
    builds = library.builds[path]
    return all(it.origin.endswith((".hcl", ".json")) and not it.tags for it in builds)


def _is_named_elsewhere(context: SetContext, path: str, child: Image, name: str) -> bool:
    """Whether another file, or another place of the child's, copies from it."""
    documents = context.facts.library.documents
    if name.startswith("target:"):
        builds = [it.build for it in context.images.evaluations if it.build is not None]
        users = {it.dockerfile for it in builds if name in dict(it.contexts).values()}
        text = documents[child.path].source.text
        return len(users) > 1 or f"from={from_name(child.evaluation, child.stage)}" in text
    word = name.rpartition("/")[2]
    uses = {it: documents[it].source.text.count(word) for it in documents if it != path}
    return any(count > (it == child.path) for it, count in uses.items())
