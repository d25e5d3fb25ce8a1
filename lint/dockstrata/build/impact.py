"""Which images must be rebuilt, why, and in which order: since a commit, or for an image."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dockstrata.build.changes import Reason, Side, is_changed, needed_stages, reasons
from dockstrata.build.order import Job, jobs_of
from dockstrata.errors import DockstrataError
from dockstrata.load.discover import tidy
from dockstrata.load.wiring import Build
from dockstrata.meaning.library import unread
from dockstrata.meaning.repository import Repository, read_repository
from dockstrata.rewrite.git import submodules, touched_files, unknown_to_git
from dockstrata.rewrite.verify import checked_out, tree_reader
from dockstrata.syntax.reference import parse_reference

Configured = Callable[[str], Sequence[Build]]
"""The builds that the configuration of a commit, told by the top of its files, names."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """An image to be rebuilt: why, and in which level (from 1).

    All images of one level can be built at the same time, once the levels before are built.
    """

    job: Job
    reasons: tuple[Reason, ...]
    level: int


@dataclass(frozen=True, slots=True)
class Impact:
    """``rebuilds`` in build order. ``images`` counts all that were looked at, ``removed`` are
    Dockerfiles and targets that the commit has and the work tree has not. ``unknown`` are images
    asked for that nothing here builds or names, ``known`` those that something does."""

    repository: Repository
    images: int
    rebuilds: tuple[Rebuild, ...]
    removed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def levels(self) -> list[list[Rebuild]]:
        found: dict[int, list[Rebuild]] = defaultdict(list)
        for rebuild in self.rebuilds:
            found[rebuild.level].append(rebuild)
        return [found[level] for level in sorted(found)]


def impact_since(
    paths: Sequence[str],
    reference: str,
    *,
    exclude: Sequence[str] = (),
    builds: Sequence[Build] = (),
    configured: Configured = lambda top: (),
) -> Impact:
    """What of the images below ``paths`` is other than in a commit, or stands on what is.

    ``builds`` are what the configuration of the work tree says, ``configured`` tells the
    commit's. Of the work tree count the files that git knows or would add. Raises
    :class:`DockstrataError` where git cannot give the commit, or nothing is to be read.
    """
    _require(paths)
    with checked_out(paths[0], reference) as (old_top, top):
        # Parents may lie anywhere in the repository, so all of it is read.
        touched = touched_files(top, reference)
        # Git's commit has no files of theirs; where theirs is another commit, that is a change.
        others = submodules(top)
        alike = others - set(touched)
        shown = tidy(os.path.relpath(top))
        new = read_repository(
            [shown],
            exclude=exclude,
            builds=builds,
            read=tree_reader(top, unknown_to_git(top) | alike),
        )
        old = _old_state(old_top, exclude, configured, alike)
        jobs = jobs_of(new)
        before = _Before(old, old_top)
        found: dict[str, list[Reason]] = {}
        for job in jobs:
            path = os.path.relpath(job.dockerfile, shown)
            if _below(path, others):
                continue
            side = _side(new, job, top)
            match = before.match(path, job)
            if match is None:
                found[job.name] = [Reason("new", "is new")]
            elif is_changed(match, side):
                found[job.name] = reasons(match, side, touched)
        removed = before.unmatched()
    asked = [os.path.relpath(os.path.realpath(path), top) for path in paths]
    mine = [job for job in jobs if _below(os.path.relpath(job.dockerfile, shown), asked)]
    gone = tuple(new.under_root(path) for path in removed if _below(path, asked))
    return Impact(new, len(mine), _ordered(new, jobs, mine, found), gone)


def impact_of(
    paths: Sequence[str],
    images: Sequence[str],
    *,
    exclude: Sequence[str] = (),
    builds: Sequence[Build] = (),
) -> Impact:
    """What is built from an image of the set, or from one from outside; the former included.

    A reference without tag and digest means every tag. Raises :class:`DockstrataError`.
    """
    _require(paths)
    repository = read_repository(paths, exclude=exclude, builds=builds, read=unread)
    jobs = jobs_of(repository)
    found: dict[str, list[Reason]] = {}
    for job in jobs:
        if any(job.answers(image) for image in images):
            found[job.name] = [Reason("named", "is the image asked for")]
            continue
        lines = _lines(repository, job)
        for named in job.named:
            node = named.node
            if named.job is not None or node.start_line not in lines:
                continue
            if any(_means(image, named.image) for image in images):
                message = f"{node.keyword} at line {node.start_line} names {named.image}"
                found.setdefault(job.name, []).append(Reason("root", message, node.start_line))
    named_here = {named.image for job in jobs for named in job.named}
    unknown = tuple(
        image
        for image in images
        if not any(job.answers(image) for job in jobs)
        and not any(_means(image, name) for name in named_here)
    )
    known = tuple(sorted(named_here | {tag for job in jobs for tag in job.tags}))
    rebuilds = _ordered(repository, jobs, jobs, found)
    return Impact(repository, len(jobs), rebuilds, unknown=unknown, known=known)


def _require(paths: Sequence[str]) -> None:
    for path in paths:
        if not os.path.exists(path):
            raise DockstrataError("no such file or directory", path)


def _old_state(
    top: str, exclude: Sequence[str], configured: Configured, left_out: set[str]
) -> Repository | None:
    """The commit's state; ``None`` where it had no Dockerfile."""
    try:
        return read_repository(
            [top], exclude=exclude, builds=configured(top), read=tree_reader(top, left_out)
        )
    except DockstrataError:
        return None


