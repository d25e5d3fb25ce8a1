"""Every stage of real Dockerfiles built by BuildKit, and held against what our evaluation says.

    python bench/compare_builds.py FOLDER... [--limit N] [--verbose]

Each ``FOLDER`` holds one repository. Root images are stand-ins whose programs write down what the
kernel handed them (see ``recorded_root.py``, ``recorded_runs.py``), so that each built image tells

- for every RUN: arguments, user, working directory, environment, network, mounts, heredocs' files;
- its configuration, as ``docker image inspect`` shows it;
- and which prefixes are one build to BuildKit: a RUN's layer holds a number that no other run
  gets, so two images share it only where BuildKit found the step in its cache.

All three are compared with ``dockstrata.meaning``; the last one with symbols, as it is used. Files
that COPY names and that are not there are made up. Lines ``# syntax=`` are taken out, digests of
roots become tags, and ADD asks a server on this machine for every URL, with the checksum of what
that sends: that much is changed, in a copy that both sides read. Each ADD with a checksum must fail
with a wrong one. Names images: use a daemon of its own. Flags that it does not know, or that it is
not entitled to (``network-host``, ``security-insecure``), are stages not built.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import run
from checked_downloads import checksums, spoilt
from concrete_values import asked, expected_config, expected_runs, shown_config
from partitions import Prefix, compare_partitions
from recorded_runs import Ran, runs_of
from recorded_set import PASSES, Place, Repository, build_all, open_repository, served, targets

from dockstrata.errors import DockstrataError
from dockstrata.meaning.images import Image
from dockstrata.meaning.step import Step

_PLACES = {"HOME", "HOSTNAME"}  # what runc sets where the image does not


@dataclass
class Found:
    """What was compared, and each difference in a line."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    pairs: Counter[str] = field(default_factory=Counter)

    def add(self, other: Found) -> None:
        self.counts += other.counts
        self.reasons += other.reasons
        self.pairs += other.pairs
        self.differences += other.differences


def check(
    source: Path, limit: int, server: str, verbose: bool = False
) -> tuple[Found, list[Prefix]]:
    """Prepare, build and compare one repository."""
    found = Found()
    prefixes: list[Prefix] = []
    with tempfile.TemporaryDirectory(prefix="compared-") as name:
        top = Path(name).resolve()
        try:
            repository = open_repository(source, top, server)
        except DockstrataError as error:
            found.reasons[f"not a set: {error}"[:120]] += 1
            return found, prefixes
        repository.foresee()
        failures: dict[Place, str | None] = {}
        try:
            for _ in range(PASSES):
                before = repository.root.marks, repository.made
                failures = build_all(repository, limit)
                if before == (repository.root.marks, repository.made):
                    break
            values, symbols = repository.evaluated(True), repository.evaluated(False)
            for place, why in failures.items():
                found.counts["stages"] += 1
                image = values[place]
                where = f"{source.name}/{os.path.relpath(image.path, repository.folder)}"
                where += f" [{image.stage.label}]"
                if why is not None:
                    found.reasons[why] += 1
                    if verbose:
                        print(f"  {where}: {why}")
                    continue
                found.counts["stages built"] += 1
                compare_checksums(repository, where, image, place, found)
                if image.stage.problem:
                    found.differences.append(f"{where}: ours refuses: {image.stage.problem}")
                    continue
                prefixes += compare(repository, where, image, symbols[place], values, found)
            compare_partitions(prefixes, found.counts, found.pairs, found.differences)
        finally:
            listed = run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
            ours = [tag for job in repository.jobs for tag in job.tags]
            run("docker", "rmi", "--force", *ours, *repository.root.names,
                *(tag for tag in listed if tag.startswith(repository.prefix)))  # fmt: skip
    return found, prefixes


def compare(
    repository: Repository,
    where: str,
    image: Image,
    symbolic: Image,
    values: dict[Place, Image],
    found: Found,
) -> list[Prefix]:
    """Compare one built stage; its prefixes."""
    tag = repository.tag(image)
    (told,) = json.loads(run("docker", "image", "inspect", tag).stdout)
    _compare_config(where, image, told, found)
    same = {i.stage.index: i for i in values.values() if i.evaluation is image.evaluation}
    steps, open_ended = expected_runs(image, same)
    users = _users(repository.root.folder)
    secrets = {name: file.read_text() for name, file in repository.secrets.items()}
    ran = runs_of(tag)
    own = sum(step.kind == "RUN" for step in image.steps)
    if len(ran) != len(steps) and not (open_ended and len(ran) > len(steps)):
        found.differences.append(f"{where}: {len(ran)} RUNs recorded, {len(steps)} expected")
    elif own:
        for step, record in list(zip(steps, ran[len(ran) - len(steps) :], strict=True))[-own:]:
            _compare_run(where, step, record, secrets, users, found)
    return _prefixes(where, image, symbolic, told["RootFS"].get("Layers", []), found)


