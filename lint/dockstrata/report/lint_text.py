"""Findings for a person: one clickable line each, on a terminal with the source under it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dockstrata.finding import Finding, Severity
from dockstrata.report.terminal import printable
from dockstrata.result import Result
from dockstrata.source import Source

_COLOURS = {
    Severity.ERROR: "31",
    Severity.WARNING: "33",
    Severity.INFO: "36",
    Severity.STYLE: "35",
}
_WIDEST = 160


class Style:
    """Wraps text in colours, or leaves it alone."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text


def lint_text(result: Result, *, colour: bool = False, show_source: bool = False) -> Iterator[str]:
    """``path:line:column: CODE severity: message (name)``, with ``[*]`` where a fix exists."""
    style = Style(colour)
    for finding in result.findings:
        yield _line(finding, style)
        if show_source:
            yield from _excerpt(finding, result.sources.get(finding.location.path), style)
        for related in finding.related:
            place = f"{printable(related.path)}:{related.line}"
            yield f"  {style(place, '1')}: {printable(related.message)}"
        if show_source:
            yield ""


def _line(finding: Finding, style: Style) -> str:
    at = finding.location
    place = style(f"{printable(at.path)}:{at.line}:{at.column}:", "1")
    code = style(printable(finding.code), _COLOURS[finding.severity])
    fix = " [*]" if finding.fix else ""
    name = style(f"({printable(finding.name)})", "2")
    return f"{place} {code}{fix} {finding.severity}: {printable(finding.message)} {name}"


def _excerpt(finding: Finding, source: Source | None, style: Style) -> Iterator[str]:
    """The finding's first line with carets below what it points at."""
    at = finding.location
    if source is None or at.line > len(source.line_starts()):
        return
    span = source.line_span(at.line)
    text = source.text[span.start : span.end].rstrip("\r\n")
    end = at.end_column - 1 if at.end_line == at.line else len(text.rstrip(" \t\\`"))
    before, marked, after = (
        printable(part.replace("\t", "    "))
        for part in (text[: at.column - 1], text[at.column - 1 : end], text[end:])
    )
    if not (before + marked + after).strip() or len(before) > _WIDEST:
        return
    shown = (before + marked + after)[:_WIDEST]
    carets = "^" * max(1, min(_width(marked), _WIDEST - len(before)))
    gutter = " " * len(str(at.line))
    yield f"{style(f'{gutter} |', '2')}"
    yield f"{style(f'{at.line} |', '2')} {shown}"
    mark = style(carets, _COLOURS[finding.severity])
    yield f"{style(f'{gutter} |', '2')} {' ' * _width(before)}{mark}"


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


def summary(result: Result, fix: bool = False, diff: bool = False) -> str:
    """``Found 3 problems (2 errors, 1 warning) in 12 files; 1 can be fixed with --fix.``"""
    files = _count(result.files, "file")
    parts: list[str] = []
    if result.applied:
        verb = "Would fix" if diff else "Fixed"
        parts.append(f"{verb} {_count(result.applied.total(), 'problem')}")
    if not result.findings:
        parts.append(f"{'none left' if result.applied else 'No problems found'} in {files}")
        return "; ".join(parts) + "."
    by_severity = Counter(finding.severity for finding in result.findings)
    kinds = ", ".join(
        _kind(severity, by_severity[severity]) for severity in sorted(by_severity, reverse=True)
    )
    left = "left " if result.applied else ""
    verb = "" if result.applied else "Found "
    text = f"{verb}{_count(len(result.findings), 'problem')} {left}({kinds}) in {files}"
    parts.append(text)
    safe = sum(f.fix is not None and f.fix.safety.value == "safe" for f in result.findings)
    unsafe = result.fixable - safe
    hints = [f"{safe:,} can be fixed with --fix"] if safe and not (fix or diff) else []
    if unsafe:
        hints.append(f"{unsafe:,} with --fix --unsafe-fixes" if hints else
                     f"{unsafe:,} can be fixed with --fix --unsafe-fixes")  # fmt: skip
    parts += [", ".join(hints)] if hints else []
    return "; ".join(parts) + "."


def statistics(result: Result) -> Iterator[str]:
    """How often each rule was found, most frequent first."""
    counts = Counter((finding.code, finding.name) for finding in result.findings)
    fixable = Counter(finding.code for finding in result.findings if finding.fix)
    width = max((len(str(count)) for count in counts.values()), default=1)
    codes = max((len(code) for code, _ in counts), default=1)
    for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        mark = "[*]" if fixable[code] else "   "
        yield f"{count:>{width}} {printable(code):<{codes}} {mark} {printable(name)}"


def _kind(severity: Severity, count: int) -> str:
    word = str(severity)
    plural = severity in (Severity.ERROR, Severity.WARNING) and count != 1
    return f"{count:,} {word}{'s' if plural else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
