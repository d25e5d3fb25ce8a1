"""Runs a check over many files: in worker processes where that pays, always in the same order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockstrata.checker import Checked, Checker, Failure, Options, failure
from dockstrata.errors import DockstrataError
from dockstrata.finding import Finding
from dockstrata.meaning.stage import canonical_image
from dockstrata.parents import Builder
from dockstrata.registry import Registry, load_registry
from dockstrata.result import Change, Result
from dockstrata.source import Source

if TYPE_CHECKING:  # loaded where something is fixed, or is Python
    from dockstrata.embedded import Embedded
    from dockstrata.fixer import Fixed
    from dockstrata.load.wiring import Build
    from dockstrata.syntax.nodes import Document

# Starting workers costs as much as checking about this many files.
FILES_IN_PROCESS = 100
# So many files are read together: ShellCheck is asked once for all of them.
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


def lint_files(
    paths: Sequence[str],
    job: Job,
    *,
    jobs: int | None = None,
    with_set: bool = True,
    write: bool = True,
    registry: Registry | None = None,
    wiring: Sequence[str] = (),
    builds: Sequence[Build] = (),
) -> Result:
    """Check Dockerfiles, and the set that they are; fix them where the job says so.

    ``jobs`` is the number of processes, by default as many as there are processors where there
    are many files. ``write`` false leaves fixed files unwritten. A ``registry`` other than the
    installed packs' keeps the run in this process. ``wiring`` are compose and bake files that
    say how the set is built, ``builds`` what the configuration says.

    Raises :class:`DockstrataError`.
    """
    registry, given = registry or load_registry(), registry is not None
    dockerfiles = [path for path in paths if path not in job.python]
    work = len(dockerfiles) + (len(paths) - len(dockerfiles)) // PYTHON_FILES
    processes = 1 if given else _processes(jobs, work)
    wired = how_built(dockerfiles, wiring, builds)
    job = replace(job, tags=_tags(wired))
    checker = Checker(registry, job.options, jobs or processors(), dict(job.tags))
    outcomes = iter(_outcomes(paths, job, checker, processes))
    set_early: SetOutcome | None = None
    if processes > 1 and with_set and not job.fix:
        # The workers are busy meanwhile.
        set_early = check_set(dockerfiles, checker, wired)
    kept = list(outcomes)
    result = Result()
    final: list[Checked] = []
    for outcome in kept:
        final += _settle(outcome, checker, result, write)
    of_set = set_early
    if of_set is None and with_set and (write or not job.fix):
        of_set = check_set(dockerfiles, checker, wired)
    of_set = of_set or SetOutcome()
    result.failures += of_set.failures
    by_path: dict[str, list[Finding]] = {}
    for finding in of_set.findings:
        by_path.setdefault(finding.location.path, []).append(finding)
    for checked in final:
        path = checked.source.path
        result.findings += checker.finish(checked, by_path.get(path, ()), of_set.ran)
    result.findings.sort(key=lambda finding: finding.sort_key)
    return result


def lint_source(source: Source, job: Job, registry: Registry | None = None) -> Result:
    """Check one text, as from standard input; nothing is written."""
    checker = Checker(registry or load_registry(), job.options, processors())
    result = Result()
    if source.path in job.python:
        outcome = _turn_python(source, checker, job)
    else:
        outcome = _turn(source, checker.check(source), checker, job)
    for checked in _settle(outcome, checker, result, write=False):
        result.findings = checker.finish(checked)
    result.sources.setdefault(source.path, source)
    return result


def _settle(outcome: Outcome, checker: Checker, result: Result, write: bool) -> list[Checked]:
    """Book a file's outcome; a fixed file is written here, or else checked as it was."""
    checked = outcome.checked
    if outcome.embedded is not None:
        _settle_python(outcome.embedded, checker, result, write)
        return []
    if checked is None:
        result.errors.append(str(outcome.error))
        return []
    if outcome.fixed is not None:
        result.dropped += [(outcome.path, dropped) for dropped in outcome.fixed.dropped]
    if outcome.fixed is not None and outcome.before is not None:
        try:
            if write:
                from dockstrata.write import write_atomically

                write_atomically(outcome.path, checked.source.to_bytes())
            result.changes.append(Change(outcome.before, checked.source))
            result.applied += outcome.fixed.applied
        except DockstrataError as error:
            result.errors.append(str(error))
            checked = checker.check(outcome.before)
    result.files += 1
    result.sources[outcome.path] = checked.source
    result.failures += checked.failures
    return [checked]


