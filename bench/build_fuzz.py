"""Random sets of Dockerfiles refactored by the real command, then really built before and after.

    python bench/build_fuzz.py --builder buildah --count 100 --seed 1 --jobs 2
    python bench/build_fuzz.py --builder docker --count 100 --independent 4

Needs a static busybox (Debian: ``busybox-static``) and a builder; no network. Each set is
committed, ``dockstrata apply`` changes it, and ``dockstrata verify --build`` builds both states and
compares files and configurations. With docker, each ``--independent``'s set is also built here, by
plain ``docker build`` as the compose and bake files say, and what ``docker inspect`` and ``docker
export`` tell is compared without any of dockstrata's code.

docker builds leave a cache in the daemon and root images named as ``build_generator.py`` says: give
it a daemon that can be thrown away. A failing set is printed with its seed, as it was and as it is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import Apart, run
from build_generator import NOTE as NOTE_SCRIPT
from build_generator import (
    ROOT_NAME,
    ROOTS,
    SECRET,
    BuildSet,
    Knows,
    generate,
    root_image,
)
from refactor_fuzz import Failure, read_bake, show, smaller, snapshot

_PROBE = "localhost/build-fuzz-probe"
_HEREDOC = "FROM scratch\nCOPY <<EOF /x\ny\nEOF\n"
_LINK = "FROM scratch\nCOPY --link Dockerfile /x\n"


def dockstrata(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "dockstrata", *arguments, folder=folder)


def static_busybox() -> str | None:
    """The path of a busybox that needs no libraries."""
    path = shutil.which("busybox")
    if path is None or "not a dynamic" not in (done := run("ldd", path)).stderr + done.stdout:
        return None
    return path


@dataclass(frozen=True)
class Workshop:
    """What sets are built with: ``docker`` (its BuildKit), ``buildah`` or ``podman``."""

    builder: str
    busybox: str
    knows: Knows

    @classmethod
    def open(cls, builder: str, busybox: str) -> Workshop:
        """Ask what the builder knows, and make the root images where it keeps them."""
        with temporary() as folder:

            def builds(text: str) -> bool:
                (folder / "Dockerfile").write_text(text)
                done = run(builder, "build", "-t", _PROBE, str(folder))
                run(builder, "rmi", _PROBE)
                return done.returncode == 0

            knows = Knows(builds(_HEREDOC), builds(_LINK), builder == "docker")
            if knows.roots:
                shutil.copy(busybox, folder / "busybox")
                (folder / "note.sh").write_text(NOTE_SCRIPT)
                (folder / "note.sh").chmod(0o755)
                for kind in ROOTS:
                    (folder / "Dockerfile").write_text(root_image(kind))
                    done = run(builder, "build", "-t", f"{ROOT_NAME}:{kind}", str(folder))
                    if done.returncode != 0:
                        raise SystemExit(f"no root image can be built:\n{done.stderr}")
        return cls(builder, busybox, knows)


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="build-fuzz-") as name:
        yield Path(name).resolve()


def check(
    given: BuildSet,
    workshop: Workshop,
    independent: bool = False,
    spoil: Callable[[Path], None] = lambda folder: None,
) -> Counter[str]:
    """Refactor, build and compare a set: what happened, counted. Raises :class:`Failure`.

    ``spoil`` may change the refactored files.
    """
    with temporary() as top:
        folder, old = top / "set", top / "old"
        _write(given, folder, workshop.busybox)
        (top / "secret").write_text("hush\n")
        shutil.copytree(folder, old)
        _commit(folder)
        before = snapshot(old)
        done = dockstrata(folder, "apply", *given.spec.options)
        if done.returncode != 0:
            raise Failure("apply-fails", done.stdout + done.stderr)
        after = {path: kept for path, kept in snapshot(folder).items() if path[:5] != ".git/"}
        changed = [path for path, kept in before.items() if after.get(path) != kept]
        counts = Counter(sets=1, changed=bool(changed))
        if not changed:
            return counts
        counts["bases"] = sum(path.startswith("bases/") for path in after) - 1
        counts["files moved"] = sum("Dockerfile" in path for path in changed)
        spoil(folder)
        try:
            counts += _verified(given, workshop, folder, top / "secret")
            if independent:
                targets = read_bake(folder, before, after)
                counts["independent"] = Apart(given, top / "secret").compare(old, folder, targets)
        except Failure as failure:
            diff = run("git", "diff", "HEAD", folder=folder).stdout
            bases = [f"=== {p}\n{after[p][0].decode()}" for p in after if p.startswith("bases/")]
            said = str(failure).removeprefix(f"{failure.kind}: ")
            raise Failure(failure.kind, f"{said}\n{diff}\n" + "\n".join(bases)) from None
        return counts


def _write(given: BuildSet, folder: Path, busybox: str) -> None:
    folder.mkdir()
    given.spec.write(folder)
    for note in folder.rglob("note.sh"):  # each context has one
        shutil.copy(busybox, note.parent / "busybox")


def _commit(folder: Path) -> None:
    name = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for command in (["init", "-q"], ["add", "--all", "--force"], ["commit", "-qm", "before"]):
        subprocess.run(["git", *name, *command], cwd=folder, check=True, capture_output=True)


def _verified(given: BuildSet, workshop: Workshop, folder: Path, secret: Path) -> Counter[str]:
    """What ``verify --build`` says of all images."""
    options = ["--builder", workshop.builder, "--secret", f"id={SECRET},src={secret}"]
    for name, value in given.arguments:
        options += ["--build-arg", f"{name}={value}"]
    command = ("verify", "--build", "--against", "HEAD", "--format", "json", *options)
    done = dockstrata(folder, *command)
    try:
        verdicts = json.loads(done.stdout)["images"]
    except (ValueError, KeyError):
        raise Failure("verify-fails", done.stdout + done.stderr) from None
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        outcome, said = verdict["outcome"], f"{verdict['id']}: {verdict['message']}"
        if outcome == "equal":
            counts["equal"] += 1
        elif outcome == "failed" and "built as it was" in said:
            counts["no image before"] += 1
        else:
            kind = "no-longer-builds" if outcome == "failed" else outcome
            raise Failure(kind, f"{said}\n{done.stderr[-2500:] if kind != 'different' else ''}")
    return counts


def attempt(
    given: BuildSet, workshop: Workshop, independent: bool = False
) -> tuple[Failure | None, Counter[str]]:
    try:
        return None, check(given, workshop, independent)
    except Failure as failure:
        return failure, Counter(sets=1)


def shrink(
    given: BuildSet, kind: str, workshop: Workshop, independent: bool, seconds: float
) -> BuildSet:
    """A smaller set that still fails in that way, as small as the time allows."""
    end = time.monotonic() + seconds
    found = True
    while found:
        found = False
        for candidate in smaller(given.spec):
            if time.monotonic() > end:
                break
            less = replace(given, spec=candidate)
            failure, _ = attempt(less, workshop, independent)
            if failure is not None and failure.kind == kind:
                given, found = less, True
                break
    return given


def set_of(seed: int, workshop: Workshop) -> BuildSet:
    return generate(Random(seed), workshop.knows, seed)


ENVIRONMENTS = {
    "buildah": {
        "BUILDAH_ISOLATION": "chroot",
        "STORAGE_DRIVER": "vfs",
        "BUILDAH_FORMAT": "docker",
    },
    "docker": {"DOCKER_BUILDKIT": "1"},
}
"""In what environment the builders work without a set-up of the user's."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Build random sets before and after apply.")
    parser.add_argument("--builder", choices=("docker", "podman", "buildah"), default="buildah")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3600, help="begin no set after that time")
    parser.add_argument(
        "--independent", type=int, default=0, metavar="N", help="docker: compare each Nth set twice"
    )
    parser.add_argument("--shrink", type=float, default=0, help="seconds to make a failure smaller")
    given = parser.parse_args()
    busybox = static_busybox()
    if busybox is None:
        raise SystemExit("no static busybox is installed (Debian: busybox-static)")
    os.environ.update({**ENVIRONMENTS.get(given.builder, {}), **os.environ})
    workshop = Workshop.open(given.builder, busybox)
    start = time.monotonic()
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()

    def one(seed: int) -> tuple[int, Failure | None, Counter[str]] | None:
        if time.monotonic() > start + given.seconds:
            return None
        twice = bool(given.independent) and seed % given.independent == 0
        return seed, *attempt(set_of(seed, workshop), workshop, twice)

    with ThreadPoolExecutor(given.jobs) as pool:
        seeds = range(given.seed, given.seed + given.count)
        for result in pool.map(one, seeds):
            if result is None:
                continue
            seed, failure, found = result
            counts += found
            if failure is not None:
                kinds[failure.kind] += 1
                spec = set_of(seed, workshop)
                if given.shrink:
                    twice = failure.kind.startswith("independent")
                    spec = shrink(spec, failure.kind, workshop, twice, given.shrink)
                    failure = attempt(spec, workshop, twice)[0] or failure
                values = " ".join(f"{name}={value}" for name, value in spec.arguments)
                print(f"##### seed {seed}: {failure}\narguments: {values}\n{show(spec.spec)}\n")
                sys.stdout.flush()
    seconds = time.monotonic() - start
    print(f"{given.builder}: {dict(counts)} in {seconds:.0f} s; failures: {dict(kinds) or 'none'}")
    return 1 if kinds else 0


if __name__ == "__main__":
    raise SystemExit(main())
