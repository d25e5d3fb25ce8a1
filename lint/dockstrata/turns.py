"""Each file's turn: read, checked and, where asked, fixed; in worker processes where that pays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockstrata.checker import Checked, Checker, Options
from dockstrata.errors import DockstrataError
from dockstrata.finding import Finding
from dockstrata.parents import Builder
from dockstrata.registry import load_registry
from dockstrata.result_cache.program import loose_modules, packages_of
from dockstrata.source import Source

if TYPE_CHECKING:  # loaded where something is fixed, or is Python
    from dockstrata.embedded import Embedded
    from dockstrata.fixer import Fixed

# Starting workers costs as much as checking about this many files.
FILES_IN_PROCESS = 100
# So many files are checked together: ShellCheck is asked once for all of them.
FILES_AT_ONCE = 50
# Of Python files, which as a rule have no Dockerfile, so many cost what a Dockerfile does.
PYTHON_FILES = 20


@dataclass(frozen=True, slots=True)
class Job:
    """What to do with each file; goes to worker processes.

    Of the files of ``python`` the Dockerfiles in their string literals are checked, each alone.
    """

    options: Options = field(default_factory=Options)
    fix: bool = False
    unsafe: bool = False
    python: frozenset[str] = frozenset()
    tags: tuple[tuple[str, Builder], ...] = ()
    """What compose, bake or configuration say of who builds which image, spelled in full."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file's turn: what was found, and what fixing made of it.

    ``embedded`` is that of a Python file; ``error`` says why a file could not be read.
    """

    path: str
    checked: Checked | None = None
    fixed: Fixed | None = None
    before: Source | None = None
    embedded: Embedded | None = None
    error: str | None = None


Work = Source | str
"""A Dockerfile's text, or the path of a Python file."""


def read_source(path: str) -> Source | Outcome:
    """The file's text, or the outcome of a file that has none."""
    try:
        with open(path, "rb") as file:
            return Source.from_bytes(path, file.read())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return Outcome(path, error=f"{path}: cannot be read: {reason}")


def take_turns(
    work: Sequence[Work], job: Job, checker: Checker, processes: int
) -> Iterator[Outcome]:
    """The outcomes, in order. In worker processes work begins at once, not at the first ``next``.

    Raises :class:`DockstrataError` where a worker dies.
    """
    if processes > 1:
        return _parallel(work, job, processes)
    return (
        outcome
        for start in range(0, len(work), FILES_AT_ONCE)
        for outcome in _turns(work[start : start + FILES_AT_ONCE], checker, job)
    )


def processes_for(jobs: int | None, work: Sequence[Work]) -> int:
    """How many processes pay; ``jobs`` is what the user said."""
    python = sum(isinstance(item, str) for item in work)
    files = len(work) - python + python // PYTHON_FILES
    if jobs is not None:
        return max(1, min(jobs, files))
    return 1 if files < FILES_IN_PROCESS else processors()


def processors() -> int:
    """How many processes can run at once."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _parallel(work: Sequence[Work], job: Job, processes: int) -> Iterator[Outcome]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    died = DockstrataError("a worker process died, perhaps for want of memory; try --jobs 1")
    pool = ProcessPoolExecutor(processes, initializer=_begin, initargs=(job,))
    size = max(1, min(FILES_AT_ONCE, len(work) // (processes * 4)))
    chunks = [work[start : start + size] for start in range(0, len(work), size)]
    try:
        results = pool.map(_work, chunks)
    except BrokenProcessPool:  # as early as that
        raise died from None

    def drain() -> Iterator[Outcome]:
        ended = False
        try:
            for outcomes in results:
                yield from outcomes
            ended = True
        except BrokenProcessPool:
            raise died from None
        finally:
            # A pool that is still ending when Python ends may print a traceback: both close it.
            pool.shutdown(wait=ended, cancel_futures=True)

    return drain()


@dataclass(frozen=True, slots=True)
class _Worker:
    checker: Checker
    job: Job
    loose: set[tuple[str, str]]


_worker: _Worker | None = None


def _begin(job: Job) -> None:
    """A worker's start. An interrupt is the parent's business: it says one word, workers none."""
    import signal

    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    checker = Checker(load_registry(), job.options, tags=dict(job.tags))
    _worker = _Worker(checker, job, loose_modules(packages_of(checker.registry)))


def _work(work: Sequence[Work]) -> list[Outcome]:
    assert _worker is not None
    checker = _worker.checker
    outcomes = _turns(work, checker, _worker.job)
    # What a rule loaded meanwhile the parent cannot see; nothing that comes of it is kept.
    if loose_modules(packages_of(checker.registry)) != _worker.loose:
        return [_passing(outcome) for outcome in outcomes]
    return outcomes


def _passing(outcome: Outcome) -> Outcome:
    if outcome.checked is None:
        return outcome
    return replace(outcome, checked=replace(outcome.checked, lookups=None))


def _turns(work: Sequence[Work], checker: Checker, job: Job) -> list[Outcome]:
    sources = [item for item in work if isinstance(item, Source)]
    checked = dict(zip(map(id, sources), checker.check_all(sources), strict=True))
    return [
        turn(item, checked[id(item)], checker, job)
        if isinstance(item, Source)
        else _python_file(item, checker, job)
        for item in work
    ]


def turn(source: Source, checked: Checked, checker: Checker, job: Job) -> Outcome:
    """The outcome of a Dockerfile that was checked."""
    if not job.fix:
        return Outcome(source.path, checked)
    from dockstrata.fixer import fix_source

    def lint(text: Source) -> Sequence[Finding]:
        return checker.finish(checked if text is source else checker.check(text))

    fixed = fix_source(source, lint, checker.registry, unsafe=job.unsafe)
    if fixed.source.text == source.text:
        return Outcome(source.path, checked, fixed)
    return Outcome(source.path, checker.check(fixed.source), fixed, before=source)


def _python_file(path: str, checker: Checker, job: Job) -> Outcome:
    source = read_source(path)
    return source if isinstance(source, Outcome) else turn_python(source, checker, job)


def turn_python(source: Source, checker: Checker, job: Job) -> Outcome:
    """The outcome of a Python file."""
    from dockstrata.embedded import lint_python

    try:
        embedded = lint_python(source, checker, fix=job.fix, unsafe=job.unsafe)
    except DockstrataError as error:
        return Outcome(source.path, error=str(error))
    return Outcome(source.path, embedded=embedded)
