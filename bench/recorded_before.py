"""A real set as it was, built with plain docker on stand-ins; what is missing is made up."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from build_apart import run
from build_failures import BUILD, missing_root, why_not_built
from recorded_root import RecordedRoot
from recorded_secrets import given_for
from recorded_sources import context_lacks, copy_cleaned

_STAGE = re.compile(r"(?im)^\s*FROM\s.*?\sAS\s+(\S+)\s*$")


@dataclass(frozen=True)
class Build:
    """One image as the repository builds it; paths are relative to the repository."""

    file: str
    context: str
    target: str
    options: tuple[str, ...]  # build arguments and named contexts, as command line
    tags: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str, tuple[str, ...]]:
        return self.file, self.context, tuple(sorted(self.options))


def builds(folder: Path) -> Iterator[Build]:
    """The images of a repository, parents first, as ``dockstrata build`` would build them."""
    done = run(
        *(sys.executable, "-m", "dockstrata", "build", "--dry-run", "--builder", "docker"),
        folder=folder,
    )
    for line in done.stdout.splitlines():
        words = shlex.split(line)
        if "build" not in words:
            continue
        words = words[words.index("build") + 1 :]
        options, tags, values = [], [], {"--file": "", "--target": ""}
        for name, value in itertools.pairwise(words):
            if name in ("--build-arg", "--build-context"):
                options += [name, value]
            elif name == "--tag":
                tags.append(value)
            elif name in values:
                values[name] = values[name] or value
        file, context = map(os.path.normpath, (values["--file"], words[-1]))
        yield Build(file, context, values["--target"], tuple(options), tuple(tags))


def stages(folder: Path, build: Build) -> list[str]:
    """The names to ask for: the image's own target (empty: the last stage), then all others."""
    try:
        text = (folder / build.file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return [build.target]
    named = dict.fromkeys([build.target, *(name.lower() for name in _STAGE.findall(text))])
    return [name for name in named if "$" not in name]


class Before:
    """The copy of a set, its stand-ins, and what was built of it.

    ``folder`` is the copy, ``known`` are its images, ``given`` is what all builds are given, which
    this process's children find in their environment too. Names of images begin with ``prefix``.
    """

    def __init__(self, source: Path, top: Path, prefix: str):
        """``top`` is a folder for the copy and the stand-ins' files."""
        self.folder = top / "old"
        self.prefix = f"localhost/{prefix}-{hashlib.sha256(source.name.encode()).hexdigest()[:8]}"
        copy_cleaned(source, self.folder)
        self.known = list(builds(self.folder))
        files = [self.folder / build.file for build in self.known]
        texts = [it.read_text(encoding="utf-8", errors="replace") for it in files if it.is_file()]
        self.given = given_for(texts, top)
        self.given.export()
        self.root = RecordedRoot(top / "root", texts)
        self.by_tag = {_short(tag): build for build in self.known for tag in build.tags}
        self.tagged: set[str] = set()
        self.made: dict[str, str | None] = {}

    def tag(self, build: Build, stage: str) -> str:
        told = "\0".join((*build.key[:2], *build.options, stage))
        return f"{self.prefix}-before:{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    def build_all(self, wanted: Sequence[tuple[Build, str]]) -> list[str | None]:
        """Why each stage cannot be built; None where it was."""
        failures: list[str | None] = []
        for _ in self.passes():
            failures = [self.build(build, stage) for build, stage in wanted]
        return failures

    def passes(self) -> Iterable[int]:
        """Build all again, once, where a later image had something added to the roots."""
        for number in range(2):
            self.made.clear()
            marks = self.root.marks
            yield number
            if self.root.marks == marks:
                break

    def build(self, build: Build, stage: str, above: tuple[Build, ...] = ()) -> str | None:
        """Why a stage cannot be built; None where it was. ``above`` are the images that need it."""
        tag = self.tag(build, stage)
        if tag in self.made:
            return self.made[tag]
        command = [*BUILD, *self.given.options, "--tag", tag, "--file", build.file, *build.options]
        command += ["--target", stage] if stage else []
        self.made[tag] = why = why_not_built(
            [*command, build.context],
            self.folder,
            lambda why: self.mend(build.context, why, (*above, build)),
        )
        if why is None and stage == build.target:
            for name in build.tags:
                run("docker", "tag", tag, name)
                self.tagged.add(name)
        return why

    def mend(self, context: str, why: str, above: tuple[Build, ...]) -> bool:
        """Make up what a build in a context lacks; whether there is something."""
        image = missing_root(why)
        if image is None:
            return self.root.lacks(why) or context_lacks(self.folder / context, why)
        parent = self.by_tag.get(_short(image))
        if parent and parent not in above:
            return self.build(parent, parent.target, above) is None
        return self.root.name(image)

    def remove(self) -> None:
        """Take all images out of the daemon: those built before and after, and the stand-ins."""
        listed = run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
        ours = (image for image in listed if image.startswith(self.prefix))
        run("docker", "rmi", "--force", *ours, *self.tagged, *self.root.names)


def _short(image: str) -> str:
    """An image's name as docker shows it."""
    name = image.removeprefix("docker.io/").removeprefix("library/")
    return name.removesuffix(":latest")
