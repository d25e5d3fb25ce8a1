"""Compare our parser with BuildKit's Go parser on generated and mutated Dockerfiles.

    python bench/fuzz_parser.py --count 1000000 --seed 1 [--corpus DIR] --jobs 2

Differences that are listed, each with its reason (``listed``):

* *NUL bytes*: the module hands back C strings, which end there; so do ours before the comparison.
* *bytes that are not UTF-8 in a result*: the module cannot give them back. Such inputs are counted
  as skipped where it fails, compared where it does not.
* *separators*: the module carries BuildKit 0.12, which does not report the ``=`` or blank between
  the name and value of ENV and LABEL; ours are dropped before the comparison.
* *newer syntax*: BuildKit 0.12 knows no ``check`` directive, and no white space but ASCII's between
  ``#`` and a directive's name; in a line that opens heredocs it
  knows fewer operators in ``${}`` and no blanks between ``<<`` and the name; and it overlooks what
  follows a JSON array.
* *depth*: we refuse substitutions nested more than 50 deep, BuildKit has no limit.
* *descriptors* of 2**63 and more come back from the module as negative numbers.
* *too long before anything else*: of a file without an instruction before its first line of more
  than 65,535 bytes BuildKit says "file with no instructions"; we say that the line is too long.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from dockerfile_generator import generate, mutate

from dockstrata.source import Source
from dockstrata.syntax.arguments import health_type
from dockstrata.syntax.gotext import SPACE
from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.parse import parse

Row = dict[str, Any]
CHUNK = 2000
TOO_LONG = "dockerfile line greater than max allowed size"


def ours(data: bytes) -> tuple[str | None, list[Row]]:
    """The error message, or what each instruction says, as this project reads it."""
    document = parse(Source.from_bytes("Dockerfile", data))
    if "".join(document.pieces()).encode("utf-8", "surrogateescape") != data:
        return "NOT LOSSLESS", []
    for fault in document.faults:
        if fault.kind == "syntax":
            return fault.message, []
    return None, [_row(instruction) for instruction in document.instructions]


def _row(node: Instruction) -> Row:
    inner = node.trigger or node
    value = list(inner.arguments)
    if inner.keyword in ("ENV", "LABEL"):
        value = [part for index, part in enumerate(value) if index % 3 != 2]
    return {
        "cmd": node.written,
        "sub_cmd": node.trigger.written if node.trigger else None,
        "json": inner.json,
        "line": None if node.heredocs or node.trigger else node.line,
        "flags": list(node.flags),
        "value": value,
        "heredocs": [(h.name, h.descriptor, h.content) for h in node.heredocs if not node.trigger],
        "lines": (node.start_line, node.end_line),
    }


def theirs(data: bytes) -> tuple[str | None, list[Row]]:
    """The same from BuildKit's parser. Raises UnicodeDecodeError where a result is not UTF-8."""
    import dockerfile

    try:
        if b"\0" not in data and (text := _decoded(data)) is not None:
            commands = dockerfile.parse_string(text)
        else:
            with tempfile.NamedTemporaryFile(dir=_memory()) as file:
                file.write(data)
                file.flush()
                commands = dockerfile.parse_file(file.name)
    except dockerfile.GoParseError as error:
        return str(error), []
    return None, [
        {
            "cmd": command.cmd or "",
            "sub_cmd": command.sub_cmd,
            "json": command.json,
            "line": None if command.heredocs or command.sub_cmd else command.original or "",
            "flags": list(command.flags),
            "value": list(command.value),
            "heredocs": [(h.name, h.file_descriptor % 2**64, h.content) for h in command.heredocs],
            "lines": (command.start_line, command.end_line),
        }
        for command in commands
    ]


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _cut(value: Any) -> Any:
    """``value`` with each string cut where a C string ends."""
    if isinstance(value, str):
        return value.partition("\0")[0]
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_cut(item) for item in value)
    return value


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def difference(data: bytes) -> str | None:
    """What differs between the two parsers on ``data``; ``"skipped"`` where it cannot be said."""
    try:
        their_error, their_rows = theirs(data)
    except UnicodeDecodeError:
        return "skipped"
    our_error, our_rows = ours(data)
    if b"\0" in data:
        our_error, our_rows = _cut(our_error), _cut(our_rows)
    if (our_error, our_rows) != (their_error, their_rows) and newer(data):
        return "skipped"
    if their_error == "file with no instructions" and (our_error or "").startswith(TOO_LONG):
        return None
    if our_error != their_error:
        return f"error: ours {our_error!r}, BuildKit's {their_error!r}"
    if our_rows == their_rows:
        return None
    if len(our_rows) != len(their_rows):
        return f"instructions: ours {len(our_rows)}, BuildKit's {len(their_rows)}"
    for mine, other in zip(our_rows, their_rows, strict=True):
        for key in mine:
            if mine[key] != other[key]:
                return f"{key}: ours {mine[key]!r}, BuildKit's {other[key]!r}"
    return None


