"""Random sets of Dockerfiles through plan and apply, checked by an independent oracle.

    python bench/refactor_fuzz.py --count 10000 --seed 1 --jobs 2

Each set is written to a temporary folder and refactored by the real command. Then

* every image, before and after, is evaluated by ``refactor_oracle.py`` for several values of the
  build arguments and several root images; bases get only the arguments that the bake file hands
  on, and SHELL is tried both carried by an image and lost; steps and configuration must be equal;
* a second apply changes nothing, ``--undo`` gives every byte back;
* a child keeps every line but lifted instructions, their comments, and FROM;
* the files parse, by dockstrata's parser and by BuildKit's own where it is installed;
* the bake file parses, names every base and every changed file, and has no cycle;
* no stage is named like its base's context, and no chain is deeper than it may be.

A failing set is made smaller while it still fails in the same way, and printed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))

from refactor_oracle import CannotBuildError, Image, Setting, canonical, evaluate, parse

from dockstrata.cli.main import main as dockstrata
from dockstrata.load.context import forget_contexts
from dockstrata.source import Source
from dockstrata.syntax.parse import parse as parse_ours

ESCAPE = "\x00"
"""Stands for the file's escape character."""

Chunk = tuple[str, ...]
"""An instruction's lines, with the comments above it."""


@dataclass(frozen=True)
class StageSpec:
    header: str
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True)
class FileSpec:
    """One Dockerfile; ``top`` are lines before the first FROM."""

    path: str
    top: Chunk
    stages: tuple[StageSpec, ...]
    newline: str = "\n"
    escape: str = "\\"
    last_newline: bool = True
    blanks: bool = False

    def text(self) -> str:
        lines = ["# escape=`"] if self.escape == "`" else []
        lines += self.top
        for stage in self.stages:
            if self.blanks:
                lines.append("")
            lines.append(stage.header)
            for chunk in stage.chunks:
                lines += chunk
                if self.blanks:
                    lines.append("")
        text = self.newline.join(lines).replace(ESCAPE, self.escape)
        return text + self.newline if self.last_newline else text


@dataclass(frozen=True)
class Service:
    """How a compose file builds a Dockerfile: both paths from the set's root."""

    dockerfile: str
    context: str
    arguments: tuple[tuple[str, str], ...] = ()
    image: str = ""


@dataclass(frozen=True)
class SetSpec:
    files: tuple[FileSpec, ...]
    extra: tuple[tuple[str, str], ...] = ()
    """Files of build contexts, by path; one that ends in ``.sh`` is executable."""
    options: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    """What a compose file builds; each file at most once."""

    def write(self, folder: Path) -> None:
        for path, text in self.extra:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
            if path.endswith(".sh"):
                (folder / path).chmod(0o755)
        if self.services:
            (folder / "compose.yaml").write_text(self.compose())
        for file in self.files:
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.path).write_bytes(file.text().encode())

    def compose(self) -> str:
        services: dict[str, dict[str, object]] = {}
        for number, service in enumerate(self.services):
            relative = os.path.relpath(service.dockerfile, service.context)
            build = {"context": service.context, "dockerfile": relative}
            services[f"s{number}"] = {"build": {**build, "args": dict(service.arguments)}}
            if service.image:
                services[f"s{number}"]["image"] = service.image
        return json.dumps({"services": services}, indent=1)

    def service_of(self, path: str) -> Service | None:
        written = {file.path for file in self.files}
        found = (service for service in self.services if service.dockerfile == path)
        return next(found, None) if path in written else None


# Generating.

NAMES = ("A", "B", "C", "V")
ROOTS = ("debian:12", "debian:12", "alpine:3.20", "docker.io/library/debian:12", "ghcr.io/o/i:1")


def generate(random: Random) -> SetSpec:
    folders = ["svc0", "svc1", "svc2", "svc3", "deep/er/svc4", "svc 5"][: random.randint(2, 6)]
    root, top = _root(random)
    builder = random.random() < 0.3
    trunks = [_trunk(random, builder) for _ in range(random.choice([1, 1, 2]))]
    files = []
    for number, folder in enumerate(folders):
        name = random.choice(["Dockerfile"] * 6 + [f"Dockerfile.{number}", "app.Dockerfile"])
        path = f"{folder}/{name}" if number or random.random() < 0.9 else name
        files.append(_file(random, path, root, top, trunks, builder))
    spec = SetSpec(tuple(files), tuple(_contexts(random, files)), _options(random))
    if random.random() < 0.25:
        spec = replace(spec, services=tuple(_services(random, files)))
    if random.random() < 0.2:
        spec = _with_a_base(random, spec, root, top, trunks[0])
    if random.random() < 0.1:
        spec = replace(spec, files=(*spec.files, replace(files[0], path="copy/Dockerfile")))
    return spec


