"""Random sets through the whole of plan and apply; ``bench/refactor_fuzz.py`` says what is checked.

The long run is there too; this is its beginning.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

import pytest

BENCH = Path(__file__).resolve().parents[3] / "bench"
sys.path.insert(0, str(BENCH))

from refactor_fuzz import Failure, attempt, generate, show  # noqa: E402

FAILED_ONCE = (1808, 6431, 91675)
"""Seeds of the long run that were defects."""


@pytest.mark.parametrize("first", range(0, 240, 20))
def test_random_sets(first: int) -> None:
    failures: list[Failure] = []
    for seed in (*range(first, first + 20), *(FAILED_ONCE if first == 0 else ())):
        spec = generate(Random(seed))
        failure, _ = attempt(spec)
        if failure is not None:
            failures.append(failure)
            print(f"seed {seed}: {failure}\n{show(spec)}")
    assert failures == []
