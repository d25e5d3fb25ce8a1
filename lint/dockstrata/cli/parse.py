"""``dockstrata parse FILE...``: what each file says, one JSON object a line."""

from __future__ import annotations

import json
import os

import click

from dockstrata.source import Source
from dockstrata.syntax.heredoc import Heredoc
from dockstrata.syntax.nodes import Document, Instruction
from dockstrata.syntax.parse import parse


@click.command("parse")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=str))
def command(files: tuple[str, ...]) -> None:
    """Print what each file says, one JSON object a line."""
    unreadable = False
    for path in files:
        try:
            if path != "-" and not os.path.isfile(path) and not path.startswith("/dev/fd/"):
                raise OSError(
                    0, "is not a regular file" if os.path.exists(path) else "no such file"
                )
            with click.open_file(path, "rb") as file:
                data = file.read()
        except OSError as error:
            click.echo(f"{path}: cannot be read: {error.strerror}", err=True)
            unreadable = True
            continue
        record = document_json(parse(Source.from_bytes(path, data)))
        click.echo(json.dumps(record, ensure_ascii=True))
    raise SystemExit(2 if unreadable else 0)


def document_json(document: Document) -> dict[str, object]:
    """A document in the form of BuildKit's parse records; ``error`` is the first fault or null."""
    fault = document.faults[0] if document.faults else None
    syntax = fault if fault is not None and fault.kind == "syntax" else None
    refused = fault if fault is not None and fault.kind == "instruction" else None
    return {
        "file": document.path,
        "escape": document.escape,
        "directives": [
            {"name": directive.name, "value": directive.value, "line": directive.line}
            for directive in document.directives
        ],
        "instructions": [_instruction(node) for node in document.instructions],
        "error": syntax.message if syntax else None,
        "error_line": syntax.line if syntax else None,
        "instr_error": refused.message if refused else None,
        "instr_error_line": refused.line if refused else None,
    }


def _instruction(node: Instruction) -> dict[str, object]:
    record: dict[str, object] = {
        "cmd": node.written,
        "args": list(node.arguments),
        "flags": list(node.flags),
        "heredocs": [_heredoc(heredoc) for heredoc in node.heredocs],
        "start_line": node.start_line,
        "end_line": node.end_line,
    }
    if node.json:
        record["json"] = True
    if node.trigger is not None:
        record["args"] = [""]
        record["trigger"] = _instruction(node.trigger)
    return record


def _heredoc(heredoc: Heredoc) -> dict[str, object]:
    return {
        "name": heredoc.name,
        "fd": heredoc.descriptor,
        "content": heredoc.content,
        "expand": heredoc.expand,
        "chomp": heredoc.chomp,
    }
