"""A small run of the differential fuzzers; the large ones are in ``bench``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))

import fuzz_parser
import fuzz_refusals
from dockerfile_generator import generate

COUNT = 16_000


def test_parser_against_buildkit() -> None:
    """Every second input mutates a generated Dockerfile."""
    pytest.importorskip("dockerfile", reason="BuildKit's parser (PyPI: dockerfile) is not here")
    random = Random(1)
    base = [generate(random).encode("utf-8", "surrogateescape") for _ in range(300)]
    found = []
    skipped = 0
    for data in fuzz_parser.inputs(2, COUNT, base):
        what = fuzz_parser.difference(data)
        skipped += what == "skipped"
        if what not in (None, "skipped"):
            found.append(f"{what}\n{data!r}")
    assert not found, "\n".join(found[:5])
    assert skipped < COUNT / 10


def test_refusals_against_buildkit() -> None:
    if shutil.which("tally") is None:
        pytest.skip("BuildKit's instruction parser (PyPI: tally-cli) is not here")
    random = Random(1)
    found = fuzz_refusals.differences([fuzz_refusals.generate(random) for _ in range(40)], 2)
    assert not found, "\n".join(found[:5])


@pytest.mark.parametrize(("kind", "count"), [("words", 6000), ("patterns", 4000)])
def test_words_and_patterns_against_the_port(kind: str, count: int) -> None:
    pytest.importorskip("e2b_dockerfile_utils", reason="the port of BuildKit's lexer is not here")
    import fuzz_words

    found = [case for case in fuzz_words.cases(kind, 3, count) if fuzz_words.difference(case)]
    unlisted = [case for case in found if fuzz_words.difference(case) == "unlisted"]
    assert not unlisted, "\n".join(
        f"{case}\nours   {case.ours()}\ntheirs {case.theirs()}" for case in unlisted[:5]
    )
    assert len(found) < count / 5
