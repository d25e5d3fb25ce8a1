"""Real Dockerfiles refactored, and built before and after by BuildKit, on roots that only record.

    python bench/build_recorded.py FOLDER... [--apply=--include-generated] [--limit N]

Real Dockerfiles cannot be built without the network and the files around them. Here they can: each
external root is an image whose shells and programs write down what they are asked (arguments, user,
folder, environment, standard input, mounts, all files there are) and do nothing else; files that
COPY names and that are not there are made up. So BuildKit itself reads, expands and runs every
instruction of every stage, and the record in the image tells what it did.

``FOLDER`` holds one repository. It is copied and committed, ``dockstrata apply`` changes it, then
each stage of each changed Dockerfile is built: before with plain ``docker build``, after with
``docker buildx bake`` and the bake file that was written. Nothing of dockstrata compares: two
images are the same where docker tells the same configuration and the same layers (BuildKit found
each step in its cache: to it both are one build), or else the same files.

Needs a docker daemon that can be thrown away, buildx, and a static busybox. Lines ``# syntax=`` are
taken out, for no frontend can be fetched. What cannot be built before is counted, with why.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import re
import shlex
import shutil
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import run
from recorded_root import RecordedRoot

_STAGE = re.compile(r"(?im)^\s*FROM\s.*?\sAS\s+(\S+)\s*$")
_SYNTAX = re.compile(rb"(?im)^#[ \t]*syntax[ \t]*=.*\r?\n")
_DIGEST = re.compile(rb"(:[\w.-]+)?@sha256:([0-9a-f]{8})[0-9a-f]{56}")
_NOT_FOUND = re.compile(
    r'failed to (?:calculate checksum|compute cache key).*?"(/[^"]*)": not found'
)
_TRIES = 60  # of one image, each after one more thing was made up


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


@dataclass
class Outcome:
    """What was counted, and what is worth a line."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


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
    """The set as it was, built with plain docker; what is missing is made up as it is missed."""

    def __init__(self, folder: Path, root: RecordedRoot, tags: dict[str, Build], prefix: str):
        self.folder, self.root, self.tags, self.prefix = folder, root, tags, prefix
        self.made: dict[str, str] = {}

    def tag(self, build: Build, stage: str) -> str:
        told = "\0".join((*build.key[:2], *build.options, stage))
        return f"{self.prefix}-before:{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    def build(self, build: Build, stage: str, above: tuple[Build, ...] = ()) -> str | None:
        """Why a stage cannot be built; None where it was."""
        tag = self.tag(build, stage)
        if tag in self.made:
            return self.made[tag] or None
        command = ["docker", "build", "--quiet", "--tag", tag, "--file", build.file, *build.options]
        if stage:
            command += ["--target", stage]
        said = why = ""
        for _ in range(_TRIES):
            done = run(*command, build.context, folder=self.folder)
            if done.returncode == 0:
                why = ""
                break
            why = done.stderr
            if why == said:
                break
            said = why
            if not self.mend(build, why, above):
                break
        self.made[tag] = reason(why) if why else ""
        if not why and stage == build.target:
            for name in build.tags:
                run("docker", "tag", tag, name)
        return self.made[tag] or None

    def mend(self, build: Build, why: str, above: tuple[Build, ...]) -> bool:
        """Make up what a build lacks; whether there is something."""
        found = re.search(r"failed to solve: (\S+): failed to resolve source metadata", why)
        if found:
            parent = self.tags.get(short(found[1]))
            if parent and parent not in above and parent != build:
                return self.build(parent, parent.target, (*above, build)) is None
            return self.root.name(found[1])
        return self.root.lacks(why) or self.context_lacks(build, why)

    def context_lacks(self, build: Build, why: str) -> bool:
        found = re.search(
            r'failed to (?:calculate checksum|compute cache key).*?"(/[^"]*)": not found', why
        )
        if not found or "--from" in _shown(why):
            return False
        return make_up(self.folder / build.context, found[1])


def _tagged(found: re.Match[bytes]) -> bytes:
    """A tag in a digest's place, which no stand-in can have."""
    return b"%s-%s" % (found[1], found[2]) if found[1] else b":" + found[2]


def short(image: str) -> str:
    """An image's name as docker shows it."""
    name = image.removeprefix("docker.io/").removeprefix("library/")
    return name.removesuffix(":latest")


def by_tag(known: Iterable[Build]) -> dict[str, Build]:
    """Each image by the names that it gets."""
    return {short(tag): build for build in known for tag in build.tags}


def make_up(context: Path, path: str) -> bool:
    """Put a file there; whether it was missing. Its content is its name."""
    name = re.sub(r"\[(.).*?\]", r"\1", path).replace("*", "x").replace("?", "x").strip("/")
    place = context / name
    if not name or ".." in name.split("/") or place.exists():
        return False
    for parent in reversed(place.relative_to(context).parents):
        if (context / parent).is_file():
            (context / parent).unlink()
    place.parent.mkdir(parents=True, exist_ok=True)
    if path.endswith("/") or "." not in place.name:
        place.mkdir()
        place = place / "made-up"
    place.write_text(name + "\n")
    return True