BASE_IMAGE = "acme/platform:1"


def _with_a_base(
    random: Random, spec: SetSpec, root: str, top: Chunk, trunk: list[Chunk]
) -> SetSpec:
    """A base that the set builds already: some images stand on it, others repeat what it has."""
    chunks = tuple(trunk[: random.randint(1, len(trunk))])
    base = FileSpec("platform/Dockerfile", top, (StageSpec(f"FROM {root}", chunks),))
    files = []
    for file in spec.files:
        last = file.stages[-1]
        if random.random() < 0.4 and " as " not in last.header.lower() and "$" not in root:
            last = replace(last, header=f"FROM {BASE_IMAGE}")
        files.append(replace(file, stages=(*file.stages[:-1], last)))
    service = Service(base.path, random.choice(["platform", "."]), image=BASE_IMAGE)
    return replace(spec, files=(base, *files), services=(*spec.services, service))


def _services(random: Random, files: list[FileSpec]) -> Iterator[Service]:
    shared = tuple((name, "composed") for name in random.sample(NAMES, random.randint(0, 2)))
    for file in files:
        if random.random() < 0.8:
            folder = file.path.rpartition("/")[0] or "."
            arguments = shared if random.random() < 0.7 else (("A", "alone"),)
            yield Service(file.path, random.choice([folder, folder, "."]), arguments)


def _options(random: Random) -> tuple[str, ...]:
    options: list[str] = []
    if random.random() < 0.5:
        options += ["--max-depth", str(random.randint(2, 6))]
    if random.random() < 0.2:
        options += ["--min-images", "3"]
    if random.random() < 0.2:
        options += ["--min-steps", "2"]
    if random.random() < 0.1:
        options += ["--tag", "content"]
    if random.random() < 0.1:
        options += ["--registry", "registry.example:5000/team"]
    return tuple(options)


def _root(random: Random) -> tuple[str, Chunk]:
    kind = random.random()
    if kind < 0.55:
        return random.choice(ROOTS), ()
    if kind < 0.65:
        return "$BASE", ("ARG BASE=debian:12",)
    if kind < 0.75:
        return "debian:${TAG}", ("ARG TAG=12",)
    if kind < 0.8:
        return "${IMAGE}:${TAG}", ("ARG TAG=12", "ARG IMAGE=deb${TAG:+ian}")
    if kind < 0.85:
        return "--platform=$BUILDPLATFORM debian:12", ()
    if kind < 0.9:
        return "--platform=$TARGETPLATFORM debian:12", ()
    if kind < 0.95:
        return "--platform=linux/arm64 debian:12", ()
    return "scratch", ()


def _trunk(random: Random, builder: bool) -> list[Chunk]:
    return [_chunk(random, builder) for _ in range(random.randint(2, 9))]


def _file(
    random: Random, path: str, root: str, top: Chunk, trunks: list[list[Chunk]], builder: bool
) -> FileSpec:
    head = list(top)
    if random.random() < 0.3:
        name = random.choice(NAMES)
        head.append(random.choice([f"ARG {name}", f"ARG {name}=top", f"ARG {name}=${{TAG:-x}}y"]))
    stages: list[StageSpec] = []
    if builder:
        script = "build" if random.random() < 0.8 else f"build {path}"
        header = random.choice(["FROM golang:1 AS builder", "FROM golang:1 as Builder"])
        stages.append(StageSpec(header, ((f"RUN {script}",),)))
    for number in range(random.choice([1, 1, 1, 2, 2, 3])):
        trunk = random.choice(trunks)
        own = [stage for stage in range(len(stages)) if not (builder and stage == 0)]
        name = random.choice([f" AS st{number}", f" as St{number}", f" AS st{number}", ""])
        if own and random.random() < 0.25:
            parent = stages[random.choice(own)].header.split()
            if len(parent) > 3 and parent[-2].lower() == "as":
                chunks = [_chunk(random, builder) for _ in range(random.randint(0, 4))]
                header = f"FROM {parent[-1].lower()}{name}"
                stages.append(StageSpec(header, tuple(chunks)))
                continue
        shared = trunk[: random.randint(0, len(trunk))] if random.random() < 0.8 else list(trunk)
        if shared and random.random() < 0.2:
            shared[random.randrange(len(shared))] = _chunk(random, builder)
        if random.random() < 0.15:
            shared.insert(random.randint(0, len(shared)), _config(random))
        tail = [_chunk(random, builder) for _ in range(random.choice([0, 1, 1, 2, 3]))]
        if stages and random.random() < 0.2:
            tail.append(_from_stage(random, stages))
        header = f"FROM {root}{name}"
        if random.random() < 0.25:
            # A stage of its own for how it begins: often nothing but a name.
            cut = random.choice([0, 0, random.randint(0, len(shared))])
            stages.append(StageSpec(f"FROM {root} AS top{number}", tuple(shared[:cut])))
            header, shared = f"FROM top{number}{name}", shared[cut:]
        stages.append(StageSpec(header, (*shared, *tail)))
    return FileSpec(
        path,
        tuple(head),
        tuple(stages),
        newline=random.choice(["\n"] * 7 + ["\r\n"]),
        escape=random.choice(["\\"] * 9 + ["`"]),
        last_newline=random.random() < 0.9,
        blanks=random.random() < 0.4,
    )


