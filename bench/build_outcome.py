"""What a comparison of real builds says: what was counted, and what is worth a line."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn


@dataclass
class Outcome:
    """Counts by what was seen, reasons for which nothing could be built before, and failures."""

    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def report(folders: list[Path], check: Callable[[Path], Outcome]) -> NoReturn:
    """Check one repository after the other, say what came of it, and exit: 1 after failures."""
    total = Outcome()
    for folder in folders:
        start = time.monotonic()
        outcome = check(folder.resolve())
        took = time.monotonic() - start
        print(f"{folder.name}: {dict(outcome.counts)}, {took:.0f} s", flush=True)
        for why, count in outcome.reasons.most_common(20):
            print(f"    not built before, {count}: {why}")
        for line in outcome.failures:
            print(f"    {line}", flush=True)
        total.counts += outcome.counts
        total.failures += outcome.failures
    print(f"total: {dict(total.counts)}, {len(total.failures)} failures")
    raise SystemExit(1 if total.failures else 0)
