"""Findings as SARIF 2.1.0, which code scanning reads.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from dockstrata import __version__
from dockstrata.finding import Edit, Finding, Severity
from dockstrata.fingerprint import fingerprints
from dockstrata.registry import load_registry
from dockstrata.report.plain import valid
from dockstrata.result import Result
from dockstrata.source import Source, encode

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
    Severity.STYLE: "note",
}

Json = dict[str, Any]


def sarif(result: Result) -> str:
    """One run; its rules are those that found something."""
    codes = sorted({finding.code for finding in result.findings})
    index = {code: number for number, code in enumerate(codes)}
    prints = fingerprints(result.findings, result.sources)
    run = {
        "tool": {
            "driver": {
                "name": "dockstrata",
                "version": __version__,
                "rules": [_rule(code, result.findings) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(result)],
        "results": [
            _result(finding, index[finding.code], fingerprint, result.sources)
            for finding, fingerprint in zip(result.findings, prints, strict=True)
        ],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _invocation(result: Result) -> Json:
    errors = result.errors + [f"{f.path}: rule {f.code}: {f.message}" for f in result.failures]
    return {
        "executionSuccessful": not errors,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": valid(error)}} for error in errors
        ],
    }


def _rule(code: str, findings: list[Finding]) -> Json:
    example = next(finding for finding in findings if finding.code == code)
    found: Json = {
        "id": code,
        "name": example.name,
        "defaultConfiguration": {"level": _LEVELS[example.severity]},
        "shortDescription": {"text": valid(example.message)},
    }
    rule = load_registry().find(code)
    if rule is not None:
        found["shortDescription"] = {"text": rule.summary.replace("``", "`")}
        found["fullDescription"] = {"text": rule.page()}
        found["help"] = {"text": rule.page()}
        found["defaultConfiguration"] = {"level": _LEVELS[rule.severity]}
    return found


def _result(finding: Finding, index: int, fingerprint: str, sources: dict[str, Source]) -> Json:
    at = finding.location
    found: Json = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": valid(finding.message)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(at.path)},
                    "region": _region(at.line, at.column, at.end_line, at.end_column),
                }
            }
        ],
        "partialFingerprints": {"dockstrata/v1": fingerprint},
    }
    if finding.related:
        found["relatedLocations"] = [
            {
                "id": number,
                "message": {"text": valid(related.message)},
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(related.path)},
                    "region": {"startLine": related.line},
                },
            }
            for number, related in enumerate(finding.related, 1)
        ]
    if finding.fix is not None:
        found["fixes"] = [
            {
                "description": {"text": f"{finding.fix.safety.value} fix of {finding.code}"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": _uri(path)},
                        "replacements": [
                            _replacement(edit, sources[path])
                            for edit in finding.fix.edits
                            if edit.path == path
                        ],
                    }
                    for path in sorted({edit.path for edit in finding.fix.edits})
                ],
            }
        ]
    return found


def _replacement(edit: Edit, source: Source) -> Json:
    start, end = source.position(edit.span.start), source.position(edit.span.end)
    return {
        "deletedRegion": _region(*start, *end),
        "insertedContent": {"text": valid(edit.text)},
    }


def _region(line: int, column: int, end_line: int, end_column: int) -> Json:
    return {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    }


def _uri(path: str) -> str:
    """A relative path as a relative URI, an absolute one as a file's."""
    uri = quote(encode(path.removeprefix("./")))
    return f"file://{uri}" if path.startswith("/") else uri
