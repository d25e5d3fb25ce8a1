"""Findings as a GitLab code quality report.

Source: GitLab's documentation, "Code Quality", report format.
"""

from __future__ import annotations

import json

from dockstrata.finding import Severity
from dockstrata.fingerprint import fingerprints
from dockstrata.report.plain import valid
from dockstrata.result import Result

_SEVERITIES = {
    Severity.ERROR: "critical",
    Severity.WARNING: "major",
    Severity.INFO: "minor",
    Severity.STYLE: "info",
}


def gitlab(result: Result) -> str:
    """A JSON array."""
    prints = fingerprints(result.findings, result.sources)
    issues = [
        {
            "type": "issue",
            "check_name": finding.code,
            "description": valid(f"{finding.code}: {finding.message}"),
            "categories": ["Style"],
            "severity": _SEVERITIES[finding.severity],
            "fingerprint": fingerprint,
            "location": {
                "path": valid(finding.location.path.removeprefix("./")),
                "positions": {
                    "begin": {
                        "line": finding.location.line,
                        "column": finding.location.column,
                    },
                    "end": {
                        "line": finding.location.end_line,
                        "column": finding.location.end_column,
                    },
                },
            },
        }
        for finding, fingerprint in zip(result.findings, prints, strict=True)
    ]
    return json.dumps(issues, indent=2) + "\n"
