"""Findings as a Checkstyle report, which Jenkins and many others read."""

from __future__ import annotations

from itertools import groupby

from dockstrata.finding import Severity
from dockstrata.report.xml import quoted
from dockstrata.result import Result

_SEVERITIES = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "info",
    Severity.STYLE: "info",
}


def checkstyle(result: Result) -> str:
    """An XML document with one ``file`` for each file that has findings."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<checkstyle version="4.3">']
    for path, findings in groupby(result.findings, key=lambda finding: finding.location.path):
        lines.append(f"  <file name={quoted(path)}>")
        for finding in findings:
            at = finding.location
            lines.append(
                f'    <error line="{at.line}" column="{at.column}"'
                f' severity="{_SEVERITIES[finding.severity]}"'
                f" message={quoted(finding.message)} source={quoted(finding.code)}/>"
            )
        lines.append("  </file>")
    lines.append("</checkstyle>")
    return "\n".join(lines) + "\n"
