"""Findings for programs: the JSON contract of ``lint``."""

from __future__ import annotations

import json

from dockstrata.finding import Edit, Finding
from dockstrata.report.plain import valid
from dockstrata.result import Result
from dockstrata.source import Source


def lint_json(result: Result) -> str:
    """``{"version": 1, "findings": [...], "summary": {...}}``, findings sorted by place."""
    data = {
        "version": 1,
        "findings": [_finding(finding, result.sources) for finding in result.findings],
        "summary": {
            "files": result.files,
            "findings": len(result.findings),
            "fixable": result.fixable,
            "fixed": result.applied.total(),
        },
        "skipped": [
            {"path": valid(skip.path), "reason": skip.reason, "message": valid(skip.message)}
            for skip in result.skipped
        ],
        "notes": [valid(note) for note in result.notes],
        "errors": [valid(error) for error in result.errors]
        + [valid(f"{f.path}: rule {f.code} failed: {f.message}") for f in result.failures],
    }
    return json.dumps(data, indent=2) + "\n"


def _finding(finding: Finding, sources: dict[str, Source]) -> dict[str, object]:
    at = finding.location
    fix = None
    if finding.fix is not None:
        fix = {
            "safety": finding.fix.safety.value,
            "edits": [_edit(edit, sources[edit.path]) for edit in finding.fix.edits],
        }
    return {
        "code": finding.code,
        "aliases": list(finding.aliases),
        "name": finding.name,
        "severity": str(finding.severity),
        "message": valid(finding.message),
        "path": valid(at.path),
        "line": at.line,
        "column": at.column,
        "end_line": at.end_line,
        "end_column": at.end_column,
        "related": [
            {"path": valid(r.path), "line": r.line, "message": valid(r.message)}
            for r in finding.related
        ],
        "fix": fix,
    }


def _edit(edit: Edit, source: Source) -> dict[str, object]:
    """Replace what lies between the two places by ``text``; the end is exclusive."""
    line, column = source.position(edit.span.start)
    end_line, end_column = source.position(edit.span.end)
    return {
        "path": valid(edit.path),
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "text": valid(edit.text),
    }
