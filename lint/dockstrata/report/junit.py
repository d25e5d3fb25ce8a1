"""Findings as a JUnit report: one suite a file, one failed case a finding."""

from __future__ import annotations

from dockstrata.finding import Finding
from dockstrata.report.xml import quoted
from dockstrata.result import Result


def junit(result: Result) -> str:
    """An XML document. A file without findings is a suite with one case that passed."""
    by_path: dict[str, list[Finding]] = {path: [] for path in sorted(result.sources)}
    for finding in result.findings:
        by_path.setdefault(finding.location.path, []).append(finding)
    tests = sum(max(1, len(findings)) for findings in by_path.values())
    lines = [
        "<?xml version='1.0' encoding='UTF-8'?>",
        f'<testsuites name="dockstrata" tests="{tests}" failures="{len(result.findings)}"'
        ' errors="0">',
    ]
    for path, findings in by_path.items():
        lines.append(
            f'  <testsuite name={quoted(path)} tests="{max(1, len(findings))}"'
            f' failures="{len(findings)}" errors="0">'
        )
        if not findings:
            lines.append(f'    <testcase name="dockstrata" classname={quoted(path)}/>')
        for finding in findings:
            lines += _case(path, finding)
        lines.append("  </testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _case(path: str, finding: Finding) -> list[str]:
    at = finding.location
    name = quoted(f"{finding.code} {finding.name} ({at.line}:{at.column})")
    place = f"{at.path}:{at.line}:{at.column}: {finding.message}"
    return [
        f'    <testcase name={name} classname={quoted(path)} file={quoted(path)} line="{at.line}">',
        f'      <failure type="{finding.severity}" message={quoted(place)}/>',
        "    </testcase>",
    ]
