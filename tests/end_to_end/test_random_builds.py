"""A small run of ``bench/build_fuzz.py``: random sets, really built before and after ``apply``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))

from build_fuzz import ENVIRONMENTS, Workshop, check, set_of, static_busybox  # noqa: E402
from build_generator import Knows  # noqa: E402
from refactor_fuzz import Failure  # noqa: E402

SEEDS = (4178, 2502)
"""Sets that are small, and that ``apply`` changes; the second has stages that are but names."""


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    """buildah, or a skip that says what is missing."""
    busybox = static_busybox()
    if busybox is None:
        pytest.skip("no static busybox is installed (Debian: busybox-static)")
    for program in ("git", "buildah"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("buildah in a chroot needs root's rights")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENTS["buildah"].items():
            patch.setenv(name, value)
        # As old a buildah as any, so that the seeds are the same sets everywhere.
        yield Workshop("buildah", busybox, Knows())


@pytest.mark.parametrize("seed", SEEDS)
def test_images_stay_what_they_are(workshop: Workshop, seed: int) -> None:
    counts = check(set_of(seed, workshop), workshop)
    assert counts["equal"] >= 2
    assert counts["no image before"] == 0
    assert counts["bases"] >= 1


def test_a_spoilt_base_is_told(workshop: Workshop) -> None:
    def spoil(folder: Path) -> None:
        for base in folder.glob("bases/*/Dockerfile"):
            base.write_text(base.read_text().rstrip("\n") + "\nCOPY note.sh /spoilt\n")

    with pytest.raises(Failure, match="/spoilt is new") as told:
        check(set_of(SEEDS[0], workshop), workshop, spoil=spoil)
    assert told.value.kind == "different"
