"""Real Dockerfiles refactored, and built before and after by BuildKit, on roots that only record.

    python bench/build_recorded.py FOLDER... [--apply=--include-generated] [--limit N] [--no-cache]

Real Dockerfiles cannot be built without the network and the files around them. Here they can: each
external root is an image whose shells and programs write down what they are asked (arguments, user,
folder, environment, standard input, mounts, all files there are) and do nothing else; files that
COPY names and that are not there are made up. So BuildKit itself reads, expands and runs every
instruction of every stage, and the record in the image tells what it did.

``FOLDER`` holds one repository. It is copied and committed, ``dockstrata apply`` changes it, then
each stage of each changed Dockerfile is built: before with plain ``docker build``, after with
``docker buildx bake`` and the bake file that was written. Nothing of dockstrata compares: two
images are the same where docker tells the same configuration and the same layers (BuildKit found
each step in its cache: to it both are one build), or else the same files. A step that is found
there is not run, so secrets and agents that the refactoring forgot to hand on would not be missed:
with ``--no-cache`` all steps run again after, and what each sees of them is in the record.

Each build is given a value for every secret, and the ssh agent that runs (``ssh-agent``,
``ssh-add``); bake takes them from where the bake file says.

Needs a docker daemon that can be thrown away, buildx, and a static busybox. Lines ``# syntax=`` are
taken out, for no frontend can be fetched. What cannot be built before is counted, with why.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import run
from build_outcome import Outcome, report
from image_difference import differ
from recorded_before import Before, Build, stages
from refactored_copy import applied, changed, written

BAKE = ("docker", "buildx", "bake", "--allow=ssh", "-f", "bases/docker-bake.hcl")


def check(
    source: Path, options: list[str], limit: int, keep: Path | None, how: tuple[str, ...] = ()
) -> Outcome:
    """Prepare, refactor, build and compare one repository."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="recorded-") as name:
        top = Path(name).resolve()
        before = Before(source, top, "recorded")
        try:
            # What changes decides what is built: a first run on the files as they are.
            draft = changed(applied(before.folder, top / "draft", options))
            built = build_before(before, draft, limit, outcome)
            after = After(before, applied(before.folder, top / "new", options), how)
            after.compare(built, outcome)
        finally:
            before.remove()
        if outcome.failures and keep:
            shutil.rmtree(keep / source.name, ignore_errors=True)
            shutil.copytree(top, keep / source.name, symlinks=True)
    return outcome


def build_before(
    before: Before, files: set[str], limit: int, outcome: Outcome
) -> list[tuple[Build, str]]:
    """Build all stages of these Dockerfiles as they were; those that can be built."""
    wanted = [build for build in before.known if build.file in files]
    outcome.counts["images"] = len(before.known)
    outcome.counts["changed"] = len(wanted)
    # By tag: images that differ in their platforms alone are the same build.
    asked = list(
        {
            before.tag(build, stage): (build, stage)
            for build in wanted[:limit]
            for stage in stages(before.folder, build)
        }.values()
    )
    failures = before.build_all(asked)
    outcome.reasons.update(why for why in failures if why is not None)
    built = [one for one, why in zip(asked, failures, strict=True) if why is None]
    outcome.counts["stages"] = len(asked)
    outcome.counts["built before"] = len(built)
    return built


class After:
    """The refactored set, built with the bake file that was written; ``how`` are build options."""

    def __init__(self, before: Before, folder: Path, how: tuple[str, ...]):
        self.before, self.folder, self.how = before, folder, how
        self.changed, self.written = changed(folder), written(folder)
        printed = run(*BAKE, "--print", "default", "bases", folder=folder).stdout
        self.bake: dict[str, Any] = json.loads(printed or "{}").get("target", {})

    def compare(self, built: list[tuple[Build, str]], outcome: Outcome) -> None:
        """Build stages as they are now, two at a time, and compare with those built before."""
        wanted = [(build, stage) for build, stage in built if build.file in self.changed]
        if len(wanted) < len(built):
            outcome.counts["left alone with files there"] = len(built) - len(wanted)
        # Alone without cache, so that each build runs its steps itself and hands its mounts on.
        with ThreadPoolExecutor(1 if self.how else 2) as pool:
            results = pool.map(lambda one: self.result(*one), wanted)
            for (build, stage), (kind, told) in zip(wanted, results, strict=True):
                outcome.counts[kind] += 1
                if told is not None:
                    outcome.failures.append(f"{kind}: {build.file} [{stage}]: {told}")

    def result(self, build: Build, stage: str) -> tuple[str, str | None]:
        """How a stage compares, and what is to be said of it."""
        was = self.before.tag(build, stage)
        tag = was.replace("-before:", "-after:")
        # A file on no new base has no target: its images are built as they were.
        target = next(iter(targets(self.bake, build, self.folder)), None)
        if target is None:
            command = ["docker", "build", "--quiet", *self.how, *self.before.given.options]
            command += ["--tag", tag, "--file", build.file]
            command += [*build.options, *(("--target", stage) if stage else ()), build.context]
        else:
            command = [
                *(*BAKE, *self.how),
                *("--set", f"{target}.target={stage}", "--set", f"{target}.tags={tag}"),
                *("--set", "*.platform=linux/amd64"),  # roots are of no other
                *("--set", f"{target}.output=type=docker", target),
            ]
        done = run(*command, folder=self.folder)
        if done.returncode != 0:
            return "fails after", done.stderr[-1500:]
        difference = differ(was, tag, self.folder.parent, self.written)
        if difference:
            return "DIFFERENT", difference
        return "same layers" if difference is None else "same files", None


def targets(bake: dict[str, Any], build: Build, folder: Path) -> list[str]:
    """The bake file's targets that build an image; the one with its arguments first."""
    given = {
        value.partition("=")[0]: value.partition("=")[2]
        for name, value in zip(build.options[::2], build.options[1::2], strict=True)
        if name == "--build-arg"
    }
    found = []
    for name, body in bake.items():
        context = folder / body.get("context", ".")
        file = (context / body.get("dockerfile", "Dockerfile")).resolve()
        if file == (folder / build.file).resolve():
            args = {k: v for k, v in body.get("args", {}).items() if v is not None}
            wrong = sum(given.get(k) != v for k, v in args.items() if k in given)
            other = context.resolve() != (folder / build.context).resolve()
            found.append((wrong + len(given.keys() - args.keys()) + 10 * other, name))
    return [name for _, name in sorted(found)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--apply", action="append", default=[], help="an option for apply")
    parser.add_argument("--limit", type=int, default=10_000, help="changed images to build, a set")
    parser.add_argument("--keep", type=Path, help="where to copy a set that fails")
    parser.add_argument("--no-cache", action="store_true", help="run all steps again after")
    chosen = parser.parse_args()
    how = ("--no-cache",) if chosen.no_cache else ()
    options = (chosen.apply, chosen.limit, chosen.keep, how)
    report(chosen.folders, lambda folder: check(folder, *options))


if __name__ == "__main__":
    main()
