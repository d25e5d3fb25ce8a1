"""A base image comes from a registry that is not on the list of trusted ones.

Without a list (``trusted-registries``) every registry is trusted. ``*`` in an entry stands for any
characters.

Bad:

    # dockstrata.toml
    [lint]
    trusted-registries = ["registry.example.com"]
    # Dockerfile
    FROM debian:12.5

Good:

    # dockstrata.toml
    [lint]
    trusted-registries = ["registry.example.com", "docker.io"]
    # Dockerfile
    FROM debian:12.5

Source: hadolint DL3026. An image that the set builds itself is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.reference import DEFAULT_REGISTRY, parse_reference
from dockstrata.syntax.words import is_symbolic

_HUB = frozenset({"docker.io", "hub.docker.com", "index.docker.io"})


@rule(code="DL3026", name="untrusted-registry", severity=Severity.ERROR)
def untrusted_registry(context: Context) -> Iterator[Finding]:
    trusted = context.settings.trusted_registries
    if not trusted:
        return
    for stage in context.stages:
        if (
            stage.parent is not None
            or stage.base is not None
            or stage.image == "scratch"
            or is_symbolic(stage.image)
        ):
            continue
        registry = parse_reference(stage.image).registry or DEFAULT_REGISTRY
        if not any(_same(registry, entry) for entry in trusted):
            yield context.finding(stage.node, "Use only an allowed registry in the FROM image")


def _same(registry: str, entry: str) -> bool:
    return fnmatchcase(registry, entry) or (registry in _HUB and entry in _HUB)
