"""Builds two states of a repository, each into a store of its own, and compares the images."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dockstrata.build.archive import Built, Entry, read_archive
from dockstrata.build.builders import Given, build_command
from dockstrata.build.order import Job, chosen, jobs_of
from dockstrata.build.run import Outcome, run_all
from dockstrata.errors import DockstrataError
from dockstrata.load.wiring import Build
from dockstrata.meaning.repository import read_repository
from dockstrata.rewrite.verify import Verdict, build_files, checked_out

FAILED = "failed"
"""An outcome beside those of a verdict: the image could not be built in one of the states."""

_Key = tuple[str, "str | None", str]
Configured = Callable[[str], Sequence[Build]]
"""The builds that the configuration of a tree, told by its top, names."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How to build: the builder (``podman`` or ``buildah``), what it is given, whom to tell."""

    builder: str
    given: Given
    begin: Callable[[str, Job], None] = lambda state, job: None


def find_throw_away(wanted: str | None) -> str:
    """A builder that can keep images in a folder. Raises :class:`DockstrataError`.

    docker's daemon has one store for all: the images of both states would overwrite each other
    there, and the user's.
    """
    for program in ("podman", "buildah") if wanted is None else (wanted,):
        if shutil.which(program) is not None:
            return program
    raise DockstrataError(
        f"{wanted or 'neither podman nor buildah'} is {'not ' if wanted else ''}installed, and"
        " docker keeps all images in one store; building both states needs podman or buildah"
    )


def compare_builds(
    paths: Sequence[str], reference: str, ways: Ways, configured: Configured = lambda top: ()
) -> list[Verdict]:
    """Build what is below ``paths`` as it is, and as it was in a commit, and compare the images.

    The files are those that git knows or would add: outputs that it ignores are in neither state.
    Raises :class:`DockstrataError` where git cannot give the commit, or nothing is to be built.
    """
    for path in paths:
        if not os.path.exists(path):
            raise DockstrataError("no such file or directory", path)
    with checked_out(paths[0], reference) as (old_top, top), _copied(top) as new_top:
        asked = [os.path.relpath(os.path.realpath(path), top) for path in paths]
        own = [_digests(old_top), _digests(new_top)]
        with (
            _built(old_top, asked, reference, ways, configured) as before,
            _built(new_top, asked, "the work tree", ways, configured) as after,
        ):
            return list(_verdicts(before, after, own))


@dataclass(frozen=True, slots=True)
class _State:
    """One state: its images' jobs, which of them were built, and how to read one."""

    jobs: Mapping[_Key, Job]
    outcomes: Mapping[str, Outcome]
    read: Callable[[Job], Built]

    def failure(self, key: _Key) -> str | None:
        outcome = self.outcomes[self.jobs[key].name]
        return None if outcome.state == "built" else outcome.message


def _verdicts(before: _State, after: _State, own: Sequence[frozenset[str]]) -> Iterator[Verdict]:
    for key in sorted({*before.jobs, *after.jobs}, key=repr):
        shown = key[0] + (f"#{key[1]}" if key[1] else "") + (f"@{key[2]}" if key[2] else "")
        if key not in after.jobs:
            yield Verdict(shown, "removed")
        elif key not in before.jobs:
            yield Verdict(shown, "new")
        elif (failure := before.failure(key)) is not None:
            yield Verdict(shown, FAILED, f"cannot be built as it was: {failure}")
        elif (failure := after.failure(key)) is not None:
            yield Verdict(shown, FAILED, f"cannot be built as it is: {failure}")
        else:
            one, other = before.read(before.jobs[key]), after.read(after.jobs[key])
            message = first_difference(one, other, own)
            yield Verdict(shown, "equal" if message is None else "different", message or "")


def first_difference(
    before: Built, after: Built, own: Sequence[frozenset[str]] = (frozenset(), frozenset())
) -> str | None:
    """The first difference of two images in the order of paths, in words; ``None`` for none.

    ``own`` are the digests of the Dockerfiles and wiring of both states: where an image copies
    these, they may differ.
    """
    for path in sorted({*before.files, *after.files}):
        one, other = before.files.get(path), after.files.get(path)
        if one == other or (_is_own(one, own[0]) and _is_own(other, own[1])):
            continue
        if one is None or other is None:
            there = after.files if one is None else before.files
            if _holds_own(path, there, own[one is None]):
                continue
            return f"/{path} is {'new' if one is None else 'gone'}"
        return f"/{path}: {_how(one, other)}"
    for name in sorted({*before.config, *after.config}):
        was, now = before.config.get(name), after.config.get(name)
        if was != now:
            return f"configuration {name}: {_text(was)} → {_text(now)}"
    return None


def _is_own(entry: Entry | None, digests: frozenset[str]) -> bool:
    return entry is None or (entry.kind == "file" and entry.content in digests)


