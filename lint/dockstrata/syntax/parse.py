"""Text to :class:`Document`: scan, then give each instruction its arguments."""

from __future__ import annotations

import re

from dockstrata.source import Source
from dockstrata.syntax.arguments import (
    ArgumentError,
    by_blanks,
    health_type,
    json_strings,
    name_values,
    split_command,
    split_words,
)
from dockstrata.syntax.check import refusal
from dockstrata.syntax.gotext import lower
from dockstrata.syntax.nodes import KEYWORDS, Document, Fault, Instruction
from dockstrata.syntax.scanner import Pieces, RawInstruction, scan

_JSON_OR_STRING = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL"})
_JSON_OR_LIST = frozenset({"ADD", "COPY", "VOLUME"})
_LIST = frozenset({"FROM", "EXPOSE"})
_NAME_VALUES = frozenset({"ENV", "LABEL"})
_STRING = frozenset({"MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"})
_ONBUILDS = re.compile(r"(?:onbuild[\t\v\f\r ]+(?=onbuild[\t\v\f\r ]))+", re.IGNORECASE | re.ASCII)
_NEVER_REFUSED = frozenset({"RUN", "CMD", "ENTRYPOINT"})
_BY_WRITTEN = {word: word for word in KEYWORDS} | {word.lower(): word for word in KEYWORDS}


def parse(source: Source) -> Document:
    """Parse a Dockerfile. Never raises: what cannot be read is a :class:`Fault` of the document."""
    found = scan(source)
    escape = found.directives.escape
    instructions = [
        _node(source, raw, raw.line, raw.pieces, escape, True) for raw in found.instructions
    ]
    return Document(
        source,
        tuple(instructions),
        tuple(found.comments),
        tuple(found.directives.found),
        escape,
        _faults(source, instructions, found.faults),
    )


def _faults(
    source: Source, instructions: list[Instruction], found: list[Fault]
) -> tuple[Fault, ...]:
    """All faults in BuildKit's order: it reads the whole file before any instruction's meaning."""
    faults = [node.fault for node in instructions if node.fault is not None]
    if not instructions and not found:
        lines = max(1, len(source.line_starts()) - source.text.endswith("\n"))
        return (Fault("file with no instructions", lines, "syntax"),)
    faults += found
    syntax = [fault for fault in faults if fault.kind == "syntax"]
    if syntax:
        return (*syntax, *(fault for fault in faults if fault.kind != "syntax"))
    return tuple(sorted(faults + _outside_stage(instructions), key=lambda fault: fault.line))


def _outside_stage(instructions: list[Instruction]) -> list[Fault]:
    """Instructions before the first FROM, where only ARG may stand."""
    for instruction in instructions:
        if instruction.keyword == "FROM":
            return []
        if instruction.keyword != "ARG" and instruction.fault is None:
            message = "no build stage in current context"
            return [Fault(message, instruction.start_line, "instruction")]
    return []


def _node(
    source: Source,
    raw: RawInstruction,
    line: str,
    pieces: Pieces,
    escape: str,
    outermost: bool,
) -> Instruction:
    written, flags, rest, at = split_command(line)
    keyword = _BY_WRITTEN.get(written) or _BY_WRITTEN.get(lower(written), written)
    fault: Fault | None = None
    arguments: list[str] = []
    is_json = False
    trigger: Instruction | None = None
    try:
        if keyword == "ONBUILD" and not outermost:
            arguments = _chained(rest, escape)
        elif keyword == "ONBUILD" and rest:
            trigger = _node(source, raw, rest, _rebase(pieces, at), escape, False)
            if trigger.fault is not None and trigger.fault.kind == "syntax":
                fault = trigger.fault
        else:
            arguments, is_json = _arguments(keyword, rest, escape)
    except ArgumentError as error:
        fault = Fault(str(error), raw.start_line, "syntax")
    # By position: half of parsing is making nodes.
    node = Instruction(
        source,
        keyword,
        written,
        line,
        tuple(flags),
        tuple(arguments),
        is_json,
        raw.heredocs,
        raw.start_line,
        raw.end_line,
        raw.pieces[0][1],
        raw.end,
        escape,
        at,
        pieces,
        raw.empty,
        trigger,
        fault,
    )
    if fault is not None or not outermost or (keyword in _NEVER_REFUSED and not flags):
        return node
    if (message := refusal(node)) is not None:
        node.fault = Fault(message, raw.start_line, "instruction")
    return node


def _chained(rest: str, escape: str) -> list[str]:
    """The arguments of an ONBUILD inside an ONBUILD; BuildKit refuses it, but reads it first."""
    if not rest:
        return []
    keyword = "ONBUILD"
    while keyword == "ONBUILD" and rest:
        match = _ONBUILDS.match(rest)
        written, _flags, rest, _at = split_command(rest[match.end() :] if match else rest)
        keyword = _BY_WRITTEN.get(lower(written), written)
    _arguments(keyword, rest, escape)
    return [""]


def _rebase(pieces: Pieces, at: int) -> Pieces:
    """Pieces for the text that begins at ``at``: that is its offset 0."""
    logical, physical = next(piece for piece in reversed(pieces) if piece[0] <= at)
    after = tuple((offset - at, place) for offset, place in pieces if offset > at)
    return ((0, physical + at - logical), *after)


def _arguments(keyword: str, rest: str, escape: str) -> tuple[list[str], bool]:
    """Arguments as BuildKit's parser gives them, and whether they came from a JSON array."""
    if keyword in _JSON_OR_STRING:
        strings = json_strings(rest)
        if strings is not None:
            return strings, True
        return ([rest] if rest else []), False
    if keyword in _LIST:
        return by_blanks(rest), False
    if keyword in _NAME_VALUES:
        return name_values(rest, escape, keyword), False
    if keyword in _JSON_OR_LIST:
        strings = json_strings(rest)
        return (by_blanks(rest), False) if strings is None else (strings, True)
    if keyword in _STRING:
        return ([rest] if rest else []), False
    if keyword == "ARG":
        return split_words(rest, escape), False
    if keyword == "HEALTHCHECK":
        return _health(rest)
    return ([] if keyword == "ONBUILD" else [""]), False


def _health(rest: str) -> tuple[list[str], bool]:
    kind, command = health_type(rest)
    if not kind:
        return [], False
    strings = json_strings(command)
    if strings is not None:
        return [kind, *strings], True
    return ([kind, command] if command else [kind]), False
