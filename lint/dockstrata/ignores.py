"""Ignore comments: ours, hadolint's and BuildKit's; what they cover and what they silence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dockstrata.builtin.ignore_without_reason import IGNORE_WITHOUT_REASON
from dockstrata.builtin.unknown_ignore import UNKNOWN_IGNORE
from dockstrata.builtin.unused_ignore import UNUSED_IGNORE
from dockstrata.finding import Edit, Finding, Fix, Location, Safety, Severity
from dockstrata.registry import Registry
from dockstrata.rule import Rule
from dockstrata.selection import is_buildkit_name, is_peers_code, suggestion
from dockstrata.source import Source, Span
from dockstrata.syntax.nodes import Document, Instruction

_OURS = re.compile(
    r"[ \t]*#[ \t]*dockstrata[ \t]+(?P<kind>global[ \t]+ignore|ignore-file|ignore-stage|ignore)"
    r"(?:[ \t]*=[ \t]*(?P<codes>[\w-]+(?:[ \t]*,[ \t]*[\w-]+)*))?(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
# As hadolint reads it: capital codes, nothing after them.
_HADOLINT = re.compile(
    r"[ \t]*#[ \t]*hadolint[ \t]+(?P<kind>global[ \t]+ignore|ignore)[ \t]*=[ \t]*"
    r"(?P<codes>[A-Z]+\d+(?:[ \t]*,[ \t]*[A-Z]+\d+)*)[ \t]*"
)
_WORD = re.compile(r"[\w-]+")
_WHOLE_FILE = (1, 1 << 60)


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a comment and where it stands; ``all`` is BuildKit's word for every check."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Ignore:
    """One ignore comment.

    ``lines`` are the first and last line (from 1) whose findings it silences; ``span`` is the
    comment from its ``#`` to the end of its text.
    """

    tool: Literal["dockstrata", "hadolint", "buildkit"]
    lines: tuple[int, int]
    codes: tuple[Code, ...]
    reason: str
    span: Span

    def covers(self, finding: Finding) -> list[Code]:
        """The codes of this comment that silence a finding; none where it is out of reach."""
        if not self.lines[0] <= finding.location.line <= self.lines[1]:
            return []
        names = {name.lower() for name in (finding.code, finding.name, *finding.aliases)}
        return [code for code in self.codes if self._means(code.text.lower(), names)]

    def _means(self, code: str, names: set[str]) -> bool:
        return code in names or (self.tool == "buildkit" and code == "all")


@dataclass(frozen=True, slots=True)
class Ignores:
    """All ignore comments of a file. ``error``: BuildKit's ``# check=error=true``."""

    comments: tuple[Ignore, ...] = ()
    error: bool = False


def read_ignores(document: Document, *, hadolint: bool = True) -> Ignores:
    """The ignore comments of a file; hadolint's are passed over where ``hadolint`` is false."""
    found: list[Ignore] = []
    # Nearly every file has none.
    text = document.source.text.lower()
    if "dockstrata" in text or (hadolint and "hadolint" in text):
        for span, inside in _comments(document):
            ignore = _ours(document, span, inside)
            if ignore is None and hadolint:
                ignore = _hadolints(document, span, inside)
            if ignore is not None:
                found.append(ignore)
    check = document.directive("check")
    if check is None:
        return Ignores(tuple(found))
    options = {
        name.strip().lower(): value
        for name, _, value in (part.partition("=") for part in check.value.split(";"))
    }
    if "skip" in options:
        line = document.source.line_span(check.line)
        names = [name.strip() for name in options["skip"].split(",")]
        codes = tuple(Code(name, line) for name in names if name)
        found.append(Ignore("buildkit", _WHOLE_FILE, codes, "", line))
    return Ignores(tuple(found), options.get("error", "").strip().lower() == "true")


def _comments(document: Document) -> Iterator[tuple[Span, Instruction | None]]:
    """Comment lines without their newline; with the instruction that they are inside of."""
    for comment in document.comments:
        yield _trimmed(document.source, comment.line), None
    for node in document.instructions:
        last = document.source.position(node.head_span.end)[0]
        for line in range(node.start_line + 1, last + 1):
            span = _trimmed(document.source, line)
            if document.source.text[span.start : span.end].lstrip().startswith("#"):
                yield span, node


def _trimmed(source: Source, line: int) -> Span:
    span = source.line_span(line)
    end = span.end
    while end > span.start and source.text[end - 1] in "\r\n":
        end -= 1
    return Span(span.start, end)


def _ours(document: Document, span: Span, inside: Instruction | None) -> Ignore | None:
    match = _OURS.match(document.source.text, span.start, span.end)
    if match is None or (match["codes"] is None and re.match(r"[\w-]", match["rest"])):
        return None
    kind = " ".join(match["kind"].lower().split())
    if kind in ("global ignore", "ignore-file"):
        lines = _WHOLE_FILE
    elif kind == "ignore-stage":
        lines = _stage(document, span)
    else:
        node = inside or _next(document, span)
        lines = (node.start_line, node.end_line) if node is not None else (0, 0)
    return Ignore("dockstrata", lines, _codes(match), match["rest"].strip(" \t-:=("), span)