def compare_checksums(
    repository: Repository, where: str, image: Image, place: Place, found: Found
) -> None:
    """A stage that was built fails with another checksum."""
    written = checksums(image)
    job = next(it for it in repository.jobs if (it.dockerfile, it.number) == place[:2])
    target = next(name for own, name in targets(job, {place: image}) if own is image)
    for checksum in written:
        found.counts["ADDs with a checksum"] += 1
        file = spoilt(job.dockerfile, checksum)
        if file is None:
            found.counts["ADDs with a checksum that the file does not say"] += 1
            continue
        why = repository.build(job, image, target, file)
        os.unlink(file)
        if why is None or "digest mismatch" not in why:
            found.differences.append(f"{where}: with a wrong checksum: {why or 'built'}")


def _users(folder: Path) -> dict[str, int]:
    rows = (row.split(":") for row in (folder / "etc/passwd").read_text().splitlines())
    return {row[0]: int(row[2]) for row in rows}


def _compare_config(where: str, image: Image, told: dict[str, object], found: Found) -> None:
    ours, theirs = expected_config(image.stage.config), shown_config(told)
    found.counts["configurations"] += 1
    for name in ours:
        found.counts[f"settings {name}"] += bool(theirs[name])
        if ours[name] != theirs[name]:
            found.differences.append(
                f"{where}: configuration {name}: ours {ours[name]!r}, BuildKit {theirs[name]!r}"
            )


def _compare_run(
    where: str,
    step: Step,
    ran: Ran,
    secrets: dict[str, str],
    users: dict[str, int],
    found: Found,
) -> None:
    ours = asked(step, secrets)
    found.counts["RUNs"] += 1
    env = {k: v for k, v in ran.env if k not in _PLACES or k in dict(ours.env)}
    owner, _, group = ours.user.partition(":")
    uid = int(owner) if owner.isdigit() else users.get(owner or "root", -1)
    by_user = uid if uid in users.values() else 0
    gid = int(group) if group.isdigit() else users.get(group, -1) if group else by_user
    first = ours.argv[0] if ours.argv else ""
    pairs = {
        "program": (os.path.basename(first), os.path.basename(ran.argv[0])),
        "arguments": (ours.argv[1:], ran.argv[1:]),
        "uid": (uid, ran.uid),
        "gid": (gid, ran.gid),
        "workdir": (os.path.normpath(ours.workdir or "/"), ran.workdir),
        "environment": (dict(ours.env), env),
        "order": (_order(ours.env), _order(tuple(env.items()))),
        "network": (ours.network, ran.network),
        "security": (ours.security, ran.security),
        "mounts": (ours.mounts, ran.mounts),
        "scripts": (ours.scripts, ran.scripts),
    }
    for name, (mine, theirs) in pairs.items():
        if mine != theirs:
            found.differences.append(
                f"{where} line {ours.line}: RUN {name}: ours {mine!r}, BuildKit {theirs!r}"
            )


def _order(env: Sequence[tuple[str, str]]) -> list[str]:
    # A root's own PATH may stand anywhere before what is set; its place is the root's.
    return [name for name, _ in env if name != "PATH"]


def _prefixes(
    where: str, image: Image, symbolic: Image, layers: list[str], found: Found
) -> list[Prefix]:
    """The image's prefixes, one for each step and its layer."""
    concrete_steps, steps = image.all_steps, symbolic.all_steps
    below = layers[: len(layers) - len(concrete_steps)]
    if len(below) != (0 if image.stage.root == "scratch" else 1):
        found.differences.append(
            f"{where}: {len(layers)} layers, {len(concrete_steps)} steps on {image.stage.root}"
        )
        return []
    made = []
    own = len(image.steps)
    for at in range(len(concrete_steps) - own, len(concrete_steps)):
        step = concrete_steps[at]
        theirs = hashlib.sha256(" ".join(layers[: len(below) + at + 1]).encode()).hexdigest()
        chain = steps[at - len(concrete_steps)].chain
        place = f"{where} line {step.instruction.start_line}"
        made.append(Prefix(place, step.kind, theirs, chain, tuple(concrete_steps[: at + 1])))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=10_000, help="images to build, a set")
    parser.add_argument("--verbose", action="store_true", help="say of each stage why it failed")
    chosen = parser.parse_args()
    server = served()
    total = Found()
    for folder in chosen.folders:
        start = time.monotonic()
        found, _ = check(folder.resolve(), chosen.limit, server, chosen.verbose)
        took = time.monotonic() - start
        counts = found.counts
        print(
            f"{folder.name}: {counts['stages built']} of {counts['stages']} stages,"
            f" {counts['RUNs']} RUNs, {len(found.differences)} differences, {took:.0f} s",
            flush=True,
        )
        for line in found.differences:
            print(f"    {line[:1500]}", flush=True)
        total.add(found)
    for title, counter in (
        ("compared", total.counts),
        ("not built", total.reasons),
        ("equal by BuildKit alone, pairs", total.pairs),
    ):
        print(f"{title}:")
        for name, count in counter.most_common():
            print(f"    {count:7} {name}")
    print(f"{len(total.differences)} differences")
    raise SystemExit(1 if total.differences else 0)


if __name__ == "__main__":
    main()