def _from_stage(random: Random, stages: list[StageSpec]) -> Chunk:
    number = random.randrange(len(stages))
    parts = stages[number].header.split()
    named = parts[-2].lower() == "as"
    name = parts[-1] if named and random.random() < 0.5 else str(number)
    if random.random() < 0.3 and named:
        return (f"RUN --mount=type=bind,from={parts[-1].lower()},target=/m ls /m",)
    return (f"COPY --from={name} /out /in",)


def _chunk(random: Random, builder: bool) -> Chunk:
    kind = random.random()
    if kind < 0.4:
        chunk = _run(random)
    elif kind < 0.68:
        chunk = _state(random)
    elif kind < 0.85:
        chunk = _copy(random)
    elif kind < 0.97:
        chunk = _config(random)
    elif builder:
        chunk = (random.choice(["COPY --from=builder /out /in", "COPY --from=0 /out /in"]),)
    else:
        chunk = ("ONBUILD RUN trigger",) if random.random() < 0.4 else _run(random)
    if random.random() < 0.15:
        chunk = (random.choice(["# why", "# see RUN below", "#"]), *chunk)
    return chunk


def _run(random: Random) -> Chunk:
    command = random.choice(
        ["apt-get update", "apt-get install -y curl git", "echo $A ${B:-c}", "make", "npm ci", "id"]
    )
    return random.choice(
        [
            (f"RUN {command}",),
            (f"RUN {command}",),
            (f"run {command}",),
            (f"RUN {command} && {ESCAPE}", "    true"),
            (f"RUN {command} && {ESCAPE}", "# inside", f"    true {ESCAPE}", "", "  && false"),
            ('RUN ["/bin/tool", "-x"]',),
            ("RUN <<EOF", command, "", "# no comment", "EOF"),
            ("RUN <<-'EOF'", f"\t{command}", "\tEOF"),
            ("RUN <<EOF", "#!/usr/bin/python3", "print(1)", "EOF"),
            ("RUN cat <<ONE && cat <<TWO", "1", "ONE", "2", "TWO"),
            ("RUN --mount=type=cache,target=/root/.cache pip install x",),
            ("RUN --mount=type=secret,id=tok --mount=type=ssh fetch",),
            ("RUN --mount=type=tmpfs,target=/t --network=none work",),
            ("RUN --mount=type=bind,source=app.txt,target=/x cat /x",),
            ("RUN --mount=type=bind,from=busybox:1,target=/x cat /x",),
            ("RUN --mount=type=cache,target=/c/$A,id=$B work",),
        ]
    )


