"""What is known of an open document, whoever asks: findings, fixes, pages. No protocol here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dockstrata.finding import Finding, Safety
from dockstrata.fixer import Fixed, fix_source
from dockstrata.load.context import forget_contexts
from dockstrata.registry import Registry
from dockstrata.report.rule_page import markdown
from dockstrata.runner import Job, lint_source
from dockstrata.source import Source, Span

_WORD = re.compile(r"[A-Za-z][\w-]*")


@dataclass(frozen=True, slots=True)
class Checked:
    """A text with what lint found in it; ``errors`` are rules that raised."""

    source: Source
    findings: tuple[Finding, ...]
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """Replace the characters of ``span`` by ``text``; ``finding`` is what it mends."""

    title: str
    span: Span
    text: str
    safe: bool
    finding: Finding | None = None


def check(source: Source, job: Job, registry: Registry) -> Checked:
    """The same as ``lint --stdin-filename`` does."""
    forget_contexts()  # files may have changed since the last time
    result = lint_source(source, job, registry)
    errors = [f"internal error in rule {it.code}: {it.message}" for it in result.failures]
    return Checked(source, tuple(result.findings), (*result.errors, *errors))


def quick_fixes(checked: Checked, lines: range, registry: Registry) -> list[Change]:
    """The fixes of the findings that touch some of the lines (from 1), safe ones first.

    Each is applied for itself, and proved where ``lint --fix`` would prove it; what does not hold
    is not offered.
    """
    found: list[Change] = []
    for finding in checked.findings:
        at = finding.location
        if finding.fix is None or at.end_line < lines.start or at.line >= lines.stop:
            continue
        safe = finding.fix.safety is Safety.SAFE
        title = f"Fix {finding.code} {finding.name}"
        if not safe:
            title += " (unsafe: may change the image)"
        change = _fixed(checked.source, (finding,), registry, unsafe=True)
        if change is not None:
            found.append(Change(title, *change, safe, finding))
    return sorted(found, key=lambda change: not change.safe)


def fix_all(checked: Checked, job: Job, registry: Registry) -> Change | None:
    """All safe fixes, as ``lint --fix`` applies them."""

    def lint(text: Source) -> Sequence[Finding]:
        if text is checked.source:
            return checked.findings
        return lint_source(text, job, registry).findings

    change = _difference(checked.source, fix_source(checked.source, lint, registry, unsafe=False))
    return None if change is None else Change("Apply all safe fixes", *change, safe=True)


def _fixed(
    source: Source, findings: Sequence[Finding], registry: Registry, *, unsafe: bool
) -> tuple[Span, str] | None:
    def lint(text: Source) -> Sequence[Finding]:
        return findings if text is source else ()

    return _difference(source, fix_source(source, lint, registry, unsafe=unsafe))


def _difference(source: Source, fixed: Fixed) -> tuple[Span, str] | None:
    """What is between the common beginning and end of two texts."""
    old, new = source.text, fixed.source.text
    if old == new:
        return None
    start, shorter = 0, min(len(old), len(new))
    while start < shorter and old[start] == new[start]:
        start += 1
    end = 0
    while end < shorter - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return Span(start, len(old) - end), new[start : len(new) - end]


def pages(checked: Checked, line: int, column: int, registry: Registry) -> list[str]:
    """The pages, in Markdown, of the rules that a place (from 1) is about.

    In a comment, the rule that the word there names; elsewhere those of the findings.
    """
    source = checked.source
    if line > len(source.line_starts()):
        return []
    span = source.line_span(line)
    text = source.text[span.start : span.end]
    if text.lstrip().startswith("#"):
        for match in _WORD.finditer(text):
            if match.start() < column <= match.end() + 1:
                rule = registry.find(match[0])
                if rule is not None:
                    return [markdown(rule)]
    here = (line, column)
    codes = [
        finding.code
        for finding in checked.findings
        if (finding.location.line, finding.location.column) <= here
        and here <= (finding.location.end_line, finding.location.end_column)
    ]
    rules = [registry.find(code) for code in dict.fromkeys(codes)]
    return [markdown(rule) for rule in dict.fromkeys(rules) if rule is not None]


JobFor = Callable[[str, str], "Job | None"]
"""(root folder, path) → how to lint the file, ``None`` where the configuration leaves it out."""
