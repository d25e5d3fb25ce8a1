"""Fixtures for the whole tree: shared data, where a checkout has it beside the repository."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A run in CI is about the change at hand; new examples are looked for everywhere else.
settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    settings.load_profile("ci")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's cache is left alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data (``../shared``); the test is skipped where there is none."""
    path = REPOSITORY.parent / "shared"
    if not (path / "conformance").is_dir():
        pytest.skip("no ../shared beside this checkout")
    return path


@pytest.fixture(scope="session")
def corpus(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of real Dockerfile sets, unpacked once a run for all workers. Read only."""
    base = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        base = base.parent  # the run's folder, which the workers share
    tree = base / "corpus"
    with (base / "corpus.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            partial = base / "corpus.partial"
            unpack = shared / "corpus" / "unpack.py"
            subprocess.run([sys.executable, str(unpack), str(partial)], check=True)
            partial.rename(tree)
    return tree
