"""How often steps change, from git's history, and the cost model that follows from it.

A step is rebuilt whenever it or a step above it changes. So its expected work per month is its
own cost times the sum of the rates from the root down to it; prefixes that rarely change weigh
little, and what changes often is better shared low down only if all that changes it is shared.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockstrata.errors import DockstrataError
from dockstrata.meaning.step import Step

MONTH = 30.44 * 86400
PRIOR = 0.05
"""Changes a month that a step is given which never changed: one in twenty months."""
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(slots=True)
class _File:
    """How often each line of a file was rewritten, and when the file came to be."""

    lines: list[int] = field(default_factory=list)
    born: float = 0.0


@dataclass(frozen=True, slots=True)
class History:
    """What git knows of a tree. ``rewritten`` is by Dockerfile as git names it; ``touched`` counts
    commits by path of a file and of each folder above it; ``months`` is the length of it all."""

    top: str
    rewritten: dict[str, _File]
    touched: Counter[str]
    months: float
    now: float

    def rate(self, step: Step) -> float:
        """Expected changes of a step a month: of its text, or of the files that it takes."""
        path = os.path.relpath(os.path.realpath(step.instruction.source.path), self.top)
        found = self.rewritten.get(path.replace(os.sep, "/"))
        rate = PRIOR
        if found is not None:
            first, last = step.instruction.start_line, step.instruction.end_line
            changes = max(found.lines[first - 1 : last], default=0)
            rate += changes / max(1.0, (self.now - found.born) / MONTH)
        if step.kind in ("COPY", "ADD") and step.contexts:
            rate += self._files(step) / self.months
        return rate

    def _files(self, step: Step) -> int:
        """Commits that touched what the step takes from its build context."""
        context = os.path.relpath(os.path.realpath(step.contexts[0]), self.top)
        counts = []
        for source in step.instruction.arguments[:-1]:
            path = os.path.normpath(os.path.join(context, source.lstrip("/")))
            while re.search(r"[*?\[$]", path):
                path = os.path.dirname(path)
            counts.append(self.touched[path.replace(os.sep, "/")])
        return max(counts, default=0)


def read_history(path: str) -> History:
    """The history of the work tree that ``path`` lies in.

    Raises :class:`DockstrataError` where there is no git, or no commit.
    """
    folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
    top = os.path.realpath(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    now = time.time()
    rewritten: dict[str, _File] = {}
    patches = _git(
        top, "log", "--reverse", "--no-renames", "--first-parent", "-m", "-p", "-U0",
        "--no-color", "--no-ext-diff", "--no-textconv", "--format=commit %ct", "HEAD", "--",
        ":(icase,glob)**/*dockerfile*", ":(icase,glob)**/containerfile*",
    )  # fmt: skip
    _follow(patches, rewritten)
    touched: Counter[str] = Counter()
    oldest = now
    names = _git(
        top, "log", "--no-renames", "--first-parent", "-m", "--name-only", "-z",
        "--format=%x01%ct", "HEAD",
    )  # fmt: skip
    for when, files in _commits(names):
        oldest = min(oldest, when)
        touched.update({folder for name in files for folder in _with_folders(name)})
    months = max(1.0, (now - oldest) / MONTH)
    return History(top, rewritten, touched, months, now)


def _follow(patches: bytes, files: dict[str, _File]) -> None:
    """Play the patches forward: a line that replaces others has one change more than these."""
    when, name, shift = 0.0, "", 0
    for line in patches.split(b"\n"):
        if line.startswith(b"commit "):
            when = float(line[7:] or b"0")
        elif line.startswith(b"+++ "):
            name, shift = _name(line[4:]), 0
            if name and name not in files:
                files[name] = _File(born=when)
        elif line.startswith(b"--- "):
            name = ""
        elif name and (hunk := _HUNK.match(line)):
            start, removed = int(hunk[1]), int(hunk[2] or b"1")
            added = int(hunk[4] or b"1")
            lines = files[name].lines
            at = start + shift - (1 if removed else 0)
            before = lines[at : at + removed]
            changes = max(before) + 1 if before else 0
            lines[at : at + removed] = [changes] * added
            shift += added - removed


def _name(text: bytes) -> str:
    """The file of a ``+++`` line; a file that is gone has none."""
    name = os.fsdecode(text.rstrip(b"\t")).strip('"')
    return name[2:] if name.startswith("b/") else ""


def _commits(names: bytes) -> Iterator[tuple[float, list[str]]]:
    for record in names.split(b"\x01"):
        head, _, rest = record.partition(b"\0")
        if head.strip().isdigit():
            files = (os.fsdecode(name.lstrip(b"\n")) for name in rest.split(b"\0"))
            yield float(head), [name for name in files if name]


def _with_folders(name: str) -> Iterator[str]:
    while name:
        yield name
        name = os.path.dirname(name)
    yield "."


def _git(folder: str, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=False)
    except OSError:
        raise DockstrataError("git is needed to read the history, and was not found") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0].removeprefix("fatal: ") if said else "git failed"
        raise DockstrataError(f"its history cannot be read: {reason}", folder)
    return done.stdout