def _state(random: Random) -> Chunk:
    one, two = random.sample(NAMES, 2)
    return random.choice(
        [
            (f"ENV {one}=1",),
            (f"ENV {one}=1 {two}=2",),
            (f"ENV {one}=x{ESCAPE}", f"    {two}=y"),
            (f"ENV {one} old form",),
            (f'ENV {one}="quoted value"',),
            (f"ENV {one}=${two}",),
            (f"ENV {one}=${{{one}:-d}}/e {two}=${one}",),
            (f"ENV PATH=/opt/{one}:$PATH",),
            (f"ENV LAST{random.randint(1, 3)}=z",),
            (f"ARG {one}",),
            (f"ARG {one}=default",),
            (f"ARG {one}=default",),
            (f"ARG {one}=${two}",),
            (f"ARG {one}=1 {two}=${one}",),
            (f"ARG {one}=1 {two}",),
            (f'ARG {one}="two words"',),
            ("ARG TARGETARCH",),
            ("ARG BASE",),
            ("ARG TAG",),
            ("USER app",),
            (f"USER ${{{one}:-root}}",),
            ("USER root",),
            ("WORKDIR /srv",),
            ("WORKDIR sub",),
            ("WORKDIR /slash/",),
            ("WORKDIR /",),
            (f"WORKDIR /w/${one}",),
            ('SHELL ["/bin/bash", "-euo", "pipefail", "-c"]',),
            ('SHELL ["/bin/sh", "-c"]',),
        ]
    )


def _copy(random: Random) -> Chunk:
    name = random.choice(NAMES)
    return random.choice(
        [
            ("COPY app.txt /app/",),
            ("COPY app.txt .",),
            ("COPY ./app.txt ./",),
            ("COPY lib /lib/x",),
            ("COPY lib app.txt /both/",),
            ("COPY run.sh /usr/bin/run",),
            ("COPY --chown=app:app --chmod=755 run.sh /usr/bin/run",),
            ("COPY --link lib /lib/y",),
            ('COPY ["app.txt", "/json/"]',),
            (f"COPY app.txt /of/${name}/",),
            ("COPY missing.txt /m",),
            ("COPY . /all",),
            ("COPY <<EOF /etc/conf", f"v=${name}", "'q' \"r\"", "EOF"),
            ('COPY <<"EOF" /etc/conf', f"v=${name}", "EOF"),
            ("COPY --from=busybox:1 /bin/sh /bin/sh",),
            ("ADD https://example.org/a.tgz /opt/",),
            (f"ADD https://example.org/${name}.tgz /opt/",),
            ("ADD app.txt /added",),
        ]
    )


def _config(random: Random) -> Chunk:
    name = random.choice(NAMES)
    return random.choice(
        [
            ("LABEL a=1",),
            (f'LABEL b="${name} x" c=2',),
            ("EXPOSE 80 443/tcp",),
            (f"EXPOSE ${{{name}:-9000}}",),
            ("VOLUME /data",),
            ('VOLUME ["/data", "/more"]',),
            ('CMD ["serve"]',),
            ("CMD serve --now",),
            ('ENTRYPOINT ["/entry"]',),
            ("ENTRYPOINT /entry",),
            ("STOPSIGNAL SIGINT",),
            ("HEALTHCHECK --interval=30s CMD curl -f http://localhost",),
            ("HEALTHCHECK NONE",),
            ("MAINTAINER someone",),
        ]
    )