def newer(data: bytes) -> bool:
    """Whether ``data`` holds what BuildKit reads otherwise since the module's version."""
    document = parse(Source.from_bytes("Dockerfile", data))
    if document.directive("check") or _NEWER_DIRECTIVE.search(document.source.text):
        return True
    for outer in document.instructions:
        node = outer.trigger or outer
        if "<<" in node.line and _NEWER.search(node.line):
            return True
        if not node.json and any(map(_behind_array, (node.rest, health_type(node.rest)[1]))):
            return True
    return False


_NEWER = re.compile(r"\$\{\w*:?[^\w:}]|<<[\t\r ]")


_NEWER_DIRECTIVE = re.compile(
    r"#\s*[\v\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]\s*\w+\s*="
)


def _behind_array(rest: str) -> bool:
    """Whether something follows the JSON array that ``rest`` begins with."""
    rest = rest.lstrip(SPACE)
    try:
        value, end = json.JSONDecoder().raw_decode(rest)
    except ValueError:
        return False
    return isinstance(value, list) and end < len(rest)


def inputs(seed: int, count: int, corpus: Sequence[bytes] = ()) -> Iterator[bytes]:
    """``count`` inputs; where there is a corpus, every second one is a mutation of it."""
    random = Random(seed)
    for number in range(count):
        if corpus and number % 2:
            yield mutate(random, corpus)
        else:
            yield generate(random).encode("utf-8", "surrogateescape")


def read_corpus(directory: Path | None) -> list[bytes]:
    """The files below ``directory`` that are small enough to be parsed by the million."""
    if directory is None:
        return []
    found = (path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())
    return [data for data in found if 0 < len(data) < 6000 and b"FROM" in data]


_corpus: list[bytes] = []


def _start(directory: Path | None) -> None:
    _corpus.extend(read_corpus(directory))


def _run(seed: int, count: int) -> tuple[Counter[str], list[tuple[str, bytes]]]:
    counts: Counter[str] = Counter()
    found: list[tuple[str, bytes]] = []
    for data in inputs(seed, count, _corpus):
        what = difference(data)
        counts["skipped" if what == "skipped" else "equal" if what is None else "different"] += 1
        if what is not None and what != "skipped":
            found.append((what, data))
    return counts, found


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--corpus", type=Path)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--show", type=int, default=20, help="differences to print")
    given = options.parse_args()
    start = time.monotonic()
    total: Counter[str] = Counter()
    shown = 0
    with ProcessPoolExecutor(given.jobs, initializer=partial(_start, given.corpus)) as pool:
        chunks = [
            pool.submit(_run, given.seed * 1_000_003 + first, min(CHUNK, given.count - first))
            for first in range(0, given.count, CHUNK)
        ]
        for chunk in as_completed(chunks):
            counts, found = chunk.result()
            total += counts
            for what, data in sorted(found, key=lambda pair: len(pair[1])):
                if shown < given.show:
                    print(f"{what}\n    {data[:4000]!r}", flush=True)
                    shown += 1
    seconds = time.monotonic() - start
    print(f"{sum(total.values())} inputs in {seconds:.0f} s: {dict(total)}")
    return 1 if total["different"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
