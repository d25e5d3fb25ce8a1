"""The programs that build images, and how each is told to build one.

docker builds in three ways: ``buildx`` is its plugin, ``docker`` the BuildKit that clients before
23.0 have by themselves, ``classic`` the builder that is left where there is neither, or where
``DOCKER_BUILDKIT=0`` asks for it.

Sources: ``docker buildx build``, ``docker build``, ``podman build`` and ``buildah build``, as their
manual pages describe them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockstrata.build.order import BUILT, Job
from dockstrata.errors import DockstrataError
from dockstrata.load.secrets import Secret, given_secret

PROGRAMS = ("docker", "podman", "buildah")
_STARTS = {
    "buildx": ("docker", "buildx", "build", "--load"),
    "docker": ("docker", "build"),
    # A build that fails leaves no container behind: its image could not be removed.
    "classic": ("docker", "build", "--force-rm"),
    "podman": ("podman", "build"),
    # Never "if newer": that would put a registry's old base over the one just built.
    # Layers and a cache by instruction are what the others do without being told.
    "buildah": ("buildah", "build", "--layers", "--pull=false"),
}
CLASSIC = (
    "this docker builds with its classic builder, which knows no RUN --mount, no heredocs and no"
    " named contexts; with docker's buildx plugin (and without DOCKER_BUILDKIT=0) BuildKit builds"
)
"""What users are told where there is nothing better."""
_ENVIRONMENTS = {"docker": {"DOCKER_BUILDKIT": "1"}, "classic": {"DOCKER_BUILDKIT": "0"}}
_PREDEFINED = frozenset(
    name
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (proxy, proxy.lower())
)


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


def program_of(builder: str) -> str:
    """The program's name."""
    return _STARTS[builder][0]


def environment_of(builder: str) -> dict[str, str]:
    """Variables that the command line needs beside the user's environment."""
    return dict(_ENVIRONMENTS.get(builder, {}))


def build_command(builder: str, job: Job, given: Given) -> list[str]:
    """The command line that builds one image; ``builder`` is one of those above.

    Raises :class:`DockstrataError` where the image needs what that builder does not have.
    """
    if (lacking := _lacking(builder, job)) is not None:
        raise DockstrataError(
            f"{lacking}; install docker's buildx plugin, or choose --builder podman or buildah",
        )
    build = job.build
    command = [*_STARTS[builder], "--file", _path(build.dockerfile)]
    if _is_list(builder, job):
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


def clearing(builder: str, job: Job) -> list[list[str]]:
    """What to run before a build: each command only where the one before it succeeds.

    podman and buildah keep an image of several platforms as a list, and a build adds to the list
    of that name: what stands on it would be built on the images of an earlier build.
    """
    if not _is_list(builder, job):
        return []
    return [[program_of(builder), "manifest", verb, job.tags[0]] for verb in ("exists", "rm")]


def _is_list(builder: str, job: Job) -> bool:
    return len(job.build.platforms) > 1 and builder in ("podman", "buildah")


def _lacking(builder: str, job: Job) -> str | None:
    """What an image needs and the builder does not have, in words."""
    if builder not in ("docker", "classic"):
        return None
    if job.contexts:
        names = ", ".join(name for name, _ in job.contexts)
        return f"its named contexts ({names}) are nothing that docker knows without buildx"
    if builder == "classic" and (job.asked.secrets or job.asked.ssh):
        what = "a secret" if job.asked.secrets else "an ssh agent"
        return f"RUN mounts {what}, which needs BuildKit, and docker's classic builder is used here"
    return None


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
