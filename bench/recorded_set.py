"""A repository's copy with all that its builds need on this machine, built on stand-ins."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import run
from build_failures import BUILD, missing_root, why_not_built
from checked_downloads import put_right
from concrete_values import concrete
from recorded_root import RecordedRoot
from recorded_runs import SCRIPT
from recorded_secrets import given_for
from recorded_sources import context_lacks, copy_cleaned, make_up

from dockstrata.build.order import BUILT, Job, jobs_of
from dockstrata.load.context import forget_contexts
from dockstrata.meaning.context import ContextReader, Taken
from dockstrata.meaning.images import Image, image_set
from dockstrata.meaning.library import Library, reader
from dockstrata.meaning.repository import read_repository
from dockstrata.source import encode
from dockstrata.syntax.nodes import Document

PASSES = 4  # over a set, until nothing more is made up
_WARNINGS = re.compile(rb"(?im)^#[ \t]*check[ \t]*=.*\r?\n")
# An URL may stand in an argument's default, and on one of the lines that continue another.
_REMOTE = re.compile(rb"(?im)^[ \t]*(?:ONBUILD[ \t]+)?(?:ADD|ARG|ENV)[ \t](?:.*\\\r?\n)*.*$")
_URL = re.compile(rb"\bhttps?://")
_ENTITLED = {"--network=host": "network.host", "--security=insecure": "security.insecure"}

Place = tuple[str, int, int]
"""Dockerfile, number of the build among those of the file, stage."""


class _Anything(BaseHTTPRequestHandler):
    """A server that has every file; its content is its name."""

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2015 00:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 (the name that the server calls)

    def log_message(self, *_told: object) -> None:
        pass


def served() -> str:
    """Begins the URLs of such a server, which lives as long as this process."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Anything)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def prepare(source: Path, copy: Path, server: str) -> None:
    """Copy a repository, with what needs the network changed."""
    here = server.encode()

    def local(found: re.Match[bytes]) -> bytes:
        return _URL.sub(here, found[0])

    copy_cleaned(source, copy, (_WARNINGS, b""), (_REMOTE, local))


def name_stages(document: Document) -> None:
    """Give all stages but the last a name in the file: others cannot be asked for."""
    nodes = [node for node in document.instructions if node.keyword == "FROM"]
    text = document.source.text
    for number, node in reversed(list(enumerate(nodes[:-1]))):
        if len(node.arguments) == 1 and node.start_line == node.end_line:
            text = f"{text[: node.end]} AS no-name-{number}{text[node.end :]}"
    if text != document.source.text and not document.faults:
        Path(document.path).write_bytes(encode(text))


