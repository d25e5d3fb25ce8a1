"""Image references: ``[registry/]repository[:tag][@digest]``.

Source: the distribution project's reference grammar, and Docker's defaults for what is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_REGISTRY = "docker.io"
_REPOSITORY = re.compile(
    r"^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$"
)
_HOST = r"[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*"
_REGISTRY = re.compile(rf"^(?:{_HOST}(?:\.{_HOST})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$")
_TAG = re.compile(r"^\w[\w.-]{0,127}$", re.ASCII)
_DIGEST = re.compile(r"^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image reference as written; ``registry`` is empty where the text names none."""

    text: str
    registry: str
    repository: str
    tag: str | None
    digest: str | None

    @property
    def canonical(self) -> str:
        """The reference spelled in full, as BuildKit resolves it."""
        registry = self.registry or DEFAULT_REGISTRY
        if registry == "index.docker.io":
            registry = DEFAULT_REGISTRY
        repository = self.repository
        if registry == DEFAULT_REGISTRY and "/" not in repository:
            repository = f"library/{repository}"
        name = f"{registry}/{repository}"
        if self.digest:
            return f"{name}{f':{self.tag}' if self.tag else ''}@{self.digest}"
        return f"{name}:{self.tag or 'latest'}"

    @property
    def familiar(self) -> str:
        """The reference as short as it can be: ``a`` for ``docker.io/library/a:latest``."""
        name = self.canonical.removeprefix(f"{DEFAULT_REGISTRY}/")
        return name.removeprefix("library/").removesuffix(":latest")

    @property
    def short_name(self) -> str:
        """The last part of the repository, ``debian`` of ``docker.io/library/debian``."""
        return self.repository.rsplit("/", 1)[-1]

    @property
    def valid(self) -> bool:
        return (
            bool(_REPOSITORY.match(self.repository))
            and (not self.registry or bool(_REGISTRY.match(self.registry)))
            and (self.tag is None or bool(_TAG.match(self.tag)))
            and (self.digest is None or bool(_DIGEST.match(self.digest)))
        )


def context_name(name: str) -> str:
    """The name by which BuildKit asks for a named context where FROM says ``name``."""
    reference = parse_reference(name)
    return reference.familiar if reference.valid else name


@lru_cache(maxsize=4096)
def parse_reference(text: str) -> Reference:
    """Cut a reference into its parts; never raises (see :attr:`Reference.valid`)."""
    name, at, digest = text.partition("@")
    tag: str | None = None
    slash = name.rfind("/")
    colon = name.rfind(":")
    if colon > slash:
        name, tag = name[:colon], name[colon + 1 :]
    registry = ""
    first, found, rest = name.partition("/")
    # A first part is a host where it cannot be part of a repository on Docker Hub.
    if found and ("." in first or ":" in first or first == "localhost" or first.lower() != first):
        registry, name = first, rest
    return Reference(text, registry, name, tag, digest if at else None)
