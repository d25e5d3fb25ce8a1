"""Our findings beside the peers' on generated files; the large runs are in ``bench``."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

import fuzz_checks
from compare_lint import dockstrata


@pytest.mark.parametrize(("peer", "count", "least"), [("tally", 200, 1500), ("hadolint", 200, 800)])
def test_each_difference_has_a_reason(peer: str, count: int, least: int) -> None:
    if shutil.which(peer) is None:
        pytest.skip(f"{peer} (PyPI: {peer}-{'cli' if peer == 'tally' else 'bin'}) is not here")
    asked = fuzz_checks.PEERS[peer]
    given = argparse.Namespace(seed=1, count=count, corpus=None)
    with fuzz_checks.written(fuzz_checks.texts(asked.generate, given)) as names:
        judge = asked.ask(names)
        ours = dockstrata(names, shellcheck=asked.shellcheck)
        found = fuzz_checks.differences(ours, judge, asked.kinds)
    assert [difference for difference in found if difference.why is None] == []
    agreed = sum(len(places & ours[rule]) for rule, places in judge.places.items())
    assert agreed > least
