"""Each format of ``lint`` on findings with every awkward character."""

from __future__ import annotations

import json
import re
from collections import Counter
from xml.etree import ElementTree

import pytest

from dockstrata.checker import Failure
from dockstrata.finding import Edit, Finding, Fix, Location, Related, Safety, Severity
from dockstrata.report.diff import unified
from dockstrata.report.lint import render
from dockstrata.report.lint_text import summary
from dockstrata.result import Change, Result
from dockstrata.source import Source, Span

NASTY = "a\x1b[31m, b: 100% <\"'&> \u202e\udcff\x00 \u00e9\nnext"
PATH = "dir, 50%:x/Dockerfile\x1b]0;title\x07"


def _finding(severity: Severity, line: int, message: str, fix: Fix | None = None) -> Finding:
    return Finding(
        "DL3007", "latest-tag", severity, message, Location(PATH, line, 1, line, 5),
        ("Alias",), (Related("other", 3, "see \x1b"),), fix,
    )  # fmt: skip


@pytest.fixture
def result() -> Result:
    source = Source(PATH, "FROM a\n\tRUN b\x1b[2J \u65e5\n")
    fix = Fix(Safety.SAFE, (Edit(PATH, Span(8, 11), "run\udcfe"),))
    return Result(
        findings=[
            _finding(Severity.ERROR, 1, NASTY),
            _finding(Severity.STYLE, 2, "plain", fix),
        ],
        sources={PATH: source, "clean": Source("clean", "FROM a\n")},
        files=2,
        errors=["x: cannot be read: why\x1b"],
        failures=[Failure("DL1", "x", "KeyError: 1", "")],
    )


def test_json(result: Result) -> None:
    text = render(result, "json", False, False, False)
    text.encode("ascii")
    data = json.loads(text)
    assert data["version"] == 1
    assert data["summary"] == {"files": 2, "findings": 2, "fixable": 1, "fixed": 0}
    first, second = data["findings"]
    assert first == {
        "code": "DL3007",
        "aliases": ["Alias"],
        "name": "latest-tag",
        "severity": "error",
        "message": NASTY.replace("\udcff", "\ufffd"),
        "path": PATH,
        "line": 1,
        "column": 1,
        "end_line": 1,
        "end_column": 5,
        "related": [{"path": "other", "line": 3, "message": "see \x1b"}],
        "fix": None,
    }
    assert second["fix"] == {
        "safety": "safe",
        "edits": [
            {
                "path": PATH,
                "line": 2,
                "column": 2,
                "end_line": 2,
                "end_column": 5,
                "text": "run\ufffd",
            }
        ],
    }
    assert len(data["errors"]) == 2


@pytest.mark.parametrize("show_source", [False, True])
def test_text_never_steers_a_terminal(result: Result, show_source: bool) -> None:
    text = render(result, "text", False, False, show_source)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)
    assert "\\x1b]0;title\\x07:1:1: DL3007 error: a\\x1b[31m" in text
    assert ":2:1: DL3007 [*] style: plain (latest-tag)\n" in text


def test_text_shows_the_source(result: Result) -> None:
    finding = Finding("X", "x", Severity.INFO, "m", Location(PATH, 2, 6, 2, 7))
    result.findings = [finding]
    lines = render(result, "text", False, False, True).splitlines()
    assert lines[1:4] == ["  |", "2 |     RUN b\\x1b[2J \u65e5", "  |         ^"]


def test_statistics(result: Result) -> None:
    assert render(result, "text", True, False, False) == "2 DL3007 [*] latest-tag\n"


def test_colours_only_where_asked(result: Result) -> None:
    assert "\x1b[" in render(result, "text", False, True, False)


def test_github(result: Result) -> None:
    first, second = render(result, "github", False, False, False).splitlines()
    assert first.startswith("::error title=DL3007 latest-tag,file=dir%2C 50%25%3Ax/Dockerfile")
    assert ",line=1,endLine=1,col=1,endColumn=5::DL3007: a" in first
    assert first.endswith("%0Anext")
    assert "100%25 <" in first
    assert second.startswith("::notice ")