def _hadolints(document: Document, span: Span, inside: Instruction | None) -> Ignore | None:
    match = _HADOLINT.fullmatch(document.source.text, span.start, span.end)
    if match is None or inside is not None:
        return None
    lines = _WHOLE_FILE
    if match["kind"] == "ignore":
        # hadolint looks at the very next line alone.
        line = document.source.position(span.start)[0] + 1
        node = _next(document, span)
        lines = (line, node.end_line) if node and node.start_line == line else (0, 0)
    return Ignore("hadolint", lines, _codes(match), "", span)


def _codes(match: re.Match[str]) -> tuple[Code, ...]:
    if match["codes"] is None:
        return ()
    start = match.start("codes")
    return tuple(
        Code(word[0], Span(start + word.start(), start + word.end()))
        for word in _WORD.finditer(match["codes"])
    )


def _next(document: Document, span: Span) -> Instruction | None:
    return next((node for node in document.instructions if node.span.start >= span.end), None)


def _stage(document: Document, span: Span) -> tuple[int, int]:
    """The lines of the stage that begins next, or else of the one around the comment."""
    following = _next(document, span)
    froms = [node.start_line for node in document.instructions if node.keyword == "FROM"]
    line = document.source.position(span.start)[0]
    if following is not None and following.keyword == "FROM":
        line = following.start_line
    first = max((start for start in froms if start <= line), default=0)
    after = min((start for start in froms if start > line), default=_WHOLE_FILE[1])
    return (first, after - 1)


def apply_ignores(
    source: Source,
    ignores: Ignores,
    findings: Iterable[Finding],
    registry: Registry,
    ran: Collection[str],
) -> list[Finding]:
    """The findings that no comment silences, and what the comments themselves deserve.

    ``ran`` are the codes of the rules that looked at this file; an ignore is called unused for
    those alone.
    """
    if ignores.error:
        findings = [_as_error(finding) for finding in findings]
    if not ignores.comments:
        return list(findings)
    used: set[Span] = set()
    left = _silence(ignores, [*findings, *_faulty(source, ignores, registry, ran)], used)
    if UNUSED_IGNORE.code in ran:
        left += _silence(ignores, _unused(source, ignores, registry, ran, used), used)
    return left


def _as_error(finding: Finding) -> Finding:
    if any(map(is_buildkit_name, (finding.code, *finding.aliases))):
        return replace(finding, severity=Severity.ERROR)
    return finding


def _silence(ignores: Ignores, findings: Iterable[Finding], used: set[Span]) -> list[Finding]:
    left: list[Finding] = []
    for finding in findings:
        codes = [code for ignore in ignores.comments for code in ignore.covers(finding)]
        used.update(code.span for code in codes)
        if not codes:
            left.append(finding)
    return left


def _faulty(
    source: Source, ignores: Ignores, registry: Registry, ran: Collection[str]
) -> Iterator[Finding]:
    for ignore in ignores.comments:
        if ignore.tool != "dockstrata":
            continue
        if UNKNOWN_IGNORE.code in ran:
            if not ignore.codes:
                message = "names no rule: write 'ignore=CODE'"
                yield _finding(UNKNOWN_IGNORE, source, ignore.span, message)
            for code in ignore.codes:
                known = registry.find(code.text) is not None or is_peers_code(code.text)
                if not known and not registry.problems:
                    names = (name for rule in registry.rules for name in rule.codes)
                    message = f"unknown rule '{code.text}'{suggestion(code.text, names)}"
                    yield _finding(UNKNOWN_IGNORE, source, code.span, message)
        if IGNORE_WITHOUT_REASON.code in ran and ignore.codes and not ignore.reason:
            message = "gives no reason: write it after the codes"
            yield _finding(IGNORE_WITHOUT_REASON, source, ignore.span, message)


def _unused(
    source: Source,
    ignores: Ignores,
    registry: Registry,
    ran: Collection[str],
    used: Collection[Span],
) -> Iterator[Finding]:
    for ignore in ignores.comments:
        if ignore.tool != "dockstrata":
            continue
        idle = [
            code for code in ignore.codes if code.span not in used and _ran(code, registry, ran)
        ]
        if not idle:
            continue
        names = ", ".join(f"'{code.text}'" for code in idle)
        if len(idle) == len(ignore.codes):
            edits = _whole_comment(source, ignore)
        else:
            edits = _some_codes(source, ignore.codes, idle)
        at = idle[0].span if len(idle) == 1 else ignore.span
        yield _finding(
            UNUSED_IGNORE, source, at, f"silences nothing: {names}", Fix(Safety.SAFE, edits)
        )


def _ran(code: Code, registry: Registry, ran: Collection[str]) -> bool:
    rule = registry.find(code.text)
    # Whether its own ignore is idle is a question without an answer.
    return rule is not None and rule is not UNUSED_IGNORE and rule.code in ran


def _whole_comment(source: Source, ignore: Ignore) -> tuple[Edit, ...]:
    line = source.position(ignore.span.start)[0]
    return (Edit(source.path, source.line_span(line), ""),)


def _some_codes(source: Source, codes: Sequence[Code], idle: Collection[Code]) -> tuple[Edit, ...]:
    kept = ",".join(code.text for code in codes if code not in idle)
    return (Edit(source.path, Span(codes[0].span.start, codes[-1].span.end), kept),)


def _finding(
    rule: Rule, source: Source, span: Span, message: str, fix: Fix | None = None
) -> Finding:
    at = Location.of(source, span)
    return Finding(rule.code, rule.name, rule.severity, message, at, fix=fix)