class _Before:
    """The images of the commit's state, each to be matched once."""

    def __init__(self, repository: Repository | None, top: str) -> None:
        self.repository = repository
        self.top = top
        self.jobs: dict[tuple[str, str | None], list[Job]] = defaultdict(list)
        for job in jobs_of(repository) if repository is not None else ():
            self.jobs[os.path.relpath(job.dockerfile, top), job.build.target].append(job)

    def match(self, path: str, job: Job) -> Side | None:
        """The same Dockerfile and target, built for the same service where there are several."""
        there = self.jobs.get((path, job.build.target), [])
        same = [old for old in there if old.build.service == job.build.service]
        if not there or self.repository is None:
            return None
        chosen = (same or there)[0]
        there.remove(chosen)
        return _side(self.repository, chosen, self.top)

    def unmatched(self) -> list[str]:
        return [
            path + (f"#{target}" if target else "")
            for (path, target), jobs in sorted(self.jobs.items(), key=repr)
            if jobs
        ]


def _side(repository: Repository, job: Job, top: str) -> Side:
    library = repository.library
    evaluation = library.evaluation(job.dockerfile, job.number)
    stage = library.stage(job.dockerfile, job.number, job.build.target)
    return Side(job.build, evaluation, stage, top)


def _lines(repository: Repository, job: Job) -> range | set[int]:
    """The lines of the stages that a job builds."""
    library = repository.library
    stage = library.stage(job.dockerfile, job.number, job.build.target)
    if stage is None:
        return range(0)
    evaluation = library.evaluation(job.dockerfile, job.number)
    found: set[int] = set()
    for needed in needed_stages(evaluation, stage):
        found.add(needed.node.start_line)
        found.update(item.instruction.start_line for item in needed.evaluated)
    return found


def _ordered(
    repository: Repository,
    jobs: Sequence[Job],
    asked: Sequence[Job],
    found: Mapping[str, Sequence[Reason]],
) -> tuple[Rebuild, ...]:
    """What is found and everything built on it, in order; of that, what is asked for."""
    all_reasons = {name: list(why) for name, why in found.items()}
    mine = {job.name for job in asked}
    levels: dict[str, int] = {}
    rebuilds: list[Rebuild] = []
    for job in jobs:
        needs = _needs(repository, job)
        why = all_reasons.setdefault(job.name, [])
        for name, text in needs.items():
            if all_reasons.get(name):
                why.append(Reason("parent", text))
        if job.name in found and not why:
            why.append(Reason("other", "its steps or its configuration are not what they were"))
        if why and job.name in mine:
            below = [levels[name] for name in needs if name in levels]
            levels[job.name] = max(below, default=0) + 1
            rebuilds.append(Rebuild(job, tuple(why), levels[job.name]))
    return tuple(sorted(rebuilds, key=lambda rebuild: rebuild.level))


def _needs(repository: Repository, job: Job) -> dict[str, str]:
    """The other jobs that a job's stages stand on or take files from, and how to say so."""
    lines = _lines(repository, job)
    found: dict[str, str] = {}
    for named in job.named:
        if named.job is None or named.job == job.name or named.node.start_line not in lines:
            continue
        node = named.node
        what = f"parent {named.job}" if node.keyword == "FROM" else f"image {named.job}"
        how = f"{node.keyword} at line {node.start_line}"
        found.setdefault(named.job, f"{what} is rebuilt ({how})")
    for name in job.needs:
        if not any(named.job == name for named in job.named) and name != job.name:
            found[name] = f"image {name} is rebuilt (a named context)"
    return found


def _means(asked: str, image: str) -> bool:
    """Whether a reference means an image as a Dockerfile names it."""
    one, other = parse_reference(asked), parse_reference(image)
    if not one.valid or not other.valid:
        return asked == image
    if _repository(asked) != _repository(image):
        return False
    if one.digest is not None:
        return one.digest == other.digest
    return one.tag is None or one.tag == (other.tag or ("latest" if not other.digest else None))


def _repository(image: str) -> str:
    reference = parse_reference(image)
    name = reference.canonical.partition("@")[0]
    return name.rpartition(":")[0] if ":" in name.rpartition("/")[2] else name


def _below(path: str, asked: Iterable[str]) -> bool:
    return any(part in (".", path) or path.startswith(part + os.sep) for part in asked)
