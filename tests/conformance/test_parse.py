"""The parser against what BuildKit's says about every file of the corpus."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dockstrata.source import Source
from dockstrata.syntax.nodes import Document, Fault
from dockstrata.syntax.parse import parse


def said(document: Document) -> dict[str, Any]:
    """``document`` in the form of ``parse.jsonl.gz``."""
    result: dict[str, Any] = {
        "escape": document.escape,
        "directives": [
            {"line": d.line, "name": d.name, "value": d.value} for d in document.directives
        ],
        "instructions": [],
    }
    for node in document.instructions:
        heredocs = [
            {
                "name": heredoc.name,
                "fd": heredoc.descriptor,
                "content": heredoc.content,
                "expand": heredoc.expand,
                "chomp": heredoc.chomp,
            }
            for heredoc in node.heredocs
        ]
        row: dict[str, Any] = {
            "cmd": node.written,
            "args": list(node.arguments),
            "flags": list(node.flags),
            "heredocs": heredocs,
            "start_line": node.start_line,
            "end_line": node.end_line,
        }
        if node.json:
            row["json"] = True
        result["instructions"].append(row)
    return result


def place(fault: Fault | None) -> tuple[str | None, int | None]:
    return (fault.message, fault.line) if fault else (None, None)


def difference(expected: dict[str, Any], document: Document) -> str | None:
    syntax = next((fault for fault in document.faults if fault.kind == "syntax"), None)
    if place(syntax) != (expected.get("error"), expected.get("error_line")):
        return f"error: {place(syntax)}"
    if syntax is not None:
        return None
    message, line = place(document.faults[0] if document.faults else None)
    if line != expected.get("instr_error_line") or not same_words(
        message, expected.get("instr_error")
    ):
        return f"refused: {message!r} at {line}, BuildKit {expected.get('instr_error')!r}"
    ours = said(document)
    for key, value in ours.items():
        if value != expected[key]:
            return f"{key}: {value}"
    return None


def same_words(ours: str | None, theirs: str | None) -> bool:
    """BuildKit's message names the line first where it comes from a build."""
    if ours is None or theirs is None:
        return ours is theirs
    return theirs == ours or theirs.endswith(f": {ours}")


def test_corpus(shared: Path, corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    differences: list[str] = []
    count = 0
    with gzip.open(shared / "conformance" / "parse.jsonl.gz", "rt", encoding="utf-8") as rows:
        for row in map(json.loads, rows):
            count += 1
            data = (corpus / row["file"]).read_bytes()
            document = parse(Source.from_bytes(row["file"], data))
            assert "".join(document.pieces()).encode("utf-8", "surrogateescape") == data
            if what := difference(row, document):
                differences.append(f"{row['file']}: {what[:300]}")
    with capsys.disabled():
        print(f"\nparser: {count - len(differences)} of {count} corpus files as BuildKit")
    assert not differences, "\n".join(differences[:20])
    assert count >= 2163
