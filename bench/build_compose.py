"""Real compose files before and after ``apply --compose``, built by Docker Compose on stand-ins.

    python bench/build_compose.py FOLDER... [--apply=--include-generated]

``FOLDER`` holds one repository. It is copied and committed; files that its Dockerfiles copy and
that are not there, and their root images, are made up as in ``build_recorded.py``. Each compose
file that ``dockstrata apply --compose`` changes is then built whole by ``docker compose build``, as
it was and as it is, and the images of each service are compared by what docker tells. Nothing of
dockstrata compares.

Needs a docker daemon that can be thrown away, buildx, compose, and a static busybox.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from build_apart import run
from build_recorded import (
    _SYNTAX,
    Before,
    Build,
    _applied,
    _changed,
    _written,
    builds,
    by_tag,
    differ,
)
from recorded_root import RecordedRoot

_NAME = re.compile(r"(docker-)?compose.*\.ya?ml")


def compose(folder: Path, file: str, *words: str) -> tuple[str, str]:
    """What Docker Compose prints, and what it complains of ("" where it succeeds)."""
    told = ("-f", file, "--profile", "*", "-p", _project(file))
    done = run("docker", "compose", *told, *words, folder=folder)
    return done.stdout, "" if done.returncode == 0 else done.stderr or "fails"


def _project(file: str) -> str:
    return "recorded-" + hashlib.sha256(file.encode()).hexdigest()[:10]


def services(folder: Path, file: str) -> dict[str, Any]:
    """The services with a build, as Docker Compose reads them; none of a file that it refuses."""
    told, why = compose(folder, file, "config", "--format", "json")
    if why:
        return {}
    return {name: it for name, it in json.loads(told)["services"].items() if it.get("build")}


def as_builds(folder: Path, file: str) -> Iterator[Build]:
    """What :class:`Before` can make things up for."""
    for service in services(folder, file).values():
        build = service["build"]
        if "dockerfile_inline" in build:
            continue
        context = Path(build["context"])
        options = []
        for name, value in (build.get("args") or {}).items():
            options += ["--build-arg", name if value is None else f"{name}={value}"]
        yield Build(
            os.path.relpath(context / build.get("dockerfile", "Dockerfile"), folder),
            os.path.relpath(context, folder),
            build.get("target", ""),
            tuple(options),
            tuple(filter(None, [service.get("image")])),
        )


def image_of(file: str, name: str, service: dict[str, Any]) -> str:
    return str(service.get("image") or f"{_project(file)}-{name}")


def check(source: Path, options: list[str]) -> tuple[Counter[str], list[str]]:
    """What was counted of one repository, and what is worth a line."""
    counts: Counter[str] = Counter()
    lines: list[str] = []
    with tempfile.TemporaryDirectory(prefix="composed-") as name:
        top = Path(name).resolve()
        old, new = top / "old", top / "new"
        shutil.copytree(source, old, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        for file in old.rglob("*"):
            if file.is_file() and not file.is_symlink() and file.stat().st_size < 1_000_000:
                data = file.read_bytes()
                if (clean := _SYNTAX.sub(b"", data)) != data:
                    file.write_bytes(clean)
        known = list(builds(old))
        files = [old / build.file for build in known]
        texts = [it.read_text(encoding="utf-8", errors="replace") for it in files if it.is_file()]
        root = RecordedRoot(top / "root", texts)
        before = Before(old, root, by_tag(known), "localhost/composed")
        wanted = [
            file
            for file in sorted(_changed(_applied(old, top / "draft", ["--compose", *options])))
            if _NAME.fullmatch(os.path.basename(file))
        ]
        for _ in range(2):  # again, for roots that a later image had something added to
            before.made.clear()
            for file in wanted:
                for build in as_builds(old, file):
                    before.build(build, build.target)
        shutil.rmtree(new, ignore_errors=True)
        after = _applied(old, new, ["--compose", *options])
        written = _written(after)
        for file in wanted:
            counts["compose files"] += 1
            if (why := compose(old, file, "build")[1]) != "":
                counts["not built before"] += 1
                lines.append(f"{file}: not built before: {why[-300:]}")
                continue
            was = services(old, file)
            kept = {}
            for service, told in was.items():
                kept[service] = f"localhost/composed-before:{_project(file)}-{service}"
                run("docker", "tag", image_of(file, service, told), kept[service])
                run("docker", "rmi", image_of(file, service, told))
            if (why := compose(new, file, "build")[1]) != "":
                counts["FAILS after"] += 1
                lines.append(f"{file}: FAILS after: {why[-1500:]}")
                continue
            for service, told in was.items():
                image = image_of(file, service, told)
                difference = differ(kept[service], image, top, written)
                if difference:
                    counts["DIFFERENT"] += 1
                    lines.append(f"{file}: DIFFERENT: {service}: {difference}")
                else:
                    counts["same layers" if difference is None else "same files"] += 1
                run("docker", "rmi", "--force", kept[service], image)
        run("docker", "rmi", "--force", *root.names)
    return counts, lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--apply", action="append", default=[], help="an option for apply")
    chosen = parser.parse_args()
    total: Counter[str] = Counter()
    for folder in chosen.folders:
        start = time.monotonic()
        counts, lines = check(folder.resolve(), chosen.apply)
        print(f"{folder.name}: {dict(counts)}, {time.monotonic() - start:.0f} s", flush=True)
        for line in lines:
            print(f"    {line}", flush=True)
        total += counts
    print(f"total: {dict(total)}")
    raise SystemExit(1 if total["DIFFERENT"] or total["FAILS after"] else 0)


if __name__ == "__main__":
    main()