def _shown(why: str) -> str:
    """The instruction that a failure shows."""
    return "\n".join(line for line in why.splitlines() if ">>>" in line)


def reason(why: str) -> str:
    """A failure in few words, alike for alike ones."""
    lines = [line for line in why.splitlines() if "ERROR: " in line or "error:" in line.lower()]
    said = (lines or why.splitlines() or ["?"])[-1]
    said = re.sub(r"[0-9a-f]{20,}", "…", said.replace("ERROR: failed to build: ", ""))
    if "failed to resolve source metadata" in said:
        return "a root for another platform"
    said = re.sub(r"ref \S+", "ref …", said)
    if "C:\\" in said or "c:\\" in said:
        return "a path of Windows"
    return said[:160]


def look(image: str, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """What docker tells of an image: its configuration, and its layers."""
    (told,) = json.loads(run("docker", "image", "inspect", image).stdout)
    config = {**told["Config"], **{k: told.get(k) for k in ("Author", "Architecture", "Os")}}
    config["Env"] = sorted(config.get("Env") or ())
    for name in ("Image", "Hostname"):
        config.pop(name, None)
    return {k: v for k, v in config.items() if v}, told["RootFS"]["Layers"]


def files(image: str, folder: Path) -> dict[str, Any]:
    """The files of an image: kind, mode, owner, link and content by path."""
    container = run("docker", "create", image, "x").stdout.strip()
    exported = folder / f"{hashlib.sha256(image.encode()).hexdigest()[:12]}.tar"
    run("docker", "export", "--output", exported, container)
    run("docker", "rm", "--volumes", container)
    seen = {}
    with tarfile.open(exported) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            content = file.read() if file else b""
            told = content.decode(errors="replace") if member.name == "rec/log" else content
            kind = (member.type, oct(member.mode), member.uid, member.gid)
            seen[member.name.rstrip("/")] = (*kind, member.linkname, told)
    exported.unlink()
    return seen


def differ(before: str, after: str, folder: Path, written: set[str]) -> str | None:
    """The first difference of two images; None where there is none, "" where layers differ alone.

    ``written`` are the paths that the refactoring wrote: what copies them has the new ones.
    """
    (one, layers), (other, others) = look(before, folder), look(after, folder)
    for name in sorted({*one, *other}):
        if one.get(name) != other.get(name):
            return f"configuration {name}: {one.get(name)} → {other.get(name)}"
    if layers == others:
        return None
    left, right = (
        {path: told for path, told in files(image, folder).items() if not _among(path, written)}
        for image in (before, after)
    )
    for name in sorted({*left, *right}):
        if left.get(name) != right.get(name):
            if name == "rec/log":
                seen = [_record(side[name][-1], written) for side in (left, right)]
                if seen[0] == seen[1]:
                    continue
                pairs = itertools.zip_longest(*seen)
                return f"record: {next((a, b) for a, b in pairs if a != b)}"
            return f"file {name}: {str(left.get(name))[:200]} → {str(right.get(name))[:200]}"
    return ""


def _among(path: str, written: set[str]) -> bool:
    """Whether this is one of those paths, in whatever folder of the image, or git's own."""
    parts = path.strip("/").split("/")
    return ".git" in parts or any("/".join(parts[start:]) in written for start in range(len(parts)))


def _record(log: str, written: set[str]) -> list[str]:
    return [
        line
        for line in log.splitlines()
        if not (line.startswith("//") and _among(line.split(" ")[0], written))
    ]


def check(source: Path, options: list[str], limit: int, keep: Path | None) -> Outcome:
    """Prepare, refactor, build and compare one repository."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="recorded-") as name:
        top = Path(name).resolve()
        old, new = top / "old", top / "new"
        shutil.copytree(source, old, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        for file in old.rglob("*"):
            if file.is_file() and not file.is_symlink() and file.stat().st_size < 1_000_000:
                data = file.read_bytes()
                clean = _DIGEST.sub(_tagged, _SYNTAX.sub(b"", data))
                if clean != data:
                    file.write_bytes(clean)
        known = list(builds(old))
        texts = [
            (old / build.file).read_text(encoding="utf-8", errors="replace")
            for build in known
            if (old / build.file).is_file()
        ]
        root = RecordedRoot(top / "root", texts)
        prefix = f"localhost/recorded-{hashlib.sha256(source.name.encode()).hexdigest()[:8]}"
        # What changes decides what is built: a first run on the files as they are.
        changed = _changed(_applied(old, top / "draft", options))
        wanted = [build for build in known if build.file in changed]
        outcome.counts["images"] = len(known)
        outcome.counts["changed"] = len(wanted)
        tags = by_tag(known)
        before = Before(old, root, tags, prefix)
        for _ in range(2):  # again, for roots that a later image had something added to
            before.made.clear()
            marks = root.marks
            tried = [
                (build, stage, before.build(build, stage))
                for build in wanted[:limit]
                for stage in stages(old, build)
            ]
            if root.marks == marks:
                break
        for _, _, why in tried:
            if why:
                outcome.reasons[why] += 1
        good = [(build, stage) for build, stage, why in tried if not why]
        outcome.counts["stages"] = len(tried)
        outcome.counts["built before"] = len(good)
        after_set = _applied(old, new, options)
        again = _changed(after_set)
        written = _written(after_set)
        bake = json.loads(
            run(
                *("docker", "buildx", "bake", "-f", "bases/docker-bake.hcl", "--print"),
                *("default", "bases"),
                folder=new,
            ).stdout
            or "{}"
        ).get("target", {})
        todo = []
        for build, stage in good:
            if build.file not in again:
                outcome.counts["left alone with files there"] += 1
                continue
            # A file on no new base has no target: its images are built as they were.
            todo.append((build, stage, next(iter(_targets(bake, build, new)), None)))

        def one(job: tuple[Build, str, str | None]) -> tuple[str, str | None]:
            build, stage, target = job
            tag = before.tag(build, stage).replace("-before:", "-after:")
            if target is None:
                command = ["docker", "build", "--quiet", "--tag", tag, "--file", build.file]
                asked = ["--target", stage] if stage else []
                done = run(*command, *build.options, *asked, build.context, folder=new)
            else:
                done = run(
                    *("docker", "buildx", "bake", "-f", "bases/docker-bake.hcl"),
                    *("--set", f"{target}.target={stage}", "--set", f"{target}.tags={tag}"),
                    *("--set", "*.platform=linux/amd64"),  # roots are of no other
                    *("--set", f"{target}.output=type=docker", target),
                    folder=new,
                )
            if done.returncode != 0:
                return "fails after", done.stderr[-1500:]
            difference = differ(before.tag(build, stage), tag, top, written)
            if difference is None:
                return "same layers", None
            if difference == "":
                return "same files", None
            return "DIFFERENT", difference

        with ThreadPoolExecutor(2) as pool:
            for (build, stage, _), (kind, told) in zip(todo, pool.map(one, todo), strict=True):
                outcome.counts[kind] += 1
                if told is not None:
                    outcome.failures.append(f"{kind}: {build.file} [{stage}]: {told}")
        if outcome.failures and keep:
            shutil.rmtree(keep / source.name, ignore_errors=True)
            shutil.copytree(top, keep / source.name, symlinks=True)
        ours = run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
        if not os.environ.get("KEEP"):
            run("docker", "rmi", "--force", *(image for image in ours if prefix in image))
        run("docker", "rmi", "--force", *root.names)
    return outcome


def _applied(old: Path, new: Path, options: list[str]) -> Path:
    """A copy of a set, committed and refactored."""
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(old, new, symlinks=True)
    name = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for command in (["init", "-q"], ["add", "--all", "--force"], ["commit", "-qm", "before"]):
        run("git", *name, *command, folder=new)
    done = run(sys.executable, "-m", "dockstrata", "apply", *options, folder=new)
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        raise SystemExit(f"{new}: apply fails\n{done.stdout}\n{done.stderr}")
    return new


def _changed(folder: Path) -> set[str]:
    return set(run("git", "diff", "--name-only", "HEAD", folder=folder).stdout.splitlines())


def _written(folder: Path) -> set[str]:
    """All files that are not as they were and folders that are new, also as seen from a context."""
    run("git", "add", "--intent-to-add", "--all", "--force", folder=folder)
    found = _changed(folder)
    for path in list(found):
        for parent in Path(path).parents:
            if not run("git", "ls-tree", "HEAD", "--", str(parent), folder=folder).stdout:
                found.add(str(parent))
    parts = [path.split("/") for path in found - {"."}]
    return {"/".join(path[start:]) for path in parts for start in range(len(path))}


def _targets(bake: dict[str, Any], build: Build, folder: Path) -> list[str]:
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
    chosen = parser.parse_args()
    total = Outcome()
    for folder in chosen.folders:
        start = time.monotonic()
        outcome = check(folder.resolve(), chosen.apply, chosen.limit, chosen.keep)
        print(
            f"{folder.name}: {dict(outcome.counts)}, {time.monotonic() - start:.0f} s", flush=True
        )
        for why, count in outcome.reasons.most_common(8):
            print(f"    not built before, {count}: {why}")
        for line in outcome.failures:
            print(f"    {line}", flush=True)
        total.counts += outcome.counts
        total.failures += outcome.failures
    print(f"total: {dict(total.counts)}, {len(total.failures)} failures")
    raise SystemExit(1 if total.failures else 0)


if __name__ == "__main__":
    main()
