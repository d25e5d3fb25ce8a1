"""One ``dockstrata lint``: configuration, selection, run, report, exit code."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace
from typing import TextIO

from dockstrata.builtin.ignore_without_reason import IGNORE_WITHOUT_REASON
from dockstrata.checker import Options
from dockstrata.configuration import Configuration, is_excluded, load_configuration
from dockstrata.errors import DockstrataError
from dockstrata.finding import Severity
from dockstrata.registry import Registry, load_registry
from dockstrata.report.terminal import printable
from dockstrata.result import Result
from dockstrata.runner import Job, lint_files, lint_source
from dockstrata.selection import Selection, require_known, split

# More than these are summed up.
SKIPPED_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Request:
    """The command line, as given."""

    paths: tuple[str, ...]
    form: str = "text"
    fix: bool = False
    unsafe_fixes: bool = False
    diff: bool = False
    exit_non_zero_on_fix: bool = False
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    no_set: bool = False
    no_shellcheck: bool = False
    no_cache: bool = False
    require_reason: bool = False
    fail_on: str | None = None
    output: str | None = None
    show_source: bool | None = None
    statistics: bool = False
    baseline: str | None = None
    write_baseline: bool = False
    exclude: tuple[str, ...] = ()
    force_exclude: bool = False
    config: str | None = None
    no_config: bool = False
    stdin_filename: str | None = None
    jobs: int | None = None
    python: bool = False
    quiet: bool = False
    verbose: bool = False


def run(request: Request, stdout: TextIO, colour: bool = False) -> int:
    """Do what is asked; the report goes to ``stdout``, all else to standard error.

    Returns the exit code: 0, 1 or 2. Raises :class:`DockstrataError`.
    """
    _check_usage(request)
    configuration = _configuration(request)
    registry = load_registry()
    options = options_for(request, configuration, registry)
    job = Job(options, request.fix or request.diff, request.unsafe_fixes)
    if "-" in request.paths:
        result = _from_stdin(request, job)
    else:
        result = _from_files(request, configuration, job)
    result.errors = [*registry.problems, *result.errors]
    _tell(result, request)
    if request.write_baseline:
        assert request.baseline is not None
        from dockstrata.baseline import write_baseline

        count = write_baseline(request.baseline, result)
        _say(request, f"{request.baseline}: {count} findings written")
        return 2 if result.errors or result.failures else 0
    if request.baseline is not None:
        from dockstrata.baseline import subtract_baseline

        gone = subtract_baseline(request.baseline, result)
        if gone:
            _say(request, f"{request.baseline}: {gone} entries are no longer found")
    _report(result, request, stdout, colour)
    return _exit_code(result, request, request.fail_on or configuration.lint.fail_on or "style")


def _check_usage(request: Request) -> None:
    if "-" in request.paths and len(request.paths) > 1:
        raise DockstrataError("'-' (standard input) must be the only path")
    if request.stdin_filename is not None and "-" not in request.paths:
        raise DockstrataError("--stdin-filename is for '-' (standard input) alone")
    if request.config is not None and request.no_config:
        raise DockstrataError("--config and --no-config exclude each other")
    if request.fix and request.diff:
        raise DockstrataError("--fix and --diff exclude each other: --diff writes nothing")
    if request.unsafe_fixes and not (request.fix or request.diff):
        raise DockstrataError("--unsafe-fixes needs --fix or --diff")
    if request.write_baseline and request.baseline is None:
        raise DockstrataError("--write-baseline needs --baseline FILE")
    if request.write_baseline and (request.fix or request.diff):
        raise DockstrataError("--write-baseline excludes --fix and --diff")


def _configuration(request: Request) -> Configuration:
    if request.no_config:
        return Configuration()
    return load_configuration(request.config)


def options_for(request: Request, configuration: Configuration, registry: Registry) -> Options:
    """What a run is told, by command line and configuration. Raises :class:`DockstrataError`."""
    lint = configuration.lint
    names = registry.names()
    given = {
        "--select": split(request.select),
        "--extend-select": split(request.extend_select),
        "--ignore": split(request.ignore),
    }
    if not registry.problems:  # else a name that nobody knows may be a broken pack's
        for where, selectors in (*configuration.selectors, *given.items()):
            require_known(selectors, names, where)
    select = None if lint.select is None else tuple((name, 0) for name in lint.select)
    if given["--select"]:
        select = tuple((name, 1) for name in given["--select"])
    extend = [(name, 0) for name in lint.extend_select] if not given["--select"] else []
    extend += [(name, 1) for name in given["--extend-select"]]
    if request.require_reason or lint.require_reason:
        extend.append((IGNORE_WITHOUT_REASON.code, 1))
    ignore = [(name, 0) for name in lint.ignore] + [(name, 1) for name in given["--ignore"]]
    return Options(
        selection=Selection(select, tuple(ignore), tuple(extend)),
        settings=lint.settings,
        plan=configuration.plan,
        severities=lint.severity,
        per_file_ignores=lint.per_file_ignores,
        base=configuration.base,
        hadolint_comments=lint.hadolint_comments,
        shellcheck=lint.shellcheck and not request.no_shellcheck,
        cache=not request.no_cache,
        bases=dict(configuration.placement).get("bases", "bases"),
    )


def _from_files(request: Request, configuration: Configuration, job: Job) -> Result:
    from dockstrata.load.discover import discover

    configured = (*configuration.exclude, *configuration.lint.exclude)
    excluded = (*configured, *request.exclude)
    found = discover(request.paths, exclude=excluded, python=request.python)
    files = (*found.files, *found.python)
    if request.force_exclude:
        patterns = ((configured, configuration.base), (request.exclude, "."))
        files = tuple(path for path in files if not is_excluded(path, patterns))
    if not (found.files or found.python or found.skipped):
        raise DockstrataError(found.nothing(), ", ".join(request.paths))
    result = lint_files(
        files,
        replace(job, python=frozenset(found.python)),
        jobs=request.jobs,
        with_set=not request.no_set,
        write=request.fix,
        wiring=found.wiring,
        builds=configuration.builds,
    )
    # Where that is all there is, what Docker cannot read either is no note but an error.
    reasons = {"unreadable"} if files else {"unreadable", "binary"}
    unreadable = [skip for skip in found.skipped if skip.reason in reasons]
    result.errors = [f"{skip.path}: {skip.message}" for skip in unreadable] + result.errors
    skipped = tuple(skip for skip in found.skipped if skip.reason not in reasons)
    result.skipped = (*skipped, *result.skipped)
    return result


def _from_stdin(request: Request, job: Job) -> Result:
    from dockstrata.load.names import is_python_name
    from dockstrata.source import Source

    name = request.stdin_filename or "-"
    if is_python_name(name):
        job = replace(job, python=frozenset([name]))
    return lint_source(Source.from_bytes(name, sys.stdin.buffer.read()), job)


def _tell(result: Result, request: Request) -> None:
    """Notes and errors, on standard error."""
    if len(result.skipped) <= SKIPPED_SHOWN or request.verbose:
        for skip in result.skipped:
            _say(request, f"{skip.path}: skipped: {skip.message}")
    else:
        counts = Counter(skip.reason for skip in result.skipped)
        kinds = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
        _say(request, f"{len(result.skipped)} look-alikes skipped ({kinds}); -v lists them")
    for note in result.notes:
        _say(request, note)
    for path, dropped in result.dropped:
        _say(request, f"{path}:{dropped.line}: fix of {dropped.code} not applied: {dropped.reason}")
    for error in result.errors:
        _error(error)
    for failure in result.failures:
        _error(f"{failure.path}: internal error in rule {failure.code}: {failure.message}")
        if request.verbose:
            for line in failure.traceback.splitlines():
                print(printable(line), file=sys.stderr)


def _say(request: Request, message: str) -> None:
    if not request.quiet:
        print(f"note: {printable(message)}", file=sys.stderr)


def _error(message: str) -> None:
    print(f"error: {printable(message)}", file=sys.stderr)


def _report(result: Result, request: Request, stdout: TextIO, colour: bool) -> None:
    if request.output is not None:
        from dockstrata.report.lint import render

        show = bool(request.show_source)
        text = render(result, request.form, request.statistics, False, show)
        try:
            with open(request.output, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise DockstrataError(f"cannot be written: {reason}", request.output) from None
    elif request.diff:
        from dockstrata.report.diff import unified

        stdout.flush()
        stdout.buffer.write(b"".join(map(unified, result.changes)))
    elif request.fix and "-" in request.paths:
        _fixed_text(result, stdout)
    else:
        from dockstrata.report.lint import render

        show = stdout.isatty() if request.show_source is None else request.show_source
        text = render(result, request.form, request.statistics, colour, show)
        # By line: a reader who left is noticed at the next block, not after the whole report.
        stdout.writelines(text.splitlines(keepends=True))
    if request.form == "text" and not request.quiet:
        from dockstrata.report.lint_text import summary

        stdout.flush()
        print(summary(result, fix=request.fix, diff=request.diff), file=sys.stderr)


def _fixed_text(result: Result, stdout: TextIO) -> None:
    """What was read from standard input, fixed; its findings on standard error."""
    from dockstrata.report.lint import render

    stdout.flush()
    for source in result.sources.values():
        stdout.buffer.write(source.to_bytes())
    stdout.flush()
    sys.stderr.write(render(result, "text", False, False, False))


def _exit_code(result: Result, request: Request, fail_on: str) -> int:
    if result.errors or result.failures:
        return 2
    if request.diff:
        return int(bool(result.changes))
    if request.exit_non_zero_on_fix and result.changes:
        return 1
    if fail_on == "never":
        return 0
    limit = Severity[fail_on.upper()]
    return int(any(finding.severity >= limit for finding in result.findings))
