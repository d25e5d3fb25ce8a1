"""Where images are built that nobody keeps: a builder, and a store that leaves nothing behind.

podman and buildah keep images in a folder of their own, beside the user's, which are only read.
docker's daemon has one store for all, and so has the service of a podman that is only its client:
images get names there that nobody else uses, and copies of the Dockerfiles call them so.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import secrets
import shutil
import socket
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dockstrata.build.archive import Built, read_archive
from dockstrata.build.builders import Given, build_command, environment_of, program_of
from dockstrata.build.order import BUILT, Job, Named
from dockstrata.build.storage import storage
from dockstrata.errors import DockstrataError
from dockstrata.source import Span, encode
from dockstrata.syntax.nodes import Document

_SAVE = {
    "docker": "docker save --output {path} {tag}",
    "podman": "podman save --quiet --format docker-archive --output {path} {tag}",
    "buildah": "buildah push --quiet {tag} docker-archive:{path}",
}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
"""What platforms call a machine, where that is not its own name."""


@dataclass(frozen=True, slots=True)
class Store:
    """``builder`` with what it is given; ``folder`` is thrown away afterwards, ``names`` are the
    images' in a store that others use too, by the names of their jobs."""

    builder: str
    given: Given
    folder: str
    environment: Mapping[str, str]
    documents: Mapping[str, Document]
    names: Mapping[str, str]

    def command(self, job: Job) -> list[str]:
        """The command line that builds one image into this store."""
        if job.name in self.names:
            job = self._renamed(job)
        job = replace(job, build=replace(job.build, platforms=_one_of(job.build.platforms)))
        command = build_command(self.builder, job, self.given)
        if program_of(self.builder) != "docker":
            command[-1:-1] = _host_name()
        return command

    def read(self, job: Job) -> Built:
        """What was built. Raises :class:`DockstrataError`."""
        tag = self.names.get(job.name, job.tags[0])
        path = os.path.join(self.folder, "image.tar")
        command = _SAVE[program_of(self.builder)].split()
        said = _run([part.format(path=path, tag=tag) for part in command], self.environment)
        try:
            if said is not None:
                raise DockstrataError(f"the image cannot be read: {said}", job.dockerfile)
            return read_archive(path)
        except (OSError, ValueError, KeyError, tarfile.TarError) as error:
            raise DockstrataError(f"the image cannot be read: {error}", job.dockerfile) from None
        finally:
            with contextlib.suppress(OSError):
                os.unlink(path)

    def _renamed(self, job: Job) -> Job:
        """The job with the names of this store, and with a Dockerfile that says them."""
        name, build = self.names[job.name], job.build
        before = self.documents[job.dockerfile].source.text
        text = renamed(before, job.named, self.names)
        if text != before:
            folder = os.path.join(self.folder, name.rpartition(":")[2])
            os.makedirs(folder, exist_ok=True)
            copy = os.path.join(folder, os.path.basename(job.dockerfile))
            with open(copy, "wb") as file:
                file.write(encode(text))
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{job.dockerfile}.dockerignore", f"{copy}.dockerignore")
            build = replace(build, dockerfile=copy)
        contexts = tuple((key, value) for key, value in job.contexts if not value.startswith(BUILT))
        return replace(job, build=build, tags=(name,), contexts=contexts)


@contextlib.contextmanager
def throw_away(
    builder: str, given: Given, jobs: Sequence[Job], documents: Mapping[str, Document]
) -> Iterator[Store]:
    """A store for ``jobs``; afterwards it is gone, and so are their images.

    ``documents`` are their Dockerfiles by path.
    """
    program = program_of(builder)
    with tempfile.TemporaryDirectory(prefix="dockstrata-", ignore_cleanup_errors=True) as folder:
        environment = {**os.environ, **environment_of(builder)}
        # podman and buildah: in Docker's format SHELL, HEALTHCHECK and ONBUILD are compared, too.
        environment["BUILDAH_FORMAT"] = "docker"
        names: dict[str, str] = {}
        own = None if program == "docker" else storage(program, folder)
        if own is None:
            run = secrets.token_hex(6)
            names = {job.name: f"localhost/dockstrata-{run}:{i}" for i, job in enumerate(jobs)}
        else:
            environment |= own[0]
        try:
            yield Store(builder, given, folder, environment, documents, names)
        finally:
            if own is not None:
                _run([program, "rmi", "--all", "--force"], {**environment, **own[1]})
            for name in reversed(names.values()):
                _run([program, "rmi", name], environment)


def renamed(text: str, named: Sequence[Named], names: Mapping[str, str]) -> str:
    """A Dockerfile's text where ``named`` are called as ``names`` has it by the jobs' names."""
    edits: dict[Span, str] = {}
    for image in named:
        if (name := names.get(image.job or "")) is not None:
            edits |= dict.fromkeys(_places(image), name)
    for span in sorted(edits, reverse=True):
        text = text[: span.start] + edits[span] + text[span.end :]
    return text


def _places(named: Named) -> list[Span]:
    """Where an instruction names an image: after FROM, or in its flags."""
    node = named.node.trigger or named.node
    if node.keyword == "FROM":
        found = [node.find(node.arguments[0], node.arguments_at)]
        return [span for span in found if span is not None]
    pattern = re.compile(rf"(?<=from=){re.escape(named.image)}(?=[\s,\"]|$)")
    return [node.span_of(*at.span()) for at in pattern.finditer(node.line, 0, node.arguments_at)]


def _one_of(platforms: Sequence[str]) -> tuple[str, ...]:
    """This machine's platform, else the first: a store gives one image of a name.

    podman and buildah would add a second one to a list of that name in the user's own store.
    """
    machine = platform.machine().lower()
    own = [it for it in platforms if it.split("/")[1:2] == [_ARCHITECTURES.get(machine, machine)]]
    return tuple([*own, *platforms][:1])


def _host_name() -> list[str]:
    """Options that let RUN see one host name in every build, as BuildKit does.

    podman and buildah call each container by a name of its own, which RUN may write down.
    """
    name = socket.gethostname()
    return ["--uts=host", *([f"--add-host={name}:127.0.0.1"] if name else [])]


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """What a command complains of, ``None`` where it succeeds."""
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
    except OSError as error:
        return error.strerror or str(error)
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return None if done.returncode == 0 else (said[-1] if said else "no reason given")
