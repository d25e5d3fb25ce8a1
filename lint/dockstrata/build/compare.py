"""Builds two states of a repository into stores that nobody keeps, and compares the images."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dockstrata.build.archive import Built, Entry
from dockstrata.build.builders import Given, unheard
from dockstrata.build.order import Job, chosen, jobs_of
from dockstrata.build.run import Outcome, run_all
from dockstrata.build.stores import Store, throw_away
from dockstrata.errors import DockstrataError
from dockstrata.load.wiring import Build
from dockstrata.meaning.repository import read_repository
from dockstrata.rewrite.verify import Verdict, build_files, checked_out
from dockstrata.syntax.nodes import Document

FAILED = "failed"
"""An outcome beside those of a verdict: the image could not be built in one of the states."""

_INSTRUCTIONS = {
    "Cmd": "CMD",
    "Entrypoint": "ENTRYPOINT",
    "Env": "ENV",
    "ExposedPorts": "EXPOSE",
    "Healthcheck": "HEALTHCHECK",
    "Labels": "LABEL",
    "OnBuild": "ONBUILD",
    "Shell": "SHELL",
    "StopSignal": "STOPSIGNAL",
    "User": "USER",
    "Volumes": "VOLUME",
    "WorkingDir": "WORKDIR",
    "author": "MAINTAINER",
}
_Key = tuple[str, "str | None", str]
Configured = Callable[[str], Sequence[Build]]
"""The builds that the configuration of a tree, told by its top, names."""


@dataclass(frozen=True, slots=True)
class Ways:
    """How to build: the builder as :func:`~dockstrata.build.finding.find_builder` gives it, what
    builds are given, whom to tell of each one, and of what no build asks for."""

    builder: str
    given: Given
    begin: Callable[[str, Job], None] = lambda state, job: None
    warn: Callable[[str], None] = lambda message: None


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
        before = _state(old_top, asked, reference, ways.given, configured)
        after = _state(new_top, asked, "the work tree", ways.given, configured)
        for message in unheard(ways.given, [*before.todo, *after.todo]):
            ways.warn(message)
        own = [_digests(old_top), _digests(new_top)]
        with _built(before, ways) as one, _built(after, ways) as other:
            return list(_verdicts(one, other, own))


@dataclass(frozen=True, slots=True)
class _State:
    """One state of the repository, in the folder ``top``: the jobs whose images are compared,
    and all that must be built for these, in order."""

    name: str
    top: str
    jobs: Mapping[_Key, Job]
    todo: Sequence[Job]
    documents: Mapping[str, Document]


@dataclass(frozen=True, slots=True)
class _BuiltState:
    """A state with its images in a store, and what became of each build."""

    state: _State
    store: Store
    outcomes: Mapping[str, Outcome]

    def failure(self, key: _Key) -> str | None:
        outcome = self.outcomes[self.state.jobs[key].name]
        # People know nothing of the folder that this state lies in.
        return (
            None
            if outcome.state == "built"
            else outcome.message.replace(self.state.top + os.sep, "")
        )

    def read(self, key: _Key) -> Built:
        return self.store.read(self.state.jobs[key])


def _verdicts(
    before: _BuiltState, after: _BuiltState, own: Sequence[frozenset[str]]
) -> Iterator[Verdict]:
    keys = sorted({*before.state.jobs, *after.state.jobs}, key=repr)
    ways = Counter(key[:2] for key in keys)
    for key in keys:
        path, target, service = key
        shown = path + (f"#{target}" if target else "")
        if service and ways[path, target] > 1:
            shown += f"@{service}"
        if key not in after.state.jobs:
            yield Verdict(shown, "removed")
        elif key not in before.state.jobs:
            yield Verdict(shown, "new")
        elif (failure := before.failure(key)) is not None:
            yield Verdict(shown, FAILED, f"cannot be built as it was: {failure}")
        elif (failure := after.failure(key)) is not None:
            yield Verdict(shown, FAILED, f"cannot be built as it is: {failure}")
        else:
            message = first_difference(before.read(key), after.read(key), own)
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
            return f"configuration {_setting(name, was, now)}"
    return None


def _setting(name: str, was: object, now: object) -> str:
    """A difference of configurations, called as the Dockerfile's instructions are."""
    shown = _INSTRUCTIONS.get(name, name)
    if name in ("Env", "Labels"):
        before, after = (value if isinstance(value, dict) else {} for value in (was, now))
        key = min(k for k in {*before, *after} if before.get(k) != after.get(k))
        shown, was, now = f"{shown} {key}", before.get(key), after.get(key)
    return f"{shown}: {_text(was)} → {_text(now)}"


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
        if one.kind == "file":
            return f"other content ({one.size} → {other.size} bytes)"
        return f"{one.content} → {other.content}"
    return "other extended attributes"


def _text(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict) and not any(value.values()):  # EXPOSE, VOLUME: a set of names
        return ", ".join(sorted(value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _state(
    top: str, asked: Sequence[str], name: str, given: Given, configured: Configured
) -> _State:
    repository = read_repository([top], builds=configured(top))
    values = {key: value for key, value in given.arguments.items() if value is not None}
    jobs = jobs_of(repository, values)
    keyed = {_key(job, top): job for job in jobs}
    wanted = {key: job for key, job in keyed.items() if not job.base and _below(key[0], asked)}
    todo = chosen(jobs, [job.name for job in wanted.values()]) if wanted else []
    return _State(name, top, wanted, todo, repository.library.documents)


@contextlib.contextmanager
def _built(state: _State, ways: Ways) -> Iterator[_BuiltState]:
    """A state with what is asked built into a store that is thrown away."""
    with throw_away(ways.builder, ways.given, state.todo, state.documents) as store:
        outcomes = run_all(
            state.todo,
            store.command,
            begin=lambda job: ways.begin(state.name, job),
            environment=store.environment,
        )
        yield _BuiltState(state, store, {outcome.job.name: outcome for outcome in outcomes})


def _key(job: Job, top: str) -> _Key:
    """What an image is called in both states."""
    return os.path.relpath(job.dockerfile, top), job.build.target, job.build.service


def _below(path: str, asked: Sequence[str]) -> bool:
    return any(part in (".", path) or path.startswith(part + os.sep) for part in asked)


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
            if not os.path.islink(target) and os.access(source, os.X_OK):
                mode = os.stat(target).st_mode & 0o777  # as the umask has it, also for git
                os.chmod(target, mode | (mode & 0o444) >> 2)
        yield os.path.realpath(folder)
