"""Lints and fixes the Dockerfiles in a Python file; findings stand where the Python file has them.

Rules about the set do not see them. What touches an expression in a literal (an f-string's, a
``format`` field) is not reported and never fixed: nobody knows here what it will say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dockstrata.checker import Checker, Failure
from dockstrata.finding import Edit, Finding, Fix, Location, Related, apply_edits
from dockstrata.fixer import Dropped, fix_source
from dockstrata.load.lookalike import Skipped
from dockstrata.load.python_edit import edited, written
from dockstrata.load.python_literals import PythonDockerfile, find_dockerfiles
from dockstrata.load.python_text import HOLE
from dockstrata.source import Source, Span


@dataclass(slots=True)
class Embedded:
    """What a Python file's Dockerfiles gave: as :class:`dockstrata.result.Result`, for one file.

    ``source`` is the file after fixing, ``before`` as it was where fixing changed it;
    ``dockerfiles`` counts those that were checked.
    """

    source: Source
    before: Source | None = None
    dockerfiles: int = 0
    findings: list[Finding] = field(default_factory=list)
    skipped: tuple[Skipped, ...] = ()
    failures: list[Failure] = field(default_factory=list)
    unanswered: str | None = None
    applied: Counter[str] = field(default_factory=Counter)
    dropped: list[Dropped] = field(default_factory=list)


def lint_python(source: Source, checker: Checker, *, fix: bool, unsafe: bool) -> Embedded:
    """Check the Dockerfiles of a Python file and, where asked, fix them in its text.

    Nothing is written. Raises :class:`DockstrataError` for a file that is no Python.
    """
    found = find_dockerfiles(source)
    result = Embedded(source, skipped=found.skipped)
    if fix and found.found:
        edits = [
            edit
            for dockerfile in found.found
            for edit in _fix(source, dockerfile, checker, unsafe, result)
        ]
        if edits:
            result.before = source
            result.source = source = Source(source.path, apply_edits(source.text, edits))
            found = find_dockerfiles(source)
    for dockerfile in found.found:
        _check(source, dockerfile, checker, result)
    result.dockerfiles = len(found.found)
    result.findings.sort(key=lambda finding: finding.sort_key)
    return result


def _check(
    source: Source, dockerfile: PythonDockerfile, checker: Checker, result: Embedded
) -> None:
    inner = Source(source.path, dockerfile.value.text)
    checked = checker.check(inner)
    result.failures += checked.failures
    result.unanswered = result.unanswered or checked.unanswered
    moved = _Moved(source, inner, dockerfile)
    result.findings += [moved.finding(f) for f in _known(inner, checker.finish(checked))]


def _fix(
    source: Source,
    dockerfile: PythonDockerfile,
    checker: Checker,
    unsafe: bool,
    result: Embedded,
) -> list[Edit]:
    """The edits that fix one Dockerfile; books in ``result`` what they are for."""
    inner = Source(source.path, dockerfile.value.text)

    def lint(text: Source) -> Sequence[Finding]:
        return _known(text, checker.finish(checker.check(text)))

    fixed = fix_source(inner, lint, checker.registry, unsafe=unsafe)
    moved = _Moved(source, inner, dockerfile)
    dropped = [replace(drop, line=moved.line(drop.line)) for drop in fixed.dropped]
    edits: list[Edit] | None = []
    if fixed.source.text != inner.text:
        edits = written(source, dockerfile, fixed.source.text)
        if edits is None:
            line = source.position(dockerfile.start)[0]
            reason = "the Python literal cannot say it"
            dropped += [Dropped(code, line, reason) for code in sorted(fixed.applied)]
        else:
            result.applied += fixed.applied
    result.dropped += dropped
    return edits or []


def _known(source: Source, findings: Sequence[Finding]) -> list[Finding]:
    """The findings that hold whatever the expressions say, fixes that touch one taken off."""
    holes = [Span(*match.span()) for match in HOLE.finditer(source.text)]
    if not holes:
        return list(findings)
    kept: list[Finding] = []
    for finding in findings:
        if any(_touch(_span(source, finding.location), hole) for hole in holes):
            continue
        fix = finding.fix
        if fix is not None and any(
            HOLE.search(edit.text) or any(_touch(edit.span, hole) for hole in holes)
            for edit in fix.edits
        ):
            finding = replace(finding, fix=None)
        kept.append(finding)
    return kept


def _touch(span: Span, hole: Span) -> bool:
    return span.start < hole.end and hole.start < span.end


def _span(source: Source, at: Location) -> Span:
    starts = source.line_starts()
    return Span(
        starts[at.line - 1] + at.column - 1,
        starts[min(at.end_line, len(starts)) - 1] + at.end_column - 1,
    )


class _Moved:
    """Moves what is said of a Dockerfile to where its Python file has it."""

    def __init__(self, source: Source, inner: Source, dockerfile: PythonDockerfile) -> None:
        self.source = source
        self.inner = inner
        self.dockerfile = dockerfile
        self.names = dict(dockerfile.value.names)

    def finding(self, finding: Finding) -> Finding:
        span = _span(self.inner, finding.location)
        return replace(
            finding,
            message=self._readable(finding.message),
            location=Location.of(self.source, self._outer(span)),
            related=tuple(
                Related(r.path, self.line(r.line), self._readable(r.message))
                for r in finding.related
            ),
            fix=self._fix(finding.fix),
        )

    def line(self, line: int) -> int:
        """The Python file's line of a line of the Dockerfile."""
        starts = self.inner.line_starts()
        start = starts[min(max(line, 1), len(starts)) - 1]
        return self.source.position(self._outer(Span(start, start)).start)[0]

    def _outer(self, span: Span) -> Span:
        places = self.dockerfile.value.places
        if span.start >= len(places):
            end = places[-1].end if places else self.dockerfile.start
            return Span(end, end)
        start = places[span.start].start
        if span.end <= span.start:
            return Span(start, start)
        return Span(start, max(start, places[min(span.end, len(places)) - 1].end))

    def _fix(self, fix: Fix | None) -> Fix | None:
        if fix is None:
            return None
        edits = edited(self.source, self.dockerfile, fix.edits)
        return None if edits is None else Fix(fix.safety, tuple(edits))

    def _readable(self, message: str) -> str:
        return HOLE.sub(lambda match: self.names.get(match[0], match[0]), message)
