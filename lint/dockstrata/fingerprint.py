"""What stays of a finding when lines above it come and go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256

from dockstrata.finding import Finding
from dockstrata.source import Source


def fingerprints(findings: Iterable[Finding], sources: Mapping[str, Source]) -> list[str]:
    """One for each finding, 32 hexadecimal digits, none twice.

    Made of path, code, the finding's source line without its indentation, and its number among
    equals.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    result: list[str] = []
    for finding in findings:
        at = finding.location
        key = (at.path, finding.code, _line(sources.get(at.path), at.line))
        text = "\0".join((*key, str(seen[key])))
        seen[key] += 1
        result.append(sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return result


def _line(source: Source | None, line: int) -> str:
    if source is None or line > len(source.line_starts()):
        return ""
    span = source.line_span(line)
    return source.text[span.start : span.end].strip()
