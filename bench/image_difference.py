"""The first difference of two images by what docker tells of them; no code of ours compares."""

from __future__ import annotations

import hashlib
import itertools
import json
import tarfile
from pathlib import Path
from typing import Any

from build_apart import run


def differ(before: str, after: str, folder: Path, written: set[str]) -> str | None:
    """The first difference of two images; None where there is none, "" where layers differ alone.

    Exports lie in ``folder`` for a while. ``written`` are the paths that the refactoring wrote:
    what copies them has the new ones.
    """
    (one, layers), (other, others) = _look(before), _look(after)
    for name in sorted({*one, *other}):
        if one.get(name) != other.get(name):
            return f"configuration {name}: {one.get(name)} → {other.get(name)}"
    if layers == others:
        return None
    left, right = (
        {path: told for path, told in _files(image, folder).items() if not _among(path, written)}
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


def _look(image: str) -> tuple[dict[str, Any], list[str]]:
    """What docker tells of an image: its configuration, and its layers."""
    (told,) = json.loads(run("docker", "image", "inspect", image).stdout)
    config = {**told["Config"], **{k: told.get(k) for k in ("Author", "Architecture", "Os")}}
    config["Env"] = sorted(config.get("Env") or ())
    for name in ("Image", "Hostname"):
        config.pop(name, None)
    return {k: v for k, v in config.items() if v}, told["RootFS"].get("Layers", [])


def _files(image: str, folder: Path) -> dict[str, Any]:
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