def _settle_python(embedded: Embedded, checker: Checker, result: Result, write: bool) -> None:
    path = embedded.source.path
    if embedded.before is not None:
        try:
            if write:
                from dockstrata.write import write_atomically

                write_atomically(path, embedded.source.to_bytes())
            result.changes.append(Change(embedded.before, embedded.source))
        except DockstrataError as error:
            from dockstrata.embedded import lint_python

            result.errors.append(str(error))
            embedded = lint_python(embedded.before, checker, fix=False, unsafe=False)
    if embedded.dockerfiles:
        result.files += 1
        result.sources[path] = embedded.source
    result.applied += embedded.applied
    result.dropped += [(path, dropped) for dropped in embedded.dropped]
    result.findings += embedded.findings
    result.failures += embedded.failures
    result.skipped += embedded.skipped


def _processes(jobs: int | None, files: int) -> int:
    if jobs is not None:
        return max(1, min(jobs, files))
    if files < FILES_IN_PROCESS:
        return 1
    return processors()


def processors() -> int:
    """How many processes can run at once."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _outcomes(
    paths: Sequence[str], job: Job, checker: Checker, processes: int
) -> Iterable[Outcome]:
    if processes == 1:
        return (
            outcome
            for start in range(0, len(paths), FILES_AT_ONCE)
            for outcome in _read_and_turn(paths[start : start + FILES_AT_ONCE], checker, job)
        )
    return _parallel(paths, job, processes)


def _parallel(paths: Sequence[str], job: Job, processes: int) -> Iterator[Outcome]:
    """Outcomes in the order of ``paths``; work begins at once, not at the first ``next``."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    died = DockstrataError("a worker process died, perhaps for want of memory; try --jobs 1")
    pool = ProcessPoolExecutor(processes, initializer=_begin, initargs=(job,))
    size = max(1, min(FILES_AT_ONCE, len(paths) // (processes * 4)))
    chunks = [paths[start : start + size] for start in range(0, len(paths), size)]
    try:
        results = pool.map(_work, chunks)
    except BrokenProcessPool:  # as early as that
        raise died from None

    def drain() -> Iterator[Outcome]:
        try:
            for outcomes in results:
                yield from outcomes
        except BrokenProcessPool:
            raise died from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    return drain()


_worker: tuple[Checker, Job] | None = None


def _begin(job: Job) -> None:
    """A worker's start. An interrupt is the parent's business: it says one word, workers none."""
    import signal

    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = (Checker(load_registry(), job.options, tags=dict(job.tags)), job)


def _work(paths: Sequence[str]) -> list[Outcome]:
    assert _worker is not None
    return _read_and_turn(paths, *_worker)


def _read_and_turn(paths: Sequence[str], checker: Checker, job: Job) -> list[Outcome]:
    """The files' outcomes, in their order."""
    sources: list[Source] = []
    outcomes: dict[str, Outcome] = {}
    for path in paths:
        try:
            with open(path, "rb") as file:
                source = Source.from_bytes(path, file.read())
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            outcomes[path] = Outcome(path, error=f"{path}: cannot be read: {reason}")
            continue
        if path in job.python:
            outcomes[path] = _turn_python(source, checker, job)
        else:
            sources.append(source)
    for source, checked in zip(sources, checker.check_all(sources), strict=True):
        outcomes[source.path] = _turn(source, checked, checker, job)
    return [outcomes[path] for path in paths]


def _turn(source: Source, checked: Checked, checker: Checker, job: Job) -> Outcome:
    if not job.fix:
        return Outcome(source.path, checked)
    from dockstrata.fixer import fix_source

    def lint(text: Source) -> Sequence[Finding]:
        return checker.finish(checked if text is source else checker.check(text))

    fixed = fix_source(source, lint, checker.registry, unsafe=job.unsafe)
    if fixed.source.text == source.text:
        return Outcome(source.path, checked, fixed)
    return Outcome(source.path, checker.check(fixed.source), fixed, before=source)


def _turn_python(source: Source, checker: Checker, job: Job) -> Outcome:
    from dockstrata.embedded import lint_python

    try:
        embedded = lint_python(source, checker, fix=job.fix, unsafe=job.unsafe)
    except DockstrataError as error:
        return Outcome(source.path, error=str(error))
    return Outcome(source.path, embedded=embedded)


@dataclass(slots=True)
class SetOutcome:
    """What the rules about the set said; ``ran`` has the codes of those that came to their end."""

    findings: list[Finding] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)


Wired = Mapping[str, Sequence["Build"]]
"""How each Dockerfile is built, by path."""


def how_built(paths: Sequence[str], wiring: Sequence[str], builds: Sequence[Build]) -> Wired:
    """As compose and bake files say, or the configuration."""
    if not wiring and not builds:
        return {}
    from dockstrata.load.builds import load_builds
    from dockstrata.meaning.repository import all_builds, written_by_us

    others = [path for path in wiring if not written_by_us(path)]
    return all_builds(load_builds((), paths, wiring=others), builds)


def _tags(wired: Wired) -> tuple[tuple[str, Builder], ...]:
    found: dict[str, Builder] = {}
    for path, builds in wired.items():
        for build in builds:
            for tag in build.tags:
                found.setdefault(canonical_image(tag), Builder(path, build.target))
    return tuple(found.items())


def check_set(paths: Sequence[str], checker: Checker, wired: Wired | None = None) -> SetOutcome:
    """Run the rules about the set; for one image few of them. ``wired`` says how it is built."""
    outcome = SetOutcome()
    rules = checker.set_rules
    if not rules or not paths:
        return outcome
    from dockstrata.syntax.parse import parse

    documents = []
    for path in paths:
        if not os.path.isfile(path):
            continue  # a pipe gives its text but once
        try:
            with open(path, "rb") as file:
                source = Source.from_bytes(path, file.read())
        except OSError:
            continue  # told once already
        documents.append(parse(source))
    stages = (node.keyword == "FROM" for document in documents for node in document.instructions)
    if sum(stages) < 2:
        rules = tuple(rule for rule in rules if rule.alone)
        if not rules or not (wired or _has_ignore_file(documents)):
            return outcome
    from dockstrata.facts import Facts
    from dockstrata.meaning.images import image_set
    from dockstrata.meaning.library import Library, unread
    from dockstrata.rule import SetContext
    from dockstrata.similarity.trie import build_trie

    # What COPY takes is of interest only where there is a second image to compare.
    library = Library(documents, wired or {}, unread if rules != checker.set_rules else None)
    images = image_set(library.all())
    if len(images.images) < 2:
        rules = tuple(rule for rule in rules if rule.alone)
    trie = build_trie(images.images)
    settings, plan = checker.options.settings, checker.options.plan
    facts = Facts(library, images, checker.parents, plan)
    for rule in rules:
        assert rule.check_set is not None
        try:
            context = SetContext(rule, images, trie, settings, plan, facts)
            outcome.findings += rule.check_set(context)
            outcome.ran.add(rule.code)
        except Exception as error:
            outcome.failures.append(failure(rule, "the set", error))
    return outcome


def _has_ignore_file(documents: Sequence[Document]) -> bool:
    return any(
        os.path.exists(f"{path}.dockerignore")
        or os.path.exists(os.path.join(os.path.dirname(path), ".dockerignore"))
        for path in (document.path for document in documents)
    )
