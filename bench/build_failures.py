"""What a failed build of BuildKit says, and building again until nothing more can be mended."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from build_apart import run

# Not --quiet: what runc says of a program that is not there stands in the progress alone.
BUILD = ("docker", "build", "--progress=plain")
_TRIES = 60  # of one image, each after one more thing was made up
_NO_ROOT = re.compile(r"failed to solve: (\S+): failed to resolve source metadata")
_NO_FILE = re.compile(r'failed to (?:calculate checksum|compute cache key).*?"(/[^"]*)": not found')


def why_not_built(
    command: Sequence[str | Path], folder: Path, mend: Callable[[str], bool]
) -> str | None:
    """Why a command that builds fails at last, None where it does not.

    It is run again as long as ``mend``, which gets all that it said, makes up something more.
    """
    said = None
    for _ in range(_TRIES):
        done = run(*command, folder=folder)
        if done.returncode == 0:
            return None
        told = done.stdout + done.stderr  # Compose prints the progress, others complain of it
        if told == said or not mend(told):
            break
        said = told
    return reason(done.stderr)


def reason(why: str) -> str:
    """A failure in few words, alike for alike ones."""
    told = [line for line in why.splitlines() if line.strip()]
    lines = [line for line in told if "ERROR: " in line or "error:" in line.lower()]
    said = (lines or told or ["?"])[-1]
    said = re.sub(r"[0-9a-f]{20,}", "…", said.replace("ERROR: failed to build: ", ""))
    if "failed to resolve source metadata" in said:
        return "a root for another platform"
    said = re.sub(r"ref \S+", "ref …", said)
    if "C:\\" in said or "c:\\" in said:
        return "a path of Windows"
    return said[:160]


def missing_root(why: str) -> str | None:
    """The image whose name nothing has."""
    found = _NO_ROOT.search(why)
    return found[1] if found else None


def missing_file(why: str) -> str | None:
    """The path below the build context that is not there; files of stages do not count."""
    found = _NO_FILE.search(why)
    return found[1] if found and not copies_from(why) else None


def copies_from(why: str) -> bool:
    """Whether the instruction that the failure shows names a stage or image."""
    return "--from" in "\n".join(line for line in why.splitlines() if ">>>" in line)
