"""What the rules said of a file or a set, as text and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dockstrata.checker import Checked
from dockstrata.finding import Edit, Finding, Fix, Location, Related, Safety, Severity
from dockstrata.ignores import Code, Ignore, Ignores
from dockstrata.parents import Lookup
from dockstrata.set_check import SetOutcome
from dockstrata.source import Source, Span

_SEVERITIES = tuple(Severity)
Answered = tuple[str, Sequence[Any], str]
"""A function that was asked, its arguments, and a digest of what it answered."""


def written(checked: Checked) -> str:
    """As JSON: no word of the file itself, and its path only where another's is meant.

    Raises ``TypeError`` or ``ValueError`` for what a rule made that JSON cannot say.
    """
    path = checked.source.path
    data = [
        [_finding(finding, path) for finding in checked.findings],
        [_ignore(ignore) for ignore in checked.ignores.comments],
        checked.ignores.error,
        checked.broken,
        checked.lookups,
    ]
    return json.dumps(data, separators=(",", ":"))


def read(text: str, source: Source) -> Checked:
    """The inverse, for the source that was checked; raises ``TypeError`` or ``ValueError``."""
    findings, ignores, error, broken, lookups = json.loads(text)
    path = source.path
    return Checked(
        source,
        tuple([_read_finding(data, path) for data in findings]),
        Ignores(tuple([_read_ignore(data) for data in ignores]), error),
        (),
        broken,
        _read_lookups(lookups),
    )


def _read_lookups(data: Sequence[Any] | None) -> tuple[Lookup, ...] | None:
    return None if data is None else tuple([(asks, name, found) for asks, name, found in data])


def _finding(finding: Finding, path: str) -> list[Any]:
    at = finding.location
    data: list[Any] = [
        finding.code,
        finding.name,
        int(finding.severity),
        finding.message,
        at.line,
        at.column,
        at.end_line,
        at.end_column,
        finding.aliases,
    ]
    # Most have nothing of this.
    if finding.related or finding.fix is not None or at.path != path:
        data += [
            None if at.path == path else at.path,
            [(other.path, other.line, other.message) for other in finding.related],
            None if finding.fix is None else _fix(finding.fix, path),
        ]
    return data


def _read_finding(data: Sequence[Any], path: str) -> Finding:
    code, name, severity, message, line, column, end_line, end_column, aliases, *more = data
    related: tuple[Related, ...] = ()
    fix, where = None, path
    if more:
        elsewhere, others, change = more
        where = path if elsewhere is None else elsewhere
        related = tuple([Related(*other) for other in others])
        fix = None if change is None else _read_fix(change, path)
    return Finding(
        code,
        name,
        _SEVERITIES[severity],
        message,
        Location(where, line, column, end_line, end_column),
        tuple(aliases),
        related,
        fix,
    )


def _fix(fix: Fix, path: str) -> list[Any]:
    edits = [
        (None if edit.path == path else edit.path, edit.span.start, edit.span.end, edit.text)
        for edit in fix.edits
    ]
    return [fix.safety.value, edits]


def _read_fix(data: Sequence[Any], path: str) -> Fix:
    safety, edits = data
    return Fix(
        Safety(safety),
        tuple(
            [
                Edit(path if where is None else where, Span(start, end), text)
                for where, start, end, text in edits
            ]
        ),
    )


def _ignore(ignore: Ignore) -> list[Any]:
    codes = [(code.text, code.span.start, code.span.end) for code in ignore.codes]
    return [ignore.tool, ignore.lines, codes, ignore.reason, ignore.span.start, ignore.span.end]


def _read_ignore(data: Sequence[Any]) -> Ignore:
    tool, (first, last), codes, reason, start, end = data
    return Ignore(
        tool,
        (first, last),
        tuple([Code(text, Span(start, end)) for text, start, end in codes]),
        reason,
        Span(start, end),
    )


def written_set(outcome: SetOutcome, questions: Sequence[Answered]) -> str | None:
    """What the rules said of a set, as JSON; ``None`` where JSON cannot say it."""
    data = [
        [_finding(finding, "") for finding in outcome.findings],
        sorted(outcome.ran),
        outcome.lookups,
        questions,
    ]
    try:
        text = json.dumps(data, separators=(",", ":"))
        same = read_set(text)[0] == outcome
    except (TypeError, ValueError):
        return None
    return text if same else None


def read_set(text: str) -> tuple[SetOutcome, list[Answered]]:
    """The inverse; raises ``TypeError`` or ``ValueError``."""
    findings, ran, lookups, questions = json.loads(text)
    outcome = SetOutcome(
        [_read_finding(data, "") for data in findings], set(ran), [], _read_lookups(lookups)
    )
    return outcome, questions