def _contexts(random: Random, files: list[FileSpec]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for file in files:
        folder = file.path.rpartition("/")[0]
        if folder in seen:
            continue
        seen.add(folder)
        at = f"{folder}/" if folder else ""
        other = random.random() < 0.3
        yield f"{at}app.txt", "other" if other else "app"
        yield f"{at}lib/one", "1"
        yield f"{at}lib/two.md", "2" if random.random() < 0.8 else "3"
        yield f"{at}run.sh", "#!/bin/sh\n"
        if random.random() < 0.25:
            yield f"{at}.dockerignore", random.choice(["lib/two.md\n", "app.txt\n", "*.md\n"])


# Checking.


class Failure(Exception):  # noqa: N818 - of the tested program
    """A property that does not hold: its short name, and what was seen."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


Tree = dict[str, tuple[bytes, int]]


def snapshot(folder: Path) -> Tree:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mode)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".dockstrata" not in path.parts
    }


def run(*arguments: str) -> tuple[int, str, str]:
    """The command in this process: exit code, stdout, stderr."""
    forget_contexts()
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = dockstrata(list(arguments))
    return code, out.getvalue(), err.getvalue()


def check(spec: SetSpec, folder: Path) -> Counter[str]:
    """Refactor a set and check everything; what happened, counted. Raises :class:`Failure`."""
    spec.write(folder)
    before = snapshot(folder)
    code, out, err = run("apply", str(folder), *spec.options)
    if code != 0:
        raise Failure("apply-fails", out + err)
    after = snapshot(folder)
    counts = Counter(sets=1, changed=before != after)
    if before == after:
        return counts
    counts["bases"] = len(_base_files(after))
    _same_lines(before, after, _too_deep(folder, spec, before))
    _parses(before, after)
    targets = read_bake(folder, before, after)
    _same_images(folder, spec, before, after, targets)
    counts["images"] = _depths(folder, spec, before, after)
    again = run("apply", str(folder), *spec.options)
    if snapshot(folder) != after:
        raise Failure("second-apply-changes", again[1])
    code, out, err = run("apply", str(folder), "--undo")
    if code != 0 or snapshot(folder) != before:
        raise Failure("undo", out + err)
    if (folder / ".dockstrata").exists():
        raise Failure("undo-leaves-journal", out)
    return counts


def _base_files(tree: Tree) -> list[str]:
    return [path for path in tree if path.startswith("bases/") and path.endswith("Dockerfile")]


def _lines(tree: Tree, path: str) -> list[str]:
    return tree[path][0].decode(errors="replace").split("\n")


def _text(tree: Tree, path: str) -> str:
    return tree[path][0].decode()


def _changed(before: Tree, after: Tree) -> list[str]:
    return [path for path in before if after.get(path) != before[path]]


def _new_stages(before: Tree, after: Tree, path: str) -> list[int]:
    """Indices of the stages that a changed file has and had not."""
    old, new = (
        [node for node in parse(_text(tree, path))[0] if node.keyword == "FROM"]
        for tree in (before, after)
    )
    added = len(new) - len(old)
    if added < 0:
        raise Failure("stage-lost", path)
    # New stages have names of their own; those around them stay as they are, in their order.
    names = [_stage_name(node.rest) for node in old]
    now = [_stage_name(node.rest) for node in new]
    inserted = [at for at, name in enumerate(now) if name and name not in names]
    rest = [name for at, name in enumerate(now) if at not in inserted]
    if rest == names and len(inserted) == added:
        return inserted
    raise Failure("stages-mixed-up", _text(after, path))


def _stage_name(rest: str) -> str:
    found = re.search(r"(?i)\sAS\s+(\S+)\s*$", rest)
    return found[1] if found else ""


def _limit(spec: SetSpec) -> int:
    given = spec.options
    return int(given[given.index("--max-depth") + 1]) if "--max-depth" in given else 4


def _too_deep(folder: Path, spec: SetSpec, before: Tree) -> set[str]:
    """Files with an image that is deeper than it may be: what it stands on is put in its place."""
    builder = Builder(folder, before, {}, {}, ROOT_KINDS[0], True, spec)
    deep = set()
    for file in spec.files:
        with contextlib.suppress(CannotBuildError):
            if any(image.depth > _limit(spec) for image in builder.stages(file.path)):
                deep.add(file.path)
    return deep


def _same_lines(before: Tree, after: Tree, merged: set[str]) -> None:
    """A changed file keeps its lines, in order, but for FROM, ARG and what was lifted."""
    known = {line.rstrip("\r") for path in before for line in _lines(before, path)}
    for path in _changed(before, after):
        old_text, new_text = _text(before, path), _text(after, path)
        if before[path][1] != after[path][1]:
            raise Failure("mode-changed", path)
        old = [re.sub(r"from=\d+", "from=N", line) for line in old_text.split("\n")]
        nodes = parse(new_text)[0]
        added = set(_new_stages(before, after, path))
        free: set[int] = set()
        index = -1
        for number, node in enumerate(nodes):
            index += node.keyword == "FROM"
            end = nodes[number + 1].first if number + 1 < len(nodes) else 10**9
            if index in added:
                free.update(range(node.first - 1, max(node.last, end - 1)))
            elif node.keyword in ("FROM", "ARG"):
                free.update(range(node.first - 1, node.last))
        first_from = next(node.first for node in nodes if node.keyword == "FROM")
        for node, following in pairwise(nodes):
            if following.keyword == "FROM" and added:
                free.update(range(node.last, following.first - 1))
        if added:
            free.update(range(first_from - 1))
        at = 0
        for number, line in enumerate(new_text.split("\n")):
            if number in free or not line.strip():
                continue
            masked = re.sub(r"from=\d+", "from=N", line)
            try:
                at = old.index(masked, at) + 1
            except ValueError:
                if path in merged and line.rstrip("\r") in known:
                    continue
                if masked.rstrip("\r") in (entry.rstrip("\r") for entry in old[at:]):
                    raise Failure("line-ending-changed", f"{path}: {line!r}") from None
                raise Failure("line-is-new", f"{path}: {line!r}") from None


def _parses(before: Tree, after: Tree) -> None:
    for path in [*_base_files(after), *_changed(before, after)]:
        if path.endswith(".hcl"):
            continue
        text = _text(after, path)
        faults = parse_ours(Source(path, text)).faults
        if faults:
            raise Failure("does-not-parse", f"{path}: {faults[0].message}\n{text}")
        try:
            import dockerfile
        except ImportError:
            continue
        try:
            dockerfile.parse_string(text)
        except dockerfile.GoParseError as error:
            raise Failure("buildkit-does-not-parse", f"{path}: {error}\n{text}") from None
        old_newline = "\r\n" in _text(before, path) if path in before else None
        if old_newline is False and "\r\n" in text:
            raise Failure("line-ending-changed", path)


@dataclass
class Target:
    context: str
    dockerfile: str
    uses: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str | None] = field(default_factory=dict)
    """A value, or ``None``: what whoever runs it gives for the name."""
    tags: tuple[str, ...] = ()


def read_bake(folder: Path, before: Tree, after: Tree) -> dict[str, Target]:
    """The bake file's targets by name, checked against the files."""
    if "bases/docker-bake.hcl" not in after:
        if _base_files(after):
            raise Failure("bake-missing", str(list(after)))
        return {}
    import hcl2

    text = _text(after, "bases/docker-bake.hcl")
    try:
        read = hcl2.loads(text)
    except Exception as error:
        raise Failure("bake-does-not-parse", f"{error}\n{text}") from None
    targets: dict[str, Target] = {}
    for entry in read.get("target", []):
        for name, body in entry.items():
            context = _plain(body["context"])
            targets[_plain(name)] = Target(
                context=str(folder / context),
                dockerfile=str(folder / context / _plain(body["dockerfile"])),
                uses={_plain(k): _plain(v) for k, v in body.get("contexts", {}).items()},
                arguments={
                    _plain(key): value.strip('"') if value.startswith('"') else None
                    for key, value in body.get("args", {}).items()
                },
                tags=tuple(map(_plain, body.get("tags", []))),
            )
            if len(targets) < sum(len(entry) for entry in read["target"][: len(targets)]):
                raise Failure("bake-name-twice", text)
    files = {Path(target.dockerfile).resolve() for target in targets.values()}
    for path in [*_base_files(after), *_changed(before, after)]:
        built = {tag for target in targets.values() for tag in target.tags} | {BASE_IMAGE}
        new = _references(after, path) - (_references(before, path) if path in before else set())
        if (path in _base_files(after) or new & built) and (folder / path).resolve() not in files:
            raise Failure("bake-lacks-file", f"{path}\n{text}")
    _acyclic(targets, text)
    return targets


def _references(tree: Tree, path: str) -> set[str]:
    """What a file's stages are built on."""
    nodes = parse(_text(tree, path))[0]
    return {node.rest.split()[0] for node in nodes if node.keyword == "FROM"}


def _plain(text: str) -> str:
    return text.strip('"').replace("$${", "${")


def _acyclic(targets: dict[str, Target], text: str) -> None:
    def walk(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise Failure("bake-cycle", text)
        if name not in targets:
            raise Failure("bake-unknown-target", f"{name}\n{text}")
        for used in targets[name].uses.values():
            walk(used.removeprefix("target:"), (*above, name))

    for name in targets:
        walk(name, ())


ROOT_KINDS = (
    Image(()),
    Image(
        (),
        env=(("PATH", "/root/bin"), ("A", "rootA"), ("HOME", "/h")),
        workdir="/rw",
        user="ru",
        cmd=("rootcmd",),
        entrypoint=("rootentry",),
        labels=(("a", "root"),),
    ),
)
GIVEN: tuple[dict[str, str], ...] = (
    {},
    {name: f"given{name}" for name in NAMES},
    {"A": "given", "TAG": "13", "BASE": "alpine:3.19"},
)


@dataclass
class Builder:
    """Builds images of a written set: the files as they are, bases by what bake makes of them."""

    folder: Path
    tree: Tree
    targets: dict[str, Target]
    given: dict[str, str]
    root: Image
    carry_shell: bool
    spec: SetSpec
    made: dict[str, Image] = field(default_factory=dict)

    def root_image(self, reference: str) -> Image:
        return Image(()) if reference == "scratch" else self.root

    def target_of(self, path: str) -> Target | None:
        full = (self.folder / path).resolve()
        found = (t for t in self.targets.values() if Path(t.dockerfile).resolve() == full)
        return next(found, None)

    def stages(self, path: str) -> list[Image]:
        target = self.target_of(path)
        given = self.given
        context = str((self.folder / path).parent)
        uses: dict[str, str] = {}
        if target is not None:
            given = {
                name: value if value is not None else given[name]
                for name, value in target.arguments.items()
                if value is not None or name in given
            }
            context, uses = target.context, target.uses
        elif (service := self.spec.service_of(path)) is not None:
            given = {**given, **dict(service.arguments)}
            context = str(self.folder / service.context)
        setting = Setting(
            given,
            self.root_image,
            lambda ref: self.base(ref, uses),
            context,
            str(self.folder / path),
        )
        return [stage.image for stage in evaluate(_text(self.tree, path), setting)]

    def base(self, reference: str, uses: dict[str, str]) -> Image | None:
        name = next((t for ref, t in uses.items() if canonical(ref) == reference), None)
        if name is None:
            for service in self.spec.services:
                if service.image and canonical(service.image) == reference:
                    return self.built_here(service.dockerfile)
            if "localhost/" in reference or "registry.example" in reference:
                raise Failure("bake-lacks-context", reference)
            return None
        if name not in self.made:
            target = self.targets[name.removeprefix("target:")]
            path = Path(target.dockerfile).resolve().relative_to(self.folder.resolve()).as_posix()
            self.made[name] = self.stages(path)[-1]
        image = self.made[name]
        return image if self.carry_shell else replace(image, shell=None)

    def built_here(self, path: str) -> Image | None:
        """An image that the set builds for itself, by its own build."""
        if path not in self.tree:
            return None
        if path not in self.made:
            self.made[path] = self.stages(path)[-1]
        image = self.made[path]
        return image if self.carry_shell else replace(image, shell=None)


def _same_images(
    folder: Path, spec: SetSpec, before: Tree, after: Tree, targets: dict[str, Target]
) -> None:
    # ``folder`` holds the files after; contexts' own files are the same before.
    for given in GIVEN:
        for root in ROOT_KINDS:
            for carry in (True, False):
                old = Builder(folder, before, {}, given, root, carry, spec)
                new = Builder(folder, after, targets, given, root, carry, spec)
                for path in _changed(before, after):
                    if not path.endswith(".hcl"):
                        _compare(path, old, new, set(_new_stages(before, after, path)))


def _compare(path: str, old: Builder, new: Builder, added: set[int]) -> None:
    try:
        expected = old.stages(path)
    except CannotBuildError:
        return
    try:
        found = [image for index, image in enumerate(new.stages(path)) if index not in added]
    except CannotBuildError as error:
        raise Failure("no-longer-builds", f"{path}: {error}") from None
    for index, (one, other) in enumerate(zip(expected, found, strict=True)):
        for name, value in one.outcome().items():
            now = other.outcome()[name]
            if value != now:
                kind = "steps-differ" if name == "steps" else f"config-differs-{name}"
                if name == "steps":
                    assert isinstance(value, tuple)
                    assert isinstance(now, tuple)
                    pairs = [p for p in zip(value, now, strict=False) if p[0] != p[1]]
                    value, now = pairs[0] if pairs else (len(value), len(now))
                text = _text(new.tree, path)
                raise Failure(
                    kind,
                    f"{path} stage {index} given {new.given} carry {new.carry_shell}"
                    f"\n  before {value}\n  after  {now}\n--- {path}\n{text}",
                )


def _depths(folder: Path, spec: SetSpec, before: Tree, after: Tree) -> int:
    limit = _limit(spec)
    targets = read_bake(folder, before, after)
    images = 0
    for path in _changed(before, after):
        if path.endswith(".hcl"):
            continue
        builder = Builder(folder, after, targets, {}, ROOT_KINDS[0], True, spec)
        try:
            old = Builder(folder, before, {}, {}, ROOT_KINDS[0], True, spec).stages(path)
            new = builder.stages(path)
        except CannotBuildError:
            continue
        added = _new_stages(before, after, path)
        kept = [image for index, image in enumerate(new) if index not in added]
        images += len(kept)
        for one, other in zip(old, kept, strict=True):
            if other.depth > max(limit, one.depth):
                raise Failure("too-deep", f"{path}: {other.depth} > {limit}")
        target = builder.target_of(path)
        names = {_stage_name(n.rest) for n in parse(_text(after, path))[0] if n.keyword == "FROM"}
        if target is not None:
            for reference in target.uses:
                if reference in names or reference.rpartition("/")[2].partition(":")[0] in names:
                    raise Failure("stage-named-like-its-base", f"{path}: {reference}")
    return images


# Running, and making failures small.


def attempt(spec: SetSpec) -> tuple[Failure | None, Counter[str]]:
    folder = Path(tempfile.mkdtemp(prefix="refactor-fuzz-"))
    try:
        return None, check(spec, folder)
    except Failure as failure:
        return failure, Counter(sets=1)
    except Exception as error:  # the oracle's own, or a crash that main() does not catch
        import traceback

        where = traceback.format_exc(limit=-2)
        return Failure(f"crash-{type(error).__name__}", f"{error}\n{where}"), Counter(sets=1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def smaller(spec: SetSpec) -> Iterator[SetSpec]:
    """Sets with one thing less."""
    files = spec.files
    for at, file in enumerate(files):
        rest = files[:at] + files[at + 1 :]
        if len(files) > 1:
            yield replace(spec, files=rest)
        for changed in _smaller_file(file):
            yield replace(spec, files=(*files[:at], changed, *files[at + 1 :]))
    for at in range(len(spec.services)):
        yield replace(spec, services=spec.services[:at] + spec.services[at + 1 :])
    for at in range(len(spec.extra)):
        yield replace(spec, extra=spec.extra[:at] + spec.extra[at + 1 :])
    for at in range(0, len(spec.options), 2):
        yield replace(spec, options=spec.options[:at] + spec.options[at + 2 :])


def _smaller_file(file: FileSpec) -> Iterator[FileSpec]:
    stages = file.stages
    for at, stage in enumerate(stages):
        if len(stages) > 1:
            yield replace(file, stages=stages[:at] + stages[at + 1 :])
        for chunk in range(len(stage.chunks)):
            less = replace(stage, chunks=stage.chunks[:chunk] + stage.chunks[chunk + 1 :])
            yield replace(file, stages=(*stages[:at], less, *stages[at + 1 :]))
    for at in range(len(file.top)):
        yield replace(file, top=file.top[:at] + file.top[at + 1 :])
    plain = replace(file, newline="\n", escape="\\", last_newline=True, blanks=False)
    if plain != file:
        yield plain


def shrink(spec: SetSpec, kind: str, seconds: float = 20.0) -> SetSpec:
    end = time.monotonic() + seconds
    found = True
    while found and time.monotonic() < end:
        found = False
        for candidate in smaller(spec):
            failure, _ = attempt(candidate)
            if failure is not None and failure.kind == kind:
                spec, found = candidate, True
                break
    return spec


def show(spec: SetSpec) -> str:
    parts = [f"options: {' '.join(spec.options)}"]
    parts += [f"=== {file.path}\n{file.text()}" for file in spec.files]
    parts += ["=== compose.yaml", spec.compose()] if spec.services else []
    parts += [f"=== {path}: {text!r}" for path, text in spec.extra]
    return "\n".join(parts)


def seeds(first: int, count: int) -> tuple[Counter[str], list[tuple[int, str, str]]]:
    """Run the sets of a range of seeds: counts, and each failure's seed, kind and message."""
    counts: Counter[str] = Counter()
    failures: list[tuple[int, str, str]] = []
    for seed in range(first, first + count):
        failure, found = attempt(generate(Random(seed)))
        counts += found
        if failure is not None:
            failures.append((seed, failure.kind, str(failure)))
    return counts, failures


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz plan and apply.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--shrink", type=int, default=2, help="failures of each kind to shrink")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    start = time.monotonic()
    with ProcessPoolExecutor(given.jobs) as pool:
        chunk = 50
        work = [
            pool.submit(seeds, first, min(chunk, given.seed + given.count - first))
            for first in range(given.seed, given.seed + given.count, chunk)
        ]
        for done in as_completed(work):
            found, failures = done.result()
            counts += found
            for seed, kind, message in failures:
                kinds[kind] += 1
                if kinds[kind] <= given.shrink:
                    spec = shrink(generate(Random(seed)), kind)
                    failure, _ = attempt(spec)
                    print(f"##### seed {seed}: {failure or message}\n{show(spec)}\n", flush=True)
    print(f"{dict(counts)} in {time.monotonic() - start:.0f} s; failures: {dict(kinds) or 'none'}")
    return 1 if kinds else 0


if __name__ == "__main__":
    raise SystemExit(main())