@dataclass
class Repository:
    """One repository's copy, its stand-ins, and what its builds are given."""

    folder: Path
    root: RecordedRoot
    library: Library
    jobs: list[Job]
    prefix: str
    secrets: dict[str, Path]
    entitled: tuple[str, ...]
    made: int = 0

    def making(self, directory: str, dockerfile: str) -> ContextReader:
        """What COPY takes; a file that is not there is made up first."""
        read = reader(directory, dockerfile)

        def one(
            source: str, excludes: Sequence[str], *, parents: bool = False, named: str | None = None
        ) -> Taken:
            taken = read(source, excludes, parents=parents, named=named)
            if taken.key[0] == "absent":
                self.made += make_up(Path(named or directory), source)
                forget_contexts()
            return taken

        return one

    def evaluated(self, values: bool) -> dict[Place, Image]:
        """All images by Dockerfile, number of the build, and stage."""
        forget_contexts()
        library = self.library.again(carry_shell=True)
        if not values:
            return _by_place(library)
        with concrete():
            return _by_place(library)

    def foresee(self) -> None:
        """Make up what the evaluation says will be missing."""
        with concrete():
            library = Library(
                list(self.library.documents.values()),
                self.library.told,
                self.making,
                carry_shell=True,
            )
            images = _by_place(library)
        for image in images.values():
            for item in image.stage.evaluated:
                user = item.before.user
                self.root.users.update(part for part in (user or "").split(":") if part)
        ours = {tag for job in self.jobs for tag in job.tags}
        for image in images.values():
            if image.parent is None and image.stage.root not in ours | {"scratch"}:
                self.root.name(image.stage.root)

    def build(self, job: Job, image: Image, target: str, instead: str = "") -> str | None:
        """Why a stage cannot be built; None where it was.

        ``instead`` is a file in its Dockerfile's place; what is built with it gets no name.
        """
        command = [*BUILD, *self.entitled, "--file", instead or job.dockerfile]
        command += [] if instead else ["--tag", self.tag(image)]
        command += ["--target", target] if target else []
        for name, value in job.build.args:
            command += ["--build-arg", name if value is None else f"{name}={value}"]
        for name, value in job.contexts:
            known = value.removeprefix(BUILT)
            command += [
                "--build-context",
                f"{name}={value if known == value else f'docker-image://{known}'}",
            ]
        for name, file in self.secrets.items():
            command += ["--secret", f"id={name},src={file}"]
        command.append(job.build.context)
        return why_not_built(command, self.folder, lambda why: self.mend(job, why))

    def mend(self, job: Job, why: str) -> bool:
        """Make up what a build lacks; whether there is something."""
        image = missing_root(why)
        if image is not None:
            ours = {tag for other in self.jobs for tag in other.tags}
            return not {image, image + ":latest"} & ours and self.root.name(image)
        if self.root.lacks(why):
            return True
        added = context_lacks(Path(job.build.context), why)
        self.made += added
        return added

    def tag(self, image: Image) -> str:
        told = f"{image.path}\0{image.id}\0{image.stage.index}"
        return f"{self.prefix}:{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def _by_place(library: Library) -> dict[Place, Image]:
    numbers = {
        id(library.evaluation(path, number)): number
        for path, builds in library.builds.items()
        for number in range(len(builds))
    }
    return {
        (image.path, numbers[id(image.evaluation)], image.stage.index): image
        for image in image_set(library.all()).images
    }


def open_repository(source: Path, top: Path, server: str) -> Repository:
    """Raises :class:`DockstrataError` where there is no Dockerfile."""
    folder = top / "set"
    prepare(source, folder, server)
    for document in read_repository([str(folder)]).library.documents.values():
        name_stages(document)
    repository = read_repository([str(folder)])
    if put_right(repository.library, server):
        repository = read_repository([str(folder)])
    texts = [document.source.text for document in repository.library.documents.values()]
    secrets = given_for(texts, top).secrets
    jobs = jobs_of(repository)
    for job in jobs:
        for name, value in job.build.args:
            if value is None:
                os.environ.setdefault(name, f"value-of-{name}")
    prefix = f"localhost/compared-{hashlib.sha256(str(source).encode()).hexdigest()[:8]}"
    root = RecordedRoot(top / "root", texts, SCRIPT)
    entitled = tuple(
        f"--allow={name}" for flag, name in _ENTITLED.items() if any(flag in it for it in texts)
    )
    return Repository(folder, root, repository.library, jobs, prefix, secrets, entitled)


def targets(job: Job, images: dict[Place, Image]) -> Iterator[tuple[Image, str]]:
    """The stages of a job's file with what ``--target`` calls each; "" is the last."""
    own = [image for (path, number, _), image in images.items()
           if (path, number) == (job.dockerfile, job.number)]  # fmt: skip
    names = [image.stage.name for image in own]
    for image in own:
        name = image.stage.name
        unique = name is not None and names.count(name) == 1
        if image is own[-1] or unique:
            yield image, name if name and unique else ""


def build_all(repository: Repository, limit: int) -> dict[Place, str | None]:
    """Build every stage of every job; why each failed, by place."""
    images = repository.evaluated(True)
    places = {id(image): place for place, image in images.items()}
    done: dict[Place, str | None] = {}
    for job in repository.jobs[:limit]:
        own = list(targets(job, images))
        for image, target in own:
            place = places[id(image)]
            if place not in done:
                done[place] = repository.build(job, image, target)
        asked_for = job.build.target
        last = [
            image
            for image, target in own
            if asked_for in (image.stage.name, str(image.stage.index))
            or (asked_for is None and image is own[-1][0])
        ]
        for image in last[-1:]:
            if done[places[id(image)]] is None:
                for tag in job.tags:
                    run("docker", "tag", repository.tag(image), tag)
    return done
