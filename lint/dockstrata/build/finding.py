"""Which of the programs that build images is there, and works.

Sources: ``docker version``, ``docker buildx inspect``; Docker's release notes say that the client
builds with BuildKit by itself from 18.09 on, and from 23.0 on only through its buildx plugin.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence

from dockstrata.build.builders import PROGRAMS
from dockstrata.errors import DockstrataError

_PATIENCE = 20  # seconds for a question that a builder answers at once
_VERSION = re.compile(r"^(\d+)\.")
_NEEDS_PLUGIN = 23
"""The first major version of the docker client that has no BuildKit of its own."""
_OFF = ("0", "f", "false")


def find_builder(wanted: str | None, tell: Callable[[str], None] = lambda message: None) -> str:
    """A key of the builders: ``buildx``, ``docker``, ``classic``, ``podman`` or ``buildah``.

    ``wanted`` is one of :data:`PROGRAMS`; ``tell`` hears why one that is there is passed over.
    Raises :class:`DockstrataError` where there is none that works.
    """
    said: list[str] = []
    for program in PROGRAMS if wanted is None else (wanted,):
        if shutil.which(program) is None:
            continue
        if program != "docker":
            for message in said:
                tell(message)
            return program
        if _is_podman() and shutil.which("podman") is not None:
            tell("docker is podman by another name here")
            return "podman"
        try:
            return _docker()
        except DockstrataError as error:
            said.append(error.message)
    if said:
        raise DockstrataError("; ".join(said))
    if wanted is not None:
        raise DockstrataError(f"{wanted} is not installed, or not on the PATH")
    raise DockstrataError("nothing here builds images: install docker, podman or buildah")


def _is_podman() -> bool:
    """Whether docker is what the package ``podman-docker`` puts there."""
    return _ask(["docker", "--version"])[0].startswith("podman ")


def _docker() -> str:
    """How the docker that is here builds."""
    _, trouble = _ask(["docker", "version", "--format", "{{.Server.Version}}"])
    if trouble is not None:
        raise DockstrataError(f"docker is installed, but its daemon does not answer ({trouble})")
    if os.environ.get("DOCKER_BUILDKIT", "").lower() in _OFF:
        return "classic"
    if _ask(["docker", "buildx", "version"])[1] is not None:
        client, _ = _ask(["docker", "version", "--format", "{{.Client.Version}}"])
        major = _VERSION.match(client)
        return "docker" if major is not None and int(major[1]) < _NEEDS_PLUGIN else "classic"
    driver = re.search(r"(?m)^Driver:\s*(\S+)", _ask(["docker", "buildx", "inspect"])[0])
    if driver is not None and driver[1] != "docker":
        raise DockstrataError(
            f"docker's builder in use is of the kind '{driver[1]}', which cannot build on an image"
            " that an earlier build made; choose another with `docker buildx use default`, or"
            " build the set at once with `docker buildx bake` and the bake file that `dockstrata"
            " apply` writes"
        )
    return "buildx"


def _ask(command: Sequence[str]) -> tuple[str, str | None]:
    """What a command prints, and what it complains of: ``None`` where it succeeds."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer in {_PATIENCE} s"
    except OSError as error:
        return "", error.strerror or str(error)
    printed = done.stdout.decode("utf-8", "replace")
    if done.returncode == 0:
        return printed, None
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return printed, lines[-1] if lines else f"exit code {done.returncode}"
