"""How each Dockerfile is built, from the compose and bake files of the repository."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from dockstrata.load import names
from dockstrata.load.wiring import Build, Problem

__all__ = ["Build", "Builds", "Problem", "load_builds"]


@dataclass(frozen=True, slots=True)
class Builds:
    """For each Dockerfile (as discovery names it) its builds, in the order of their files.

    A Dockerfile that no file mentions is not in ``by_dockerfile``: it is built with its own folder
    as context. ``problems`` are files that could not be read, and builds that cannot be told.
    """

    by_dockerfile: Mapping[str, tuple[Build, ...]]
    problems: tuple[Problem, ...]


def load_builds(
    directories: Sequence[str],
    dockerfiles: Sequence[str],
    *,
    wiring: Sequence[str] | None = None,
) -> Builds:
    """Read the compose and bake files of directories.

    ``wiring`` are those files where a walk has met them already (``Discovery.wiring``); without
    it ``directories`` are walked. Never raises for what is in a file. Builds with a remote
    context or of a Dockerfile not among ``dockerfiles`` are left out; inline ones are problems.
    """
    if wiring is None:
        from dockstrata.load.walk import Walk, walk

        met = Walk()
        for directory in directories:
            if os.path.isdir(directory):
                walk(os.path.normpath(directory), met)
        wiring = met.wiring
    wiring = sorted(set(wiring))
    builds: list[Build] = []
    problems: list[Problem] = []
    if compose := [path for path in wiring if names.is_compose_name(os.path.basename(path))]:
        from dockstrata.load.compose import compose_builds

        found, broken = compose_builds(compose)
        builds += found
        problems += broken
    if bake := [path for path in wiring if names.is_bake_name(os.path.basename(path))]:
        from dockstrata.load.bake import bake_builds

        found, broken = bake_builds(bake, builds)
        builds += found
        problems += broken
    known = {os.path.realpath(path): path for path in dockerfiles}
    by_dockerfile: dict[str, list[Build]] = {}
    for build in builds:
        path = known.get(os.path.realpath(build.dockerfile))
        if path is not None:
            by_dockerfile.setdefault(path, []).append(build)
    return Builds(
        MappingProxyType({path: tuple(found) for path, found in sorted(by_dockerfile.items())}),
        tuple(dict.fromkeys(problems)),
    )
