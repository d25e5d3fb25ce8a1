"""What COPY and ADD take with ``--parents`` and ``--exclude``: BuildKit's files against ours.

    python bench/compare_copies.py CONTEXT... [--like FOLDER...] [--generate N] [--seed N]

Each ``CONTEXT`` is a folder that is built with. Every COPY and ADD of it that says one of the two
flags and reads the context, in the Dockerfiles below the folders of ``--like``, and ``N`` more that
are made from its paths, are built on ``scratch`` and exported. Their files (names, modes, contents,
links, empty folders) are compared with those behind our digest (``taken_files.py``). What we say is
missing must be missing for BuildKit, too.

Needs a daemon whose built-in frontend knows the flags (BuildKit's build tag ``dfparents``).
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import run
from build_failures import reason
from taken_files import Listing, taken_files

from dockstrata.load.context import ContextError
from dockstrata.load.hashing import mode_word
from dockstrata.load.ignorefile import IgnoreFile
from dockstrata.meaning.copying import _clean
from dockstrata.meaning.repository import read_repository

REASONS = {
    "slash": "an exclude that begins with a slash matches nothing for BuildKit",
    "file": "BuildKit never excludes a file that a source names or matches itself",
    "link": "our digest has a matched link's target by its own name, BuildKit by the link's",
    "pivot": "names and excludes count from a pattern before /./ on for BuildKit",
    "folder": "a folder that --exclude leaves out is in our digest of --parents",
}
"""Why we and BuildKit differ, where a difference vanishes once that is put right."""
_MAGIC = re.compile(r"[*?\[]")
_AT_ONCE = 40  # instructions of one image: overlayfs takes some more layers
_MISSING = 8  # instructions of a context without a file of theirs: each needs a build
_LARGEST = 64 << 20  # bytes of a context


@dataclass(frozen=True)
class Copy:
    """One COPY or ADD of the context; ``place`` says where it stands."""

    place: str
    keyword: str
    sources: tuple[str, ...]
    excludes: tuple[str, ...]
    parents: bool

    def line(self, number: int) -> str:
        flags = ["--parents"] * self.parents + [f"--exclude={it}" for it in self.excludes]
        words = ", ".join(f'"{word}"' for word in (*self.sources, f"/{number}/"))
        return " ".join([self.keyword, *flags, f"[{words}]"]) + "\n"


@dataclass
class Found:
    counts: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


def written(folders: Sequence[Path]) -> list[Copy]:
    """The instructions with one of the flags that read the context, without variables."""
    found = []
    for path, document in read_repository(list(map(str, folders))).library.documents.items():
        for node in document.instructions:
            if node.keyword not in ("COPY", "ADD") or node.flag("from") or node.heredocs:
                continue
            excludes = tuple(node.all_flags("exclude"))
            parents = node.flag("parents") is not None
            words = [*node.arguments[:-1], *excludes]
            if (excludes or parents) and not any("$" in word or "://" in word for word in words):
                place = f"{path}:{node.start_line}"
                copy = Copy(place, node.keyword, tuple(node.arguments[:-1]), excludes, parents)
                found.append(copy)
    return found


def generated(context: Path, number: int, chance: random.Random) -> list[Copy]:
    """Instructions whose patterns are paths of the context with parts replaced."""
    paths = [path.relative_to(context).as_posix() for path in context.rglob("*")]
    if not paths:
        return []

    def pattern(path: str, bold: bool) -> str:
        parts = path.split("/")
        for at, part in enumerate(parts):
            if chance.random() < (0.5 if bold else 0.25):
                stem, dot, end = part.rpartition(".")
                parts[at] = chance.choice(
                    [
                        *("*", "**", f"*{dot}{end}", f"{stem}{dot}*"),
                        *(f"{part[:2]}*", f"?{part[1:]}", f"[a-z]{part[1:]}"),
                    ]
                )
        return "/".join(parts)

    def source(parents: bool) -> str:
        path = chance.choice(paths)
        while chance.random() < 0.5 and "/" in path:
            path = path.rpartition("/")[0]
        made = chance.choice(["", "", "./", "/"]) + pattern(path, parents)
        if parents and chance.random() < 0.4:
            made = re.sub("/", "/./", made, count=1) if "/" in made.strip("./") else made
        return made + chance.choice(["", "", "/"])

    def exclude() -> str:
        path = chance.choice(paths)
        cut = chance.randrange(len(path.split("/")))
        made = pattern("/".join(path.split("/")[cut:]), True)
        return (
            chance.choice(["", "", "", "**/", "./", "/", "!"]) + made + chance.choice(["", "", "/"])
        )

    copies = []
    for _ in range(number):
        parents = chance.random() < 0.6
        sources = [source(parents) for _ in range(chance.choice([1, 1, 2]))]
        if not parents and chance.random() < 0.5:
            sources = ["."]
        excludes = [exclude() for _ in range(chance.choice([0, 1, 2]) if parents else 1)]
        if parents is False and chance.random() < 0.3:
            excludes.append(exclude())
        keyword = "COPY" if parents else chance.choice(["COPY", "ADD"])
        words = [*sources, *excludes]
        if all(re.fullmatch(r"[\w./*?\[\]!+@=,~-]+", word) for word in words):
            copies.append(Copy("generated", keyword, tuple(sources), tuple(excludes), parents))
    return copies


def expected(
    context: Path, dockerfile: Path, copy: Copy, mended: Set[str] = frozenset()
) -> Listing:
    """What is put below the destination; ``mended`` are those of ``REASONS`` that are put right.

    Raises :class:`ContextError`.
    """
    found: Listing = {}
    excludes = copy.excludes
    if "slash" in mended:
        excludes = tuple(it for it in excludes if not it.lstrip("!").startswith("/"))
    for source in copy.sources:
        if copy.parents:
            found |= _with_parents(context, dockerfile, source, excludes, mended)
        else:
            found |= _without_parents(context, dockerfile, source, excludes, mended)
    return found


def _without_parents(
    context: Path, dockerfile: Path, source: str, excludes: tuple[str, ...], mended: Set[str]
) -> Listing:
    path = _clean(source).lstrip("/") or "."
    taken = taken_files(str(context), str(dockerfile), path, excludes, False)
    places = _matches(context, path)
    files = [place for place in places if place.is_file()]
    if "file" in mended:
        taken = {}
        for place in places:
            name = str(place.relative_to(context))
            own = () if place in files else excludes
            try:
                taken |= taken_files(str(context), str(dockerfile), name, own, False)
            except ContextError:  # left out by the ignore file
                continue
    # A link that is named is known by its name in the instruction.
    if "link" in mended or not _MAGIC.search(path):
        for place in files:
            if place.is_symlink() and place.resolve().name in taken:
                taken[place.name] = taken[place.resolve().name]
        linked = {it.resolve().name for it in files if it.is_symlink()} - {it.name for it in files}
        taken = {name: what for name, what in taken.items() if name not in linked}
    return taken


def _with_parents(
    context: Path, dockerfile: Path, source: str, excludes: tuple[str, ...], mended: Set[str]
) -> Listing:
    pivot, point, tail = source.partition("/./")
    if not ("pivot" in mended and point and _MAGIC.search(pivot)):
        taken = taken_files(str(context), str(dockerfile), source, excludes, True)
    else:
        taken = {}
        for place in _matches(context, pivot):
            name = str(place.relative_to(context))
            try:
                if place.is_dir():
                    one = f"{name}/./{tail}"
                    taken |= taken_files(str(context), str(dockerfile), one, excludes, True)
                else:
                    taken |= taken_files(str(context), str(dockerfile), name, (), False)
            except ContextError:
                continue
    if "folder" in mended:
        left_out = IgnoreFile.of(excludes)
        dropped = [at for at, it in taken.items() if it[0] == "dir" and left_out.ignores(at)]
        taken = {at: what for at, what in taken.items() if at not in dropped}
    return taken


def _matches(context: Path, pattern: str) -> list[Path]:
    clean = pattern.strip("/").removeprefix("./")
    return sorted(context.glob(re.sub(r"\*+", "*", clean))) if clean not in ("", ".") else [context]


def built(context: Path, dockerfile: Path, copies: Sequence[Copy]) -> list[Listing] | str:
    """What each puts below its destination, or why they cannot be built."""
    lines = "".join(copy.line(number) for number, copy in enumerate(copies))
    dockerfile.write_text(f"FROM scratch\n{lines}")
    archive = dockerfile.with_suffix(".tar")
    command = ["docker", "build", "--progress=plain", "--output", f"type=tar,dest={archive}"]
    done = run(*command, "--file", dockerfile, context)
    if done.returncode != 0:
        return reason(done.stderr)
    found: list[Listing] = [{} for _ in copies]
    with tarfile.open(archive) as opened:
        for member in opened:
            number, _, path = member.name.strip("/").partition("/")
            if not path:
                continue
            if member.isdir():
                found[int(number)][path] = ("dir", mode_word(member.mode))
            elif member.issym():
                found[int(number)][path] = ("link", member.linkname)
            elif member.isfile() or member.islnk():
                file = opened.extractfile(member)
                digest = hashlib.sha256(file.read() if file else b"").hexdigest()
                found[int(number)][path] = ("file", mode_word(member.mode), digest)
    archive.unlink()
    return found


def differences(copy: Copy, ours: Listing, theirs: Listing) -> Iterable[str]:
    above = {"/".join(path.split("/")[:n]) for path in ours for n in range(1, path.count("/") + 1)}
    for path in sorted({*ours, *theirs}):
        mine, other = ours.get(path), theirs.get(path)
        if mine is None and other is not None and other[0] == "dir" and path in above:
            continue  # a folder that only leads to what --parents takes
        if mine != other and not (mine and mine[0] == "special"):
            yield f"{path}: ours {mine}, BuildKit {other}"


def check(context: Path, copies: Sequence[Copy], found: Found) -> None:
    with tempfile.TemporaryDirectory(prefix="copies-") as name:
        dockerfile = Path(name) / "Dockerfile"
        ignore = context / ".dockerignore"
        if ignore.is_file():
            dockerfile.with_name("Dockerfile.dockerignore").write_bytes(ignore.read_bytes())
        good: list[tuple[Copy, Listing]] = []
        left = _MISSING
        for copy in copies:
            try:
                good.append((copy, expected(context, dockerfile, copy)))
            except ContextError as error:
                left -= 1
                if left < 0:
                    found.counts[f"ours: {error.reason}, not asked"] += 1
                    continue
                found.counts[f"ours: {error.reason}"] += 1
                theirs = built(context, dockerfile, [copy])
                if theirs == [{}] and copy.parents:
                    found.counts["differs: no such file is no error with --parents"] += 1
                elif not isinstance(theirs, str):
                    found.differences.append(
                        f"{context.name} {copy.place} {copy.line(0).strip()}:"
                        f" ours {error.reason} ({error.message}), BuildKit takes {len(theirs[0])}"
                    )
        for start in range(0, len(good), _AT_ONCE):
            _compare(context, dockerfile, good[start : start + _AT_ONCE], found)


def _compare(
    context: Path, dockerfile: Path, part: Sequence[tuple[Copy, Listing]], found: Found
) -> None:
    theirs = built(context, dockerfile, [copy for copy, _ in part])
    if isinstance(theirs, str):
        if len(part) > 1:
            for one in part:
                _compare(context, dockerfile, [one], found)
            return
        found.differences.append(
            f"{context.name} {part[0][0].place} {part[0][0].line(0).strip()}: BuildKit: {theirs}"
        )
        return
    for (copy, ours), other in zip(part, theirs, strict=True):
        kind = "--parents" * copy.parents + "--exclude" * bool(copy.excludes)
        found.counts[f"{copy.keyword} {kind}"] += 1
        found.counts["taken by both"] += len(ours.keys() & other.keys())
        found.counts["instructions that take something"] += bool(other)
        told = list(differences(copy, ours, other))
        why = _why(context, dockerfile, copy, other) if told else None
        if why:
            found.counts["differs: " + " and ".join(REASONS[it] for it in why)] += 1
        elif told:
            found.differences.append(
                f"{context.name} {copy.place} {copy.line(0).strip()}: {len(told)}: "
                + "; ".join(told[:3])
            )


def _why(context: Path, dockerfile: Path, copy: Copy, theirs: Listing) -> tuple[str, ...]:
    """The fewest reasons that explain a difference."""
    for number in range(1, len(REASONS) + 1):
        for some in combinations(REASONS, number):
            try:
                ours = expected(context, dockerfile, copy, set(some))
            except ContextError:
                continue
            if not list(differences(copy, ours, theirs)):
                return some
    return ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("contexts", nargs="+", type=Path)
    parser.add_argument("--like", nargs="*", default=[], type=Path)
    parser.add_argument("--generate", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    total = Found()
    copies = written(chosen.like) if chosen.like else []
    for number, context in enumerate(chosen.contexts):
        size = sum(it.lstat().st_size for it in context.rglob("*") if not it.is_dir())
        if size > _LARGEST:
            print(f"{context.name}: too large")
            continue
        found = Found()
        chance = random.Random(f"{chosen.seed} {number}")
        check(context, [*copies, *generated(context, chosen.generate, chance)], found)
        print(
            f"{context.name}: {dict(found.counts)}, {len(found.differences)} differences",
            flush=True,
        )
        for line in found.differences:
            print(f"    {line[:600]}", flush=True)
        total.counts += found.counts
        total.differences += found.differences
    print(f"total: {dict(total.counts)}, {len(total.differences)} differences")
    raise SystemExit(1 if total.differences else 0)


if __name__ == "__main__":
    main()
