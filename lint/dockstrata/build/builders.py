"""The programs that build images, and how each is told to build one.

Sources: ``docker buildx build``, ``docker build``, ``podman build`` and ``buildah build``, as their
manual pages describe them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockstrata.build.order import BUILT, Job
from dockstrata.errors import DockstrataError
from dockstrata.load.secrets import Secret, given_secret

PROGRAMS = ("docker", "podman", "buildah")
_STARTS = {
    "buildx": ("docker", "buildx", "build", "--load"),
    "docker": ("docker", "build"),
    "podman": ("podman", "build"),
    # Never "if newer": that would put a registry's old base over the one just built.
    # Layers and a cache by instruction are what the others do without being told.
    "buildah": ("buildah", "build", "--layers", "--pull=false"),
}
_PREDEFINED = frozenset(
    name
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (proxy, proxy.lower())
)
_PATIENCE = 20  # seconds for a question that a builder answers at once


@dataclass(frozen=True, slots=True)
class Given:
    """What the user passes to every build that asks for it: arguments (``None``: as in the
    environment), secrets, and ssh agents as ``--ssh`` takes them."""

    arguments: Mapping[str, str | None] = field(default_factory=dict)
    secrets: Sequence[Secret] = ()
    ssh: Sequence[str] = ()


def read_given(arguments: Sequence[str], secrets: Sequence[str], ssh: Sequence[str]) -> Given:
    """What ``--build-arg``, ``--secret`` and ``--ssh`` say; raises :class:`DockstrataError`."""
    values: dict[str, str | None] = {}
    for text in arguments:
        name, equals, value = text.partition("=")
        if not name:
            raise DockstrataError(f"--build-arg '{text}' has no name; it must look like NAME=VALUE")
        values[name] = value if equals else None
    found: list[Secret] = []
    for text in secrets:
        secret = given_secret(text, "")
        if secret is None:
            raise DockstrataError(
                f"--secret '{text}' has no id; it must look like id=npm,src=.npmrc"
            )
        found.append(secret)
    return Given(values, tuple(found), tuple(ssh))


def unheard(given: Given, jobs: Sequence[Job]) -> list[str]:
    """What the user passes and no job asks for, in sentences."""
    declared = _PREDEFINED.union(*(job.declared for job in jobs))
    mounted = {name for job in jobs for name in job.asked.secrets}
    said = [
        f"no Dockerfile declares ARG {name}" for name in given.arguments if name not in declared
    ]
    said += [f"no RUN mounts secret {s.id}" for s in given.secrets if s.id not in mounted]
    if given.ssh and not any(job.asked.ssh for job in jobs):
        said.append("no RUN mounts an ssh agent")
    return said


def find_builder(wanted: str | None) -> str:
    """A key of the builders: ``buildx``, ``docker``, ``podman`` or ``buildah``.

    ``wanted`` is one of :data:`PROGRAMS`. Raises :class:`DockstrataError` where there is none
    that works.
    """
    said: list[str] = []
    for program in PROGRAMS if wanted is None else (wanted,):
        if shutil.which(program) is None:
            continue
        if program != "docker":
            return program
        silent = _trouble(["docker", "version", "--format", "{{.Server.Version}}"])
        if silent is None:
            return _docker()
        said.append(f"docker is installed, but its daemon does not answer ({silent})")
    if said:
        raise DockstrataError("; ".join(said))
    if wanted is not None:
        raise DockstrataError(f"{wanted} is not installed, or not on the PATH")
    raise DockstrataError("nothing here builds images: install docker, podman or buildah")


def _docker() -> str:
    if _trouble(["docker", "buildx", "version"]) is not None:
        return "docker"
    driver = re.search(r"(?m)^Driver:\s*(\S+)", _ask(["docker", "buildx", "inspect"]))
    if driver is not None and driver[1] != "docker":
        raise DockstrataError(
            f"docker's builder in use is of the kind '{driver[1]}', which cannot build on an image"
            " that an earlier build made; choose another with `docker buildx use default`, or"
            " build the set at once with `docker buildx bake` and the bake file that `dockstrata"
            " apply` writes"
        )
    return "buildx"


def _ask(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace")


def _trouble(command: Sequence[str]) -> str | None:
    """What a command complains of; ``None`` where it succeeds."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_PATIENCE, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {_PATIENCE} s"
    except OSError as error:
        return error.strerror or str(error)
    if done.returncode == 0:
        return None
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def build_command(builder: str, job: Job, given: Given) -> list[str]:
    """The command line that builds one image. ``builder`` as :func:`find_builder` gives it."""
    build = job.build
    command = [*_STARTS[builder], "--file", _path(build.dockerfile)]
    if len(build.platforms) > 1 and builder in ("podman", "buildah"):
        command += ["--manifest", job.tags[0]]  # an image of several platforms has one name here
    else:
        for tag in job.tags:
            command += ["--tag", tag]
    if build.target is not None:
        command += ["--target", build.target]
    if build.platforms:
        command += ["--platform", ",".join(build.platforms)]
    for name, value in _arguments(job, given).items():
        command += ["--build-arg", name if value is None else f"{name}={value}"]
    for name, value in job.contexts:
        command += ["--build-context", f"{name}={_context(builder, value)}"]
    for secret in _secrets(job, given):
        command += ["--secret", _secret(secret)]
    if job.asked.ssh:
        for agent in given.ssh or build.ssh:
            command += ["--ssh", agent]
    return [*command, _path(build.context)]


def _arguments(job: Job, given: Given) -> dict[str, str | None]:
    """The build's own arguments, the user's over them where the Dockerfile declares them."""
    asked = job.declared | _PREDEFINED
    return {
        **dict(job.build.args),
        **{name: value for name, value in given.arguments.items() if name in asked},
    }


def _secrets(job: Job, given: Given) -> list[Secret]:
    known = {secret.id: secret for secret in (*job.build.secrets, *given.secrets)}
    return [known[name] for name in job.asked.secrets if name in known]


def _secret(secret: Secret) -> str:
    """``id=…`` with the place where the value is; told by its id alone, found as BuildKit does."""
    if secret.file:
        return f"id={secret.id},src={os.path.expanduser(secret.file)}"
    variable = secret.variable or (secret.id if secret.id in os.environ else "")
    return f"id={secret.id},env={variable}" if variable else f"id={secret.id},src={secret.id}"


def _context(builder: str, value: str) -> str:
    if not value.startswith(BUILT):
        return value
    scheme = "container-image" if builder in ("podman", "buildah") else "docker-image"
    return f"{scheme}://{value.removeprefix(BUILT)}"


def _path(path: str) -> str:
    """A path that no builder takes for an option or a URL."""
    return path if path[:1] in ("/", ".") else f"./{path}"
