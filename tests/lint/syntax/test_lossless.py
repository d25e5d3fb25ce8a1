"""Whatever the input: parsing never raises, the pieces are the file, and time stays linear."""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))

from dockerfile_generator import generate, mutate


def stands(found: str, char: str) -> bool:
    """Whether ``char`` of a logical line is ``found`` in the file, or begins with that byte."""
    return found == char or (char.isprintable() and 0xDC80 <= ord(found) <= 0xDCFF)


def check(data: bytes) -> Document:
    """Parse ``data`` and hold what must be true of any document."""
    source = Source.from_bytes("Dockerfile", data)
    document = parse(source)
    assert "".join(document.pieces()).encode("utf-8", "surrogateescape") == data
    lines = len(source.line_starts())
    spans = [node.span for node in document.instructions]
    spans += [comment.span for comment in document.comments]
    spans.sort()
    assert all(0 <= span.start <= span.end <= len(source.text) for span in spans)
    assert all(first.end <= second.start for first, second in pairwise(spans))
    for node in document.instructions:
        assert 1 <= node.start_line <= node.end_line <= lines
        assert node.text == source.text[node.span.start : node.span.end]
        assert node.keyword_span.start == node.span.start
        # Each character of the logical line stands where its pieces say.
        for at in {0, len(node.line) // 2, len(node.line) - 1} if node.line else ():
            assert stands(source.text[node.offset(at)], node.line[at])
        if node.trigger is not None:
            inner = node.trigger
            for at in {0, len(inner.line) - 1} if inner.line else ():
                assert stands(source.text[inner.offset(at)], inner.line[at])
        for heredoc in node.heredocs:
            assert node.span.start <= heredoc.span.start <= heredoc.span.end <= node.span.end
            assert source.text[heredoc.span.start : heredoc.span.end] == heredoc.content
    for fault in document.faults:
        assert 1 <= fault.line <= lines
    return document


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    check(data)


@given(st.text(max_size=200), st.sampled_from(["RUN ", "ENV a=", "COPY <<E ", "# escape=`\n", ""]))
def test_any_text(text: str, before: str) -> None:
    check(f"FROM a\n{before}{text}".encode("utf-8", "surrogatepass"))


PIECES = [
    "FROM a\n",
    "RUN ",
    "ONBUILD ",
    "ENV a",
    "\\\n",
    "\\",
    "`",
    "<<E",
    "<<-E",
    "\nE\n",
    "\0",
    "\ufeff",
]
PIECES += [
    "#",
    "\n",
    "\r\n",
    " ",
    "\t",
    "[",
    '"',
    "'",
    "--f=",
    "=",
    "${",
    "$a",
    "\x1c",
    "\x85",
    "\u2028",
    "x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=300)
def test_pieces_of_dockerfiles(text: str) -> None:
    check(text.encode())


@given(st.integers(0, 2**32))
@settings(max_examples=300)
def test_generated_and_mutated(seed: int) -> None:
    random = Random(seed)
    data = generate(random).encode("utf-8", "surrogateescape")
    check(data)
    check(mutate(random, [data]))


LONG = {
    "lines of a RUN": "RUN a \\\n" + "  b \\\n" * 50_000 + "c\n",
    "comments in a RUN": "RUN a \\\n" + "# b\n" * 50_000 + "c\n",
    "empty lines in a RUN": "RUN a \\\n" + "\n" * 50_000 + "c\n",
    "escapes": "ENV a=" + ("\\\\" * 500 + " \\\n") * 100 + "\n",
    "heredocs": "RUN " + " \\\n".join(["<<a"] * 25_000) + "\n" + "a\n" * 25_000,
    "unterminated heredocs": "RUN " + " \\\n".join(["<<a"] * 25_000) + "\n" + "b\n" * 25_000,
    "nested arrays": "RUN " + "[" * 30_000 + "]" * 30_000 + "\n",
    "nested objects": 'RUN [{"a":' * 9_000 + "\n",
    "nested substitutions": "RUN <<E " + "${a:-" * 10_000 + "\nE\n",
    "triggers of triggers": "ONBUILD " * 8_000 + "\n",
    "blanks": "RUN " + " " * 60_000 + "a" + " " * 5_000 + "\n",
    "blanks in many lines": "RUN a " + (" " * 1_000 + "\\\n") * 2_000 + "\n",
    "open quotes": "ENV a=" + "' \" \\\n" * 25_000 + "\n",
    "flags": "RUN " + "--a=b \\\n" * 25_000 + "a\n",
    "unknown instructions": "wat a\n" * 10_000,
    "stars": "COPY <<E /a\n" + "${a##" + "*a" * 200 + "}\nE\n",
    "a line of a megabyte": "RUN " + "x" * 1_000_000,
    "parted characters": "RUN " + "\udcc3\\\n\udc9f" * 50_000 + "\n",
    "carriage returns": "RUN a" + "\r" * 60_000 + "b\n",
    "file of 2 MB": "RUN a && b \\\n  && c\nENV a=b c='d e'\n" * 50_000,
}


@pytest.mark.parametrize("name", LONG)
def test_time_is_linear(name: str) -> None:
    # Anything quadratic takes minutes on these; the bound leaves room for a slow machine.
    start = time.process_time()
    check(("FROM a\n" + LONG[name]).encode("utf-8", "surrogateescape"))
    assert time.process_time() - start < 8