def _holds_own(path: str, files: Mapping[str, Entry], digests: frozenset[str]) -> bool:
    """Whether all that lies in a folder are Dockerfiles and wiring."""
    below = [entry for name, entry in files.items() if name.startswith(path + "/")]
    return bool(below) and all(
        entry.kind == "directory" or _is_own(entry, digests) for entry in below
    )


def _how(one: Entry, other: Entry) -> str:
    if one.kind != other.kind:
        return f"{one.kind} → {other.kind}"
    if one.mode != other.mode:
        return f"mode {one.mode:o} → {other.mode:o}"
    if (one.user, one.group) != (other.user, other.group):
        return f"owner {one.user}:{one.group} → {other.user}:{other.group}"
    if one.content != other.content:
        return "other content" if one.kind == "file" else f"{one.content} → {other.content}"
    return "other extended attributes"


def _text(value: object) -> str:
    return "nothing" if value is None else str(value)


@contextlib.contextmanager
def _built(
    top: str, asked: Sequence[str], state: str, ways: Ways, configured: Configured
) -> Iterator[_State]:
    """A state with what is asked built into a store that is thrown away."""
    repository = read_repository([top], builds=configured(top))
    jobs = jobs_of(repository)
    keyed = {_key(job, top): job for job in jobs}
    wanted = {key: job for key, job in keyed.items() if not job.base and _below(key[0], asked)}
    with tempfile.TemporaryDirectory(prefix="dockstrata-", ignore_cleanup_errors=True) as folder:
        environment = _store(folder)
        todo = chosen(jobs, [job.name for job in wanted.values()]) if wanted else []
        outcomes = run_all(
            todo,
            lambda job: build_command(ways.builder, job, ways.given),
            begin=lambda job: ways.begin(state, job),
            environment=environment,
        )

        def read(job: Job) -> Built:
            return _read(ways.builder, job.tags[0], folder, environment)

        try:
            yield _State(wanted, {it.job.name: it for it in outcomes}, read)
        finally:
            _run([ways.builder, "rmi", "--all", "--force"], environment)


def _key(job: Job, top: str) -> _Key:
    """What an image is called in both states."""
    return os.path.relpath(job.dockerfile, top), job.build.target, job.build.service


def _below(path: str, asked: Sequence[str]) -> bool:
    return any(part in (".", path) or path.startswith(part + os.sep) for part in asked)


def _store(folder: str) -> dict[str, str]:
    """The environment of a builder whose images all lie in ``folder``."""
    file = os.path.join(folder, "storage.conf")
    driver = os.environ.get("STORAGE_DRIVER", "")
    with open(file, "w", encoding="utf-8") as handle:
        handle.write(
            f'[storage]\ndriver = "{driver}"\ngraphroot = "{folder}/root"\n'
            f'runroot = "{folder}/run"\n'
        )
    # In Docker's format, so that SHELL, HEALTHCHECK and ONBUILD are compared too.
    return {**os.environ, "CONTAINERS_STORAGE_CONF": file, "BUILDAH_FORMAT": "docker"}


def _read(builder: str, tag: str, folder: str, environment: Mapping[str, str]) -> Built:
    path = os.path.join(folder, "image.tar")
    if builder == "podman":
        command = ["podman", "save", "--quiet", "--format", "docker-archive", "--output", path, tag]
    else:
        command = ["buildah", "push", "--quiet", tag, f"docker-archive:{path}"]
    said = _run(command, environment)
    try:
        if said is not None:
            raise DockstrataError(f"the image cannot be read: {said}", tag)
        return read_archive(path)
    except (OSError, ValueError, KeyError, tarfile.TarError) as error:
        raise DockstrataError(f"the image cannot be read: {error}", tag) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """What a command complains of, ``None`` where it succeeds."""
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
    except OSError as error:
        return error.strerror or str(error)
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return None if done.returncode == 0 else (said[-1] if said else "no reason given")


def _digests(top: str) -> frozenset[str]:
    """What Dockerfiles, bases and wiring of a tree hold."""
    found = set()
    for name in build_files(os.path.realpath(top)):
        with contextlib.suppress(OSError), open(os.path.join(top, name), "rb") as file:
            found.add(hashlib.sha256(file.read()).hexdigest())
    return frozenset(found)


@contextlib.contextmanager
def _copied(top: str) -> Iterator[str]:
    """A copy of the files of a work tree that git knows or would add, with git's modes."""
    done = subprocess.run(
        ["git", "-C", top, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise DockstrataError("git cannot list the files", top)
    with tempfile.TemporaryDirectory(prefix="dockstrata-") as folder:
        for name in filter(None, map(os.fsdecode, done.stdout.split(b"\0"))):
            source, target = os.path.join(top, name), os.path.join(folder, name)
            if not os.path.islink(source) and not os.path.isfile(source):
                continue  # deleted, another repository, or nothing that git would take
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(source, target, follow_symlinks=False)
            if not os.path.islink(target):
                os.chmod(target, 0o755 if os.access(source, os.X_OK) else 0o644)
        yield os.path.realpath(folder)
