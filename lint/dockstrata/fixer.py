"""Applies fixes until none is left, and proves the safe ones with the meaning engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dockstrata.finding import Edit, Finding, Safety, apply_edits
from dockstrata.meaning.evaluate import Evaluation, evaluate
from dockstrata.registry import Registry
from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse

MAX_ROUNDS = 100

Lint = Callable[[Source], Sequence[Finding]]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A fix that was not applied, and why; ``line`` counts from 1 in the text at that moment."""

    code: str
    line: int
    reason: str


@dataclass(slots=True)
class Fixed:
    """The text after fixing, what was applied (by code) and what was not."""

    source: Source
    applied: Counter[str] = field(default_factory=Counter)
    dropped: list[Dropped] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Candidate:
    finding: Finding
    edits: tuple[Edit, ...]
    proved: bool
    """Whether the meaning engine has to agree."""

    def key(self, source: Source) -> tuple[object, ...]:
        """What stays the same when lines above are edited."""
        text = source.text
        line = source.line_span(self.finding.location.line)
        changes = tuple((text[e.span.start : e.span.end], e.text) for e in self.edits)
        return (self.finding.code, text[line.start : line.end], changes)


def fix_source(source: Source, lint: Lint, registry: Registry, *, unsafe: bool) -> Fixed:
    """Apply the fixes of what ``lint`` finds, round by round, to a fixpoint.

    Safe fixes go first. Of overlapping fixes the later waits for the next round. A fix is
    dropped where the text would not parse as well as before, or, if it is safe and its rule
    does not say that changing the image is its point, where any stage's meaning would change.
    """
    result = Fixed(source)
    refused: dict[tuple[object, ...], Dropped] = {}
    seen = {source.text: 0}
    history: list[set[str]] = []
    while len(history) < MAX_ROUNDS:
        candidates = [
            candidate
            for candidate in _candidates(result.source, lint(result.source), registry, unsafe)
            if candidate.key(result.source) not in refused
        ]
        if not candidates:
            break
        accepted = _round(result.source, candidates, refused)
        if not accepted:
            continue  # what was refused is out; look again at what waited behind it
        result.source = _edited(result.source, accepted)
        codes = [candidate.finding.code for candidate in accepted]
        history.append(set(codes))
        if result.source.text in seen:
            fighting = set().union(*history[seen[result.source.text] :])
            reason = f"fixes undo each other: {', '.join(sorted(fighting))}"
            refused[("fight",)] = Dropped(min(fighting), 1, reason)
            break
        result.applied.update(codes)
        seen[result.source.text] = len(history)
    else:
        refused[("rounds",)] = Dropped(
            min(history[-1]), 1, f"fixes come to no end after {MAX_ROUNDS} rounds"
        )
    result.dropped = list(refused.values())
    return result


def _candidates(
    source: Source, findings: Sequence[Finding], registry: Registry, unsafe: bool
) -> list[_Candidate]:
    """The fixes of one round: safe ones, or unsafe ones where no safe one is left."""
    safe: list[_Candidate] = []
    risky: list[_Candidate] = []
    for finding in findings:
        if finding.fix is None:
            continue
        edits = tuple(sorted(_own_newlines(source, edit) for edit in finding.fix.edits))
        if not edits or any(edit.path != source.path for edit in edits):
            continue
        rule = registry.find(finding.code)
        if finding.fix.safety is Safety.SAFE:
            proved = rule is None or not rule.changes_meaning
            safe.append(_Candidate(finding, edits, proved))
        elif unsafe:
            risky.append(_Candidate(finding, edits, False))
    return safe or risky


def _own_newlines(source: Source, edit: Edit) -> Edit:
    if source.newline == "\n" or "\n" not in edit.text:
        return edit
    text = edit.text.replace("\r\n", "\n").replace("\n", source.newline)
    return Edit(edit.path, edit.span, text)


def _round(
    source: Source,
    candidates: Sequence[_Candidate],
    refused: dict[tuple[object, ...], Dropped],
) -> list[_Candidate]:
    """The candidates that can be applied together: all at once if that holds, else one by one."""
    batch = _apart(candidates)
    judge = _Judge(source)
    if judge.objection(batch) is None:
        return batch
    accepted: list[_Candidate] = []
    for candidate in batch:
        reason = judge.objection([*accepted, candidate])
        if reason is None:
            accepted.append(candidate)
        else:
            finding = candidate.finding
            dropped = Dropped(finding.code, finding.location.line, reason)
            refused[candidate.key(source)] = dropped
    return accepted


def _apart(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Those whose edits neither overlap nor touch, in the order given."""
    taken: list[Edit] = []
    chosen: list[_Candidate] = []
    for candidate in candidates:
        if all(_separate(edit, other) for edit in candidate.edits for other in taken) and all(
            a.span.end <= b.span.start
            for a, b in zip(candidate.edits, candidate.edits[1:], strict=False)
        ):
            taken += candidate.edits
            chosen.append(candidate)
    return chosen


def _separate(one: Edit, other: Edit) -> bool:
    return one.span.end < other.span.start or other.span.end < one.span.start


def _edited(source: Source, candidates: Sequence[_Candidate]) -> Source:
    edits = [edit for candidate in candidates for edit in candidate.edits]
    return Source(source.path, apply_edits(source.text, edits))


class _Judge:
    """Compares a file with what edits would make of it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.document = parse(source)
        self.evaluation: Evaluation | None = None

    def objection(self, candidates: Sequence[_Candidate]) -> str | None:
        """Why these may not be applied together, or ``None``."""
        after = parse(_edited(self.source, candidates))
        if new := _new_fault(self.document, after):
            return f"the text would not parse: {new}"
        # A rule that changes the image hides what another does in the same batch: apart then.
        proved = [candidate for candidate in candidates if candidate.proved]
        if not proved:
            return None
        if len(proved) < len(candidates):
            return self.objection(proved)
        if self.evaluation is None:
            self.evaluation = evaluate(self.document)
        return difference(self.evaluation, evaluate(after))


def _new_fault(before: Document, after: Document) -> str | None:
    known = Counter(fault.message for fault in before.faults)
    new = Counter(fault.message for fault in after.faults) - known
    return next(iter(new), None)


def difference(before: Evaluation, after: Evaluation) -> str | None:
    """What differs between two Dockerfiles' images, in words; ``None`` where they are equal.

    Equal: the same stages in the same order under the same names (case apart), each with equal
    steps and configuration.
    """
    if len(before.stages) != len(after.stages):
        return "the number of stages would change"
    for one, other in zip(before.stages, after.stages, strict=True):
        if one.name != other.name:
            return f"stage {one.label} would have another name"
        if one.meaning != other.meaning:
            return f"the build of stage {one.label} would change"
        if one.config_digest() != other.config_digest():
            return f"the configuration of stage {one.label} would change"
        if (one.problem is None) != (other.problem is None):
            return f"stage {one.label} would {'build' if one.problem else 'fail'}"
    return None
