"""Builds a set and what it became with plain ``docker``, and compares what docker tells of both.

Nothing of dockstrata's builders or comparison is used: Dockerfiles are built as the compose and
bake files say, and read with ``docker inspect`` and ``docker export``.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_generator import SECRET, BuildSet
from refactor_fuzz import Failure, Target


def run(*command: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command, with what it prints."""
    return subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


@dataclass(frozen=True)
class Apart:
    """A set, and the file that its builds get as a secret; exports lie beside it."""

    given: BuildSet
    secret: Path

    def compare(self, old: Path, new: Path, targets: Mapping[str, Target]) -> int:
        """How many images were compared. Raises :class:`Failure` at the first that differs."""
        tags: list[str] = []
        made: set[str] = set()
        count = 0

        def target(name: str) -> str:
            body = targets[name]
            for used in body.uses.values():
                if used.startswith("target:"):
                    target(used.removeprefix("target:"))
            path = Path(body.dockerfile).resolve().relative_to(new).as_posix()
            tag = body.tags[0] if body.tags else self.tag(path)
            if name not in made:
                made.add(name)
                values = {key: value for key, value in body.arguments.items() if value is not None}
                values |= {k: v for k, v in self.given.arguments if k in body.arguments}
                tags.append(tag)
                self.build(Path(body.dockerfile), Path(body.context), values, tag)
            return tag

        by_file = {Path(body.dockerfile).resolve(): name for name, body in targets.items()}
        try:
            # The parent that others stand on is built first, and in both states under one name.
            files = self.given.spec.files
            seen: dict[str, dict[str, Any]] = {}
            for file in files:
                try:
                    seen[file.path] = self.look(self.plain(old, file.path, tags))
                except NotBuiltError:
                    continue
            for file in files:
                if file.path not in seen:
                    continue
                name = by_file.get((new / file.path).resolve())
                tag = self.plain(new, file.path, tags) if name is None else target(name)
                if tag != self.tag(file.path):
                    run("docker", "tag", tag, self.tag(file.path))
                count += 1
                _same(file.path, seen[file.path], self.look(tag))
        except NotBuiltError as error:
            raise Failure("independent-build-fails", str(error)) from None
        finally:
            run("docker", "image", "rm", "--force", *tags)
        return count

    def tag(self, path: str) -> str:
        """What an image is called in both states."""
        service = self.given.spec.service_of(path)
        if service is not None and service.image:
            return service.image
        digest = hashlib.sha256(f"{self.secret} {path}".encode()).hexdigest()[:16]
        return f"localhost/build-fuzz-apart:{digest}"

    def plain(self, top: Path, path: str, tags: list[str]) -> str:
        """Build a Dockerfile as the compose file says, or in its own folder."""
        service = self.given.spec.service_of(path)
        context = top / service.context if service else (top / path).parent
        values = {**dict(service.arguments if service else ()), **dict(self.given.arguments)}
        tags.append(self.tag(path))
        self.build(top / path, context, values, tags[-1])
        return tags[-1]

    def build(self, file: Path, context: Path, values: Mapping[str, str], tag: str) -> None:
        command = ["docker", "build", "--secret", f"id={SECRET},src={self.secret}", "--tag", tag]
        proxies = {k: v for k, v in self.given.arguments if k == "HTTP_PROXY"}
        for name, value in {**values, **proxies}.items():
            command += ["--build-arg", f"{name}={value}"]
        done = run(*command, "--file", str(file), str(context))
        if done.returncode != 0:
            raise NotBuiltError(f"{file}: {done.stderr[-1500:]}")

    def look(self, tag: str) -> dict[str, Any]:
        """What docker tells of an image: configuration by name, files by path."""
        (told,) = json.loads(run("docker", "image", "inspect", tag).stdout)
        config = {**told["Config"], **{k: told[k] for k in ("Author", "Architecture", "Os")}}
        config["Env"] = sorted(config["Env"] or ())
        seen = {
            f"setting {k}": v for k, v in config.items() if v and k not in ("Image", "Hostname")
        }
        container = run("docker", "create", tag, "x").stdout.strip()
        exported = self.secret.with_name("export.tar")
        run("docker", "export", "--output", exported, container)
        run("docker", "rm", "--volumes", container)
        with tarfile.open(exported) as archive:
            for member in archive:
                if not _wiring(member.name):
                    file = archive.extractfile(member) if member.isreg() else None
                    digest = hashlib.sha256(file.read()).hexdigest() if file else ""
                    kind = (member.type, oct(member.mode), member.uid, member.gid)
                    seen[member.name.rstrip("/")] = (*kind, member.linkname, digest)
        return seen


class NotBuiltError(Exception):
    """A build that ended badly, and what it printed."""


def _wiring(path: str) -> bool:
    """Whether a refactoring writes this, so that an image that copies it may have another one."""
    parts = path.split("/")
    return parts[0] == "all" and (
        "Dockerfile" in parts[-1] or parts[-1] == "compose.yaml" or "bases" in parts
    )


def _same(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            both = f"{before.get(name)} → {after.get(name)}"
            raise Failure("independent-differs", f"{path}: {name}: {both}")
