"""Findings that are known and accepted, so that a run reports new ones alone."""

from __future__ import annotations

import json

from dockstrata.errors import DockstrataError
from dockstrata.fingerprint import fingerprints
from dockstrata.report.plain import valid
from dockstrata.result import Result
from dockstrata.write import write_atomically


def write_baseline(path: str, result: Result) -> int:
    """Write the run's findings to a file; returns how many. Raises :class:`DockstrataError`."""
    entries = [
        {"path": valid(finding.location.path), "code": finding.code, "fingerprint": fingerprint}
        for finding, fingerprint in zip(
            result.findings, fingerprints(result.findings, result.sources), strict=True
        )
    ]
    data = json.dumps({"version": 1, "findings": entries}, indent=1) + "\n"
    try:
        with open(path, "a", encoding="utf-8"):  # so that there is a file to replace
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DockstrataError(f"cannot be written: {reason}", path) from None
    write_atomically(path, data.encode())
    return len(entries)


def subtract_baseline(path: str, result: Result) -> int:
    """Take the file's findings out of the result; returns how many of the file are gone.

    Entries of files that this run did not look at are not counted as gone.
    """
    known = _read(path)
    kept = []
    for finding, fingerprint in zip(
        result.findings, fingerprints(result.findings, result.sources), strict=True
    ):
        if known.pop(fingerprint, None) is None:
            kept.append(finding)
    result.findings = kept
    return sum(where in result.sources for where in known.values())


def _read(path: str) -> dict[str, str]:
    """Path by fingerprint."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        if data["version"] != 1:
            raise DockstrataError(f"is a baseline of version {data['version']}, not 1", path)
        return {entry["fingerprint"]: entry["path"] for entry in data["findings"]}
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DockstrataError(f"cannot be read: {reason}", path) from None
    except (ValueError, KeyError, TypeError):
        raise DockstrataError("is not a baseline file", path) from None
