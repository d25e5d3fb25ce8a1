"""Real compose files before and after ``apply --compose``, built by Docker Compose on stand-ins.

    python bench/build_compose.py FOLDER... [--apply=--include-generated] [--no-cache]

``FOLDER`` holds one repository. It is copied and committed; files that its Dockerfiles copy and
that are not there, their root images, and variables that nothing sets are made up as in
``build_recorded.py``. Of each compose file that ``dockstrata apply --compose`` changes, the
services are then built by ``docker compose build``: one by one as they were, those that can be
built all at once as they are. The images of each service are compared by what docker tells.
Nothing of dockstrata compares. With ``--no-cache``, all steps of the images after run again: from
the cache, a step is taken even where the secrets that it mounts are not handed on.

Needs a docker daemon that can be thrown away, buildx, compose, and a static busybox.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import run
from build_failures import reason, why_not_built
from build_outcome import Outcome, report
from image_difference import differ
from recorded_before import Before
from refactored_copy import applied, changed, written

_NAME = re.compile(r"(docker-)?compose([._-].*)?\.ya?ml", re.IGNORECASE)
_NOT_SET = re.compile(r'The \\?"(\w+)\\?" variable is not set|required variable (\w+) is missing')


@dataclass
class Project:
    """Compose files of a set that are read together, with all profiles; often one alone.

    ``variables`` get a value where neither the files nor their ``.env`` give one.
    """

    folder: Path
    files: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The one that matters; those before it have services that it names."""
        return self.files[-1]

    @property
    def name(self) -> str:
        return "recorded-" + hashlib.sha256(self.file.encode()).hexdigest()[:10]

    def command(self, *words: str) -> list[str]:
        given = ("env", *(f"{name}={value}" for name, value in self.variables.items()))
        files = (word for file in self.files for word in ("-f", file))
        told = ("--profile", "*", "-p", self.name)
        return [*given, "docker", "compose", *files, *told, *words]

    def services(self) -> dict[str, Any]:
        """Those with a build, as Docker Compose reads them; their variables are made up.

        Raises :class:`ValueError`, with what Docker Compose says of a file that it refuses.
        """
        while True:
            # Not as JSON: Docker Compose 2.40 cannot write ssh agents with names in it.
            done = run(*self.command("config", "--no-env-resolution"), folder=self.folder)
            missing = {found[1] or found[2] for found in _NOT_SET.finditer(done.stderr)}
            if missing <= self.variables.keys():
                break
            # A number does for a part of a name, and for a port.
            self.variables.update(dict.fromkeys(missing, "1"))
        if done.returncode != 0:
            raise ValueError(reason(done.stderr))
        found = (yaml.safe_load(done.stdout) or {}).get("services") or {}
        return {name: service for name, service in found.items() if service.get("build")}

    def image(self, name: str, service: dict[str, Any]) -> str:
        return str(service.get("image") or f"{self.name}-{name}")


def check(source: Path, options: list[str], how: tuple[str, ...]) -> Outcome:
    """Prepare, refactor, build and compare one repository."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="composed-") as name:
        top = Path(name).resolve()
        before = Before(source, top, "composed")
        try:
            options = ["--compose", *options]
            draft = changed(applied(before.folder, top / "draft", options))
            files = sorted(file for file in draft if _NAME.fullmatch(os.path.basename(file)))
            built = build_before(before, files, outcome)
            after = applied(before.folder, top / "new", options)
            for project, services in built:
                compare(before, project, services, after, how, outcome)
        finally:
            before.remove()
    return outcome


def build_before(
    before: Before, files: list[str], outcome: Outcome
) -> list[tuple[Project, dict[str, Any]]]:
    """Build the services of compose files as they were; those that can be built, by file."""
    projects: list[tuple[Project, dict[str, Any]]] = []
    for file in files:
        outcome.counts["compose files"] += 1
        for together in ((file,), (*beside(before.folder, file), file)):
            project = Project(before.folder, together)
            try:
                projects.append((project, project.services()))
                break
            except ValueError as error:
                refused = str(error)
        else:
            outcome.reasons[f"all of {file}: {refused}"] += 1
    failures: dict[tuple[str, str], str | None] = {}
    for _ in before.passes():
        for project, services in projects:
            for name, service in services.items():
                why = build_service(before, project, name, service)
                failures[project.file, name] = why
                if why is None:
                    image = project.image(name, service)
                    run("docker", "tag", image, kept(before, project, name))
                    before.tagged.add(image)
    outcome.counts["services"] = len(failures)
    outcome.reasons.update(why for why in failures.values() if why is not None)
    return [
        (project, {name: it for name, it in services.items() if not failures[project.file, name]})
        for project, services in projects
    ]


def beside(folder: Path, file: str) -> list[str]:
    """The other compose files of a folder, the usual one first."""
    place = os.path.dirname(file)
    names = (name for name in os.listdir(folder / place) if _NAME.fullmatch(name))
    paths = (os.path.join(place, name) for name in sorted(names, key=lambda it: (len(it), it)))
    return [path for path in paths if path != file]


def build_service(
    before: Before, project: Project, name: str, service: dict[str, Any]
) -> str | None:
    """Why a service cannot be built; None where it was."""
    context = os.path.relpath(service["build"].get("context", "."), before.folder)
    return why_not_built(
        project.command("build", name), before.folder, lambda why: before.mend(context, why, ())
    )


def kept(before: Before, project: Project, name: str) -> str:
    """What the image of a service as it was is called."""
    return f"{before.prefix}-before:{project.name}-{name}"


def compare(
    before: Before,
    project: Project,
    services: dict[str, Any],
    folder: Path,
    how: tuple[str, ...],
    outcome: Outcome,
) -> None:
    """Build services of a refactored set; ``how`` are build options."""
    if not services:
        return
    outcome.counts["services built before"] += len(services)
    images = {name: project.image(name, service) for name, service in services.items()}
    run("docker", "rmi", "--force", *images.values())
    now = Project(folder, project.files, project.variables)
    # Docker Compose runs steps again only of the services that it is told.
    bases = sorted(now.services().keys() - project.services().keys()) if how else []
    # One bake for all would find a secret of any service for each of them.
    alone = ("env", "COMPOSE_BAKE=false") if how else ()
    done = run(*alone, *now.command("build", *how, *bases, *services), folder=folder)
    if done.returncode != 0:
        outcome.counts["FAILS after"] += len(services)
        outcome.failures.append(f"{project.file}: FAILS after: {done.stderr[-1500:]}")
        return
    paths = written(folder)
    for name, image in images.items():
        difference = differ(kept(before, project, name), image, folder.parent, paths)
        if difference:
            outcome.counts["DIFFERENT"] += 1
            outcome.failures.append(f"{project.file}: DIFFERENT: {name}: {difference}")
        else:
            outcome.counts["same layers" if difference is None else "same files"] += 1
    run("docker", "rmi", "--force", *images.values())
    run(*now.command("down", "--rmi", "local"), folder=folder)  # bases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--apply", action="append", default=[], help="an option for apply")
    parser.add_argument("--no-cache", action="store_true", help="run all steps again after")
    chosen = parser.parse_args()
    how = ("--no-cache",) if chosen.no_cache else ()
    report(chosen.folders, lambda folder: check(folder, chosen.apply, how))


if __name__ == "__main__":
    main()
