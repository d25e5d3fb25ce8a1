"""Text to :class:`Document`: scan, then give each instruction its arguments."""

from __future__ import annotations

from dockstrata.source import Source, Span
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
from dockstrata.syntax.scanner import RawInstruction, scan

_JSON_OR_STRING = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL"})
_JSON_OR_LIST = frozenset({"ADD", "COPY", "VOLUME"})
_LIST = frozenset({"FROM", "EXPOSE"})
_STRING = frozenset({"MAINTAINER", "STOPSIGNAL", "USER", "WORKDIR"})
_BY_WRITTEN = {word: word for word in KEYWORDS} | {word.lower(): word for word in KEYWORDS}


def parse(source: Source) -> Document:
    """Parse a Dockerfile. Never raises: what cannot be read is a :class:`Fault` of the document."""
    found = scan(source)
    escape = found.directives.escape
    instructions = [_instruction(source, raw, escape) for raw in found.instructions]
    faults = [instruction.fault for instruction in instructions if instruction.fault is not None]
    faults += found.faults
    if not instructions and not found.faults:
        lines = max(1, len(source.line_starts()) - source.text.endswith("\n"))
        faults.append(Fault("file with no instructions", lines, "syntax"))
    # BuildKit reads the whole file before it looks at any instruction's meaning.
    faults.sort(key=lambda fault: fault.kind == "instruction")
    if not any(fault.kind == "syntax" for fault in faults):
        faults += _outside_stage(instructions)
        faults.sort(key=lambda fault: fault.line)
    return Document(
        source,
        tuple(instructions),
        tuple(found.comments),
        tuple(found.directives.found),
        escape,
        tuple(faults),
    )


def _outside_stage(instructions: list[Instruction]) -> list[Fault]:
    """Instructions before the first FROM, where only ARG may stand."""
    for instruction in instructions:
        if instruction.keyword == "FROM":
            return []
        if instruction.keyword != "ARG" and instruction.fault is None:
            message = "no build stage in current context"
            return [Fault(message, instruction.start_line, "instruction")]
    return []


def _instruction(source: Source, raw: RawInstruction, escape: str) -> Instruction:
    start = raw.pieces[0][1]
    end = source.line_span(raw.end_line).end
    while end > start and source.text[end - 1] in "\r\n":
        end -= 1
    return _node(source, raw, raw.line, raw.pieces, Span(start, end), escape, True)


def _node(
    source: Source,
    raw: RawInstruction,
    line: str,
    pieces: tuple[tuple[int, int], ...],
    span: Span,
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
        if keyword == "ONBUILD" and rest:
            trigger = _node(source, raw, rest, _rebase(pieces, at), span, escape, False)
            if trigger.fault is not None and trigger.fault.kind == "syntax":
                fault = trigger.fault
        else:
            arguments, is_json = _arguments(keyword, rest, escape)
    except ArgumentError as error:
        fault = Fault(str(error), raw.start_line, "syntax")
    node = Instruction(
        source=source,
        keyword=keyword,
        written=written,
        line=line,
        flags=tuple(flags),
        arguments=tuple(arguments),
        json=is_json,
        heredocs=tuple(raw.heredocs),
        start_line=raw.start_line,
        end_line=raw.end_line,
        span=span,
        escape=escape,
        arguments_at=at,
        pieces=pieces,
        empty_continuations=raw.empty,
        trigger=trigger,
        fault=fault,
    )
    if fault is None and outermost and (message := refusal(node)) is not None:
        object.__setattr__(node, "fault", Fault(message, raw.start_line, "instruction"))
    return node


def _rebase(pieces: tuple[tuple[int, int], ...], at: int) -> tuple[tuple[int, int], ...]:
    """Pieces for the text that begins at ``at``: that is its offset 0."""
    logical, physical = next(piece for piece in reversed(pieces) if piece[0] <= at)
    after = tuple((offset - at, place) for offset, place in pieces if offset > at)
    return ((0, physical + at - logical), *after)


def _arguments(keyword: str, rest: str, escape: str) -> tuple[list[str], bool]:
    """Arguments as BuildKit's parser gives them, and whether they came from a JSON array."""
    if keyword in _JSON_OR_STRING or keyword in _JSON_OR_LIST:
        strings = json_strings(rest)
        if strings is not None:
            return strings, True
        if keyword in _JSON_OR_LIST:
            return by_blanks(rest), False
        return ([rest] if rest else []), False
    if keyword in ("ENV", "LABEL"):
        return name_values(rest, escape, keyword), False
    if keyword == "ARG":
        return split_words(rest, escape), False
    if keyword in _LIST:
        return by_blanks(rest), False
    if keyword in _STRING:
        return ([rest] if rest else []), False
    if keyword == "HEALTHCHECK":
        kind, command = health_type(rest)
        if not kind:
            return [], False
        strings = json_strings(command)
        if strings is not None:
            return [kind, *strings], True
        return ([kind, command] if command else [kind]), False
    if keyword == "ONBUILD":
        return [], False
    return [""], False