def test_gitlab(result: Result) -> None:
    issues = json.loads(render(result, "gitlab", False, False, False))
    assert [issue["severity"] for issue in issues] == ["critical", "info"]
    assert len({issue["fingerprint"] for issue in issues}) == 2
    assert issues[0]["location"]["positions"]["begin"] == {"line": 1, "column": 1}


def test_checkstyle(result: Result) -> None:
    root = ElementTree.fromstring(render(result, "checkstyle", False, False, False))
    (file,) = root.findall("file")
    assert file.get("name") == PATH.replace("\x1b", "\ufffd").replace("\x07", "\ufffd")
    errors = file.findall("error")
    assert [error.get("severity") for error in errors] == ["error", "info"]
    message = errors[0].get("message") or ""
    assert message.endswith("\u00e9\nnext")
    assert "<\"'&>" in message


def test_junit(result: Result) -> None:
    root = ElementTree.fromstring(render(result, "junit", False, False, False))
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    assert [suite.get("failures") for suite in root.findall("testsuite")] == ["0", "2"]
    assert root.findall("testsuite/testcase/failure")[0].get("type") == "error"


def test_sarif(result: Result) -> None:
    data = json.loads(render(result, "sarif", False, False, False))
    assert data["version"] == "2.1.0"
    (run,) = data["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["DL3007"]
    first, second = run["results"]
    assert first["level"] == "error"
    place = first["locations"][0]["physicalLocation"]
    uri = place["artifactLocation"]["uri"]
    assert uri == "dir%2C%2050%25%3Ax/Dockerfile%1B%5D0%3Btitle%07"
    assert place["region"] == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 5}
    replacement = second["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert replacement["deletedRegion"]["startColumn"] == 2
    assert not run["invocations"][0]["executionSuccessful"]
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 2


def test_fingerprints_outlive_lines_above(result: Result) -> None:
    before = json.loads(render(result, "gitlab", False, False, False))
    moved = Source(PATH, "# new\n" + result.sources[PATH].text)
    result.sources[PATH] = moved
    result.findings = [
        _finding(Severity.ERROR, 2, NASTY),
        _finding(Severity.STYLE, 3, "plain"),
    ]
    after = json.loads(render(result, "gitlab", False, False, False))
    assert [i["fingerprint"] for i in before] == [i["fingerprint"] for i in after]


@pytest.mark.parametrize(
    ("severities", "safety", "applied", "text"),
    [
        ("", None, 0, "No problems found in 12 files."),
        ("", None, 2, "Fixed 2 problems; none left in 12 files."),
        ("e", None, 0, "Found 1 problem (1 error) in 12 files."),
        (
            "eew",
            Safety.SAFE,
            0,
            "Found 3 problems (2 errors, 1 warning) in 12 files; 3 can be fixed with --fix.",
        ),
        (
            "is",
            Safety.UNSAFE,
            0,
            "Found 2 problems (1 info, 1 style) in 12 files;"
            " 2 can be fixed with --fix --unsafe-fixes.",
        ),
        ("w", None, 1, "Fixed 1 problem; 1 problem left (1 warning) in 12 files."),
    ],
)
def test_summary(severities: str, safety: Safety | None, applied: int, text: str) -> None:
    kinds = {str(severity)[0]: severity for severity in Severity}
    fix = Fix(safety, ()) if safety else None
    findings = [_finding(kinds[letter], 1, "m", fix) for letter in severities]
    result = Result(
        findings=findings, files=12, applied=Counter(X=applied) if applied else Counter()
    )
    assert summary(result) == text


def test_diff_is_a_patch() -> None:
    change = Change(
        Source("d/Dockerfile", "a\r\nb\n\x0cc"), Source("d/Dockerfile", "a\r\nB\n\x0cc")
    )
    assert unified(change) == (
        b"--- a/d/Dockerfile\n+++ b/d/Dockerfile\n@@ -1,3 +1,3 @@\n a\r\n-b\n+B\n \x0cc\n"
        b"\\ No newline at end of file\n"
    )
