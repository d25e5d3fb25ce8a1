"""What COPY and ADD take with ``--parents`` and ``--exclude``: BuildKit's files against ours.

    python bench/compare_copies.py CONTEXT... [--like FOLDER...] [--generate N] [--seed N]

Each ``CONTEXT`` is a folder that is built with. Every COPY and ADD of it that says one of the two
flags and reads the context, in the Dockerfiles below the folders of ``--like``, and ``N`` more that
are made from its paths, are built on ``scratch`` and exported. All that BuildKit takes (names,
modes, contents, links, folders) must stand behind our digest (``taken_files.py``), which may count
more. What we say is missing must be missing for BuildKit, too; with ``--parents`` it takes nothing.

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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import run
from build_failures import reason
from taken_files import Listing, all_taken

from dockstrata.load.context import ContextError
from dockstrata.load.hashing import mode_word
from dockstrata.meaning.repository import read_repository

Told = dict[str, set[tuple[str, ...]]]
"""By path below the destination, all that some source puts there."""
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


def expected(context: Path, dockerfile: Path, copy: Copy) -> tuple[Told, list[ContextError]]:
    """What stands behind the digests of the sources, and why some have none."""
    told: Told = {}
    errors = []
    for source in copy.sources:
        path = source if copy.parents else source.lstrip("/") or "."
        try:
            taken = all_taken(str(context), str(dockerfile), path, copy.excludes, copy.parents)
        except ContextError as error:
            errors.append(error)
            continue
        for name, what in taken:
            if not (copy.parents or _MAGIC.search(path)) and (context / path).is_file():
                name = Path(path).name  # a link that is named: its name is in the instruction
            told.setdefault(name, set()).add(what)
    told.pop("", None)
    return told, errors


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


def differences(ours: Told, theirs: Listing) -> Iterable[str]:
    """What BuildKit takes and our digest has not, or has otherwise."""
    for path, other in sorted(theirs.items()):
        if other not in ours.get(path, ()):
            yield f"{path}: ours {ours.get(path)}, BuildKit {other}"


def check(context: Path, copies: Sequence[Copy], found: Found) -> None:
    with tempfile.TemporaryDirectory(prefix="copies-") as name:
        dockerfile = Path(name) / "Dockerfile"
        ignore = context / ".dockerignore"
        if ignore.is_file():
            dockerfile.with_name("Dockerfile.dockerignore").write_bytes(ignore.read_bytes())
        good: list[tuple[Copy, Told]] = []
        left = _MISSING
        for copy in copies:
            told, errors = expected(context, dockerfile, copy)
            if not errors:
                good.append((copy, told))
                continue
            left -= 1
            if left >= 0:
                _compare_missing(context, dockerfile, copy, told, errors, found)
        for start in range(0, len(good), _AT_ONCE):
            _compare(context, dockerfile, good[start : start + _AT_ONCE], found)


def _compare_missing(
    context: Path,
    dockerfile: Path,
    copy: Copy,
    told: Told,
    errors: Sequence[ContextError],
    found: Found,
) -> None:
    theirs = built(context, dockerfile, [copy])
    if isinstance(theirs, str):
        found.counts["refused by both"] += 1
    elif copy.parents and not list(differences(told, theirs[0])):
        found.counts["missing: refused by us, nothing for BuildKit"] += 1
    else:
        why = "; ".join(f"{error.reason} ({error.message})" for error in errors)
        _differs(context, copy, f"ours {why}, BuildKit takes {len(theirs[0])}", found)


def _compare(
    context: Path, dockerfile: Path, part: Sequence[tuple[Copy, Told]], found: Found
) -> None:
    theirs = built(context, dockerfile, [copy for copy, _ in part])
    if isinstance(theirs, str):
        if len(part) > 1:
            for one in part:
                _compare(context, dockerfile, [one], found)
        elif "no such file" in theirs or "not found" in theirs:
            # A folder before a wildcard, or the target of a link, is left out or not there.
            found.counts["refused by BuildKit alone"] += 1
        else:
            _differs(context, part[0][0], f"BuildKit: {theirs}", found)
        return
    for (copy, ours), other in zip(part, theirs, strict=True):
        kind = "with" if copy.parents else "without"
        found.counts[f"{copy.keyword} {kind} --parents"] += 1
        found.counts["--exclude"] += bool(copy.excludes)
        found.counts["taken by both"] += len(ours.keys() & other.keys())
        found.counts["instructions that take something"] += bool(other)
        told = list(differences(ours, other))
        if told:
            _differs(context, copy, f"{len(told)}: " + "; ".join(told[:3]), found)
        else:
            more = "ours counts more" if ours.keys() - other.keys() else "the same files"
            found.counts[f"{more}, {kind} --parents"] += 1


def _differs(context: Path, copy: Copy, how: str, found: Found) -> None:
    found.differences.append(f"{context.name} {copy.place} {copy.line(0).strip()}: {how}")


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
