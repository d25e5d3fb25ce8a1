"""Findings as GitHub's workflow commands, which annotate the lines of a pull request.

Source: GitHub's documentation, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from dockstrata.finding import Finding, Severity
from dockstrata.report.plain import valid
from dockstrata.result import Result

_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "notice",
    Severity.STYLE: "notice",
}


def github(result: Result) -> str:
    """One command a line."""
    return "".join(_command(finding) + "\n" for finding in result.findings)


def _command(finding: Finding) -> str:
    at = finding.location
    properties = {
        "title": f"{finding.code} {finding.name}",
        "file": at.path,
        "line": str(at.line),
        "endLine": str(at.end_line),
    }
    if at.line == at.end_line:  # columns of a finding of several lines are refused
        properties |= {"col": str(at.column), "endColumn": str(at.end_column)}
    head = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_LEVELS[finding.severity]} {head}::{_data(f'{finding.code}: {finding.message}')}"


def _data(text: str) -> str:
    return valid(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
