"""How one Dockerfile is built, as a compose or bake file says; shared by their readers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from dockstrata.load.discover import tidy
from dockstrata.load.secrets import Secret
from dockstrata.syntax.reference import context_name


@dataclass(frozen=True, slots=True)
class Build:
    """One build of a Dockerfile.

    ``dockerfile`` and ``context`` are paths as discovery gives them. ``args`` are build arguments
    in the order of the file; None is a value that only the builder's environment knows.
    ``contexts`` are named contexts, by the names that BuildKit asks for
    (:func:`~dockstrata.syntax.reference.context_name`): a path, or as written (``target:base``,
    ``docker-image://…``).
    ``tags`` are the image names that it produces. ``origin`` and ``line`` (from 1) say where this
    is written, ``service`` is the compose service or bake target. ``secrets`` and ``ssh`` (as the
    builders' ``--ssh`` takes it: ``default``, ``id=path``) are what its RUN mounts may ask for.
    ``variables`` are those of the environment that ``args`` had their values from: what ``.env`` or
    a default says, and whoever builds may say otherwise.
    """

    dockerfile: str
    context: str
    target: str | None
    args: tuple[tuple[str, str | None], ...]
    platforms: tuple[str, ...]
    contexts: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    origin: str
    line: int
    service: str
    secrets: tuple[Secret, ...] = ()
    ssh: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read: ``reason`` is ``unreadable``, ``broken``, ``unknown-value``, or
    ``inline`` for a Dockerfile inside a compose or bake file."""

    path: str
    line: int
    message: str
    reason: str = "broken"


class UnknownValueError(Exception):
    """A value that only the builder's environment knows; ``str()`` names it."""


_REMOTE = re.compile(
    r"[A-Za-z][\w+.-]*://|git@|github\.com/|(?:service|target|docker-image|oci-layout):|-$"
)


def is_remote(context: str) -> bool:
    """Whether a build context is not a directory: a URL, git, standard input, another target."""
    return bool(_REMOTE.match(context))


def read_file(path: str) -> str | Problem:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        return Problem(path, 1, f"cannot be read: {error.strerror}", "unreadable")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem(path, line, "is not UTF-8")


def locate(origin: str, context: str, dockerfile: str) -> tuple[str, str, str] | None:
    """The base directory, the context and the Dockerfile as paths; None where there is no file.

    Paths are relative to the file that says so. Where a path of several names leads nowhere the
    directories above are tried: people run builders in the repository's root with
    ``-f docker/compose.yaml``.
    """
    base = os.path.dirname(origin)
    specific = "/" in tidy(os.path.join(context, dockerfile))
    for _ in range(40):
        folder = tidy(os.path.join(base, context))
        path = tidy(os.path.join(folder, dockerfile))
        if os.path.isfile(path):
            return base, folder, path
        if not specific or not base or base.endswith("..") or os.path.dirname(base) == base:
            return None
        base = os.path.dirname(base)
    return None


def named_contexts(contexts: Mapping[str, str], base: str) -> tuple[tuple[str, str], ...]:
    """The named contexts that a compose or bake file gives, paths from ``base``.

    Both hand names on as written, and BuildKit asks for the short form: ``image:latest`` or
    ``docker.io/library/image`` is never asked for.
    """
    return tuple(
        (name, value if is_remote(value) else tidy(os.path.join(base, value)))
        for name, value in contexts.items()
        if name == context_name(name)
    )
