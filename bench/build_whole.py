"""Real sets refactored, and built whole by the bake file's group ``all``, in one command.

    python bench/build_whole.py FOLDER... [--apply=--include-generated]

``FOLDER`` holds one repository. It is copied, and made buildable on stand-ins as in
``build_recorded.py``; each image is built as it was with plain ``docker build``. Dockerfiles that
cannot be built, and what stands on them, are taken out of the copy, for one of them would end the
whole build; they are counted, with why. Then the set is committed and refactored, the names that
its old images gave are taken away, and

    docker buildx bake -f bases/docker-bake.hcl all

builds everything. Each image must be built by just one target and be what docker tells of the one
that was; each target that builds none must be a base. Nothing of dockstrata compares.

Needs a docker daemon that can be thrown away, buildx, and a static busybox.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import run
from build_failures import reason
from build_outcome import Outcome, report
from build_recorded import BAKE
from image_difference import differ
from recorded_before import Before, Build, builds
from refactored_copy import applied, written

WHOLE = (*BAKE, "--set", "*.platform=linux/amd64")  # roots are of no other


def check(source: Path, options: list[str]) -> Outcome:
    """Prepare, build, refactor, build again and compare one repository."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="whole-") as name:
        top = Path(name).resolve()
        before = Before(source, top, "whole")
        try:
            only_buildable(before, outcome)
            folder = applied(before.folder, top / "new", options)
            if (folder / "bases/docker-bake.hcl").is_file():
                run("docker", "rmi", "--force", *before.tagged)
                compare(before, folder, outcome)
            else:
                outcome.counts["without bases"] += 1
        finally:
            before.remove()
    return outcome


def only_buildable(before: Before, outcome: Outcome) -> None:
    """Build all images as they are, and take out of the copy what cannot be built."""
    outcome.counts["images"] = len(before.known)
    while True:
        failures = before.build_all([(build, build.target) for build in before.known])
        pairs = zip(before.known, failures, strict=True)
        broken = {build.file: why for build, why in pairs if why is not None}
        if not broken:
            break
        for file, why in broken.items():
            outcome.reasons[why] += 1
            (before.folder / file).unlink(missing_ok=True)
        before.known = list(builds(before.folder))
    outcome.counts["built before"] = len(before.known)


def compare(before: Before, folder: Path, outcome: Outcome) -> None:
    """Build the group and compare each image."""
    printed = run(*WHOLE, "--print", "all", folder=folder)
    named: dict[str, Any] = json.loads(printed.stdout or "{}").get("target", {})
    told = folder.parent / "built.json"
    done = run(*WHOLE, "--metadata-file", told, "all", folder=folder)
    outcome.counts["targets"] += len(named)
    if done.returncode != 0:
        outcome.failures.append(f"FAILS after: {reason(done.stderr)}: {done.stderr[-1500:]}")
        return
    made = json.loads(told.read_text())
    paths = written(folder)
    left = set(named)
    for build in before.known:
        found = [name for name, body in named.items() if builds_it(body, build, folder)]
        if len(found) != 1:
            outcome.failures.append(f"{build.file}: targets {found} instead of one")
            continue
        left -= {*found}
        image = made.get(found[0], {}).get("containerimage.config.digest")
        if image is None:
            outcome.failures.append(f"{build.file}: target {found[0]} was not built")
            continue
        difference = differ(before.tag(build, build.target), image, folder.parent, paths)
        if difference:
            outcome.failures.append(f"DIFFERENT: {build.file}: {difference}")
        kind = "same layers" if difference is None else "DIFFERENT" if difference else "same files"
        outcome.counts[kind] += 1
    for name in left:
        if file_of(named[name], folder).startswith("bases/") and name in made:
            outcome.counts["bases"] += 1
        else:
            outcome.failures.append(f"target {name} builds nothing that was there")


def file_of(body: dict[str, Any], folder: Path) -> str:
    """The Dockerfile of a target, seen from the repository."""
    context = folder / body.get("context", ".")
    return os.path.relpath(context / body.get("dockerfile", "Dockerfile"), folder)


def builds_it(body: dict[str, Any], build: Build, folder: Path) -> bool:
    """Whether a target builds the image: its Dockerfile, context, stage and arguments."""
    pairs = zip(build.options[::2], build.options[1::2], strict=True)
    wanted = dict(value.split("=", 1) for name, value in pairs if name == "--build-arg")
    given = {name: value for name, value in body.get("args", {}).items() if value is not None}
    return (
        file_of(body, folder) == build.file
        and os.path.normpath(body.get("context", ".")) == build.context
        and body.get("target", "") == build.target
        and given == wanted
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--apply", action="append", default=[], help="an option for apply")
    chosen = parser.parse_args()
    report(chosen.folders, lambda folder: check(folder, chosen.apply))


if __name__ == "__main__":
    main()
