"""``dockstrata apply`` killed at everything that it does to the disk, on real sets.

    python bench/kill_writes.py FOLDER... [--apply=--include-generated] [--without-git]

``FOLDER`` holds one repository. It is copied and committed. The command runs again and again in a
process of its own, killed at the first file that it makes, writes, syncs, renames, removes or gives
a mode, at the second, and so on until it ends by itself. After each kill the command as it is must

* with ``--check`` say that an earlier one was cut off, and change nothing;
* say which files it put right: those that the kill left changed, and no others;
* leave the set as it is after an ``apply`` that nobody killed; another then changes nothing;
* with ``--undo`` give every byte, mode and folder back, and leave no file of its own.

``--undo`` is killed in the same way, and continued by ``--undo`` and by ``apply``; so is the
recovery itself, behind some of the kills. Then all is done once more where files are removed too:
all images but one of each new base are taken out of the refactored set, and ``apply`` puts the
bases into those that are left.

Planning is done once for each state of the set, all else each time.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from build_apart import run
from build_outcome import Outcome, report
from killed_process import Ended, ended
from refactored_copy import applied

import dockstrata.cli.apply as apply_command
from dockstrata.cli.main import main as dockstrata
from dockstrata.load.context import forget_contexts
from dockstrata.rewrite import journal, refactor

_RESTORED = re.compile(
    r"^note: an earlier .+? was cut off: (.*) is (again as it was|gone again)$", re.MULTILINE
)

Tree = dict[str, tuple[str, int, str]]
"""Kind, mode and content (a digest, or where a link leads) by path, folders too."""


def tree(folder: Path) -> Tree:
    """Everything in a folder but git's own and the journal's."""
    seen: Tree = {}
    below = [""]
    while below:
        prefix = below.pop()
        with os.scandir(folder / prefix) as entries:
            for entry in entries:
                if entry.name in (".git", journal.FOLDER):
                    continue
                path = prefix + entry.name
                told = entry.stat(follow_symlinks=False)
                if entry.is_symlink():
                    kind, content = "link", os.readlink(entry)
                elif entry.is_dir():
                    kind, content = "folder", ""
                    below.append(f"{path}/")
                else:
                    kind, content = "file", _digest(entry.path, told)
                seen[path] = (kind, told.st_mode & 0o7777, content)
    return seen


def _digest(path: str, told: os.stat_result) -> str:
    """Of a file's bytes; they are read anew where the file is another, or was touched at all."""
    key = (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns)
    if key not in _digests:
        _digests[key] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return _digests[key]


_digests: dict[tuple[int, ...], str] = {}


def changes(one: Tree, other: Tree) -> set[str]:
    """The paths of files, not of folders, that are not the same in two states."""
    return {
        path
        for path in {*one, *other}
        if one.get(path) != other.get(path) and (one.get(path) or other[path])[0] != "folder"
    }


class Plans:
    """What was read and planned for a state of the set; forks of this process share it."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[Any, Any]] = {}
        self.read, self.refactor = apply_command.read, refactor.refactor
        self.now = ""
        apply_command.read = self.planned_read
        refactor.refactor = self.planned

    def planned_read(self, **given: Any) -> Any:
        self.now = hashlib.sha256(repr((sorted(tree(Path()).items()), given)).encode()).hexdigest()
        if self.now not in self.known:
            forget_contexts()
            repository, asked = self.read(**given)
            self.known[self.now] = (repository, asked), self.refactor(repository, asked)
        return self.known[self.now][0]

    def planned(self, *_: Any) -> Any:
        return self.known[self.now][1]


@dataclass
class Trial:
    """One ``apply`` on a committed set, which is the working directory."""

    folder: Path
    options: list[str]
    recoveries: int
    outcome: Outcome
    what: str
    before: Tree = field(default_factory=dict)
    after: Tree = field(default_factory=dict)

    def go(self) -> None:
        self.before = tree(self.folder)
        # Once in this process, so that the forks have the plans of both states.
        quiet(["apply", *self.options])
        self.after = tree(self.folder)
        if self.after == self.before:
            self.outcome.counts["sets with nothing to change"] += 1
            return
        quiet(["apply", *self.options])
        if tree(self.folder) != self.after:
            self.fail("a second apply changes something")
        self.undone("undo")
        differ = changes(self.before, self.after)
        gone = differ - self.after.keys()
        self.outcome.counts[f"{self.what}: files written"] += len(differ - gone)
        self.outcome.counts[f"{self.what}: files removed"] += len(gone)
        for at in self.some(self.kill_apply()):
            self.kill_recovery("apply", at)
        for at in self.some(self.kill_undo(["--undo"])):
            self.kill_recovery("undo", at)
        self.kill_undo(self.options)

    def some(self, kills: list[int]) -> list[int]:
        """A few of them, from all over."""
        step = -(-len(kills) // self.recoveries) if kills and self.recoveries else 0
        return kills[step // 2 :: step] if step else []

    def kill_apply(self) -> list[int]:
        """Kill ``apply`` everywhere; the kills that left something to restore."""
        worth: list[int] = []
        for at in count(1):
            done = self.run(self.options, at)
            if done.code is not None:
                self.expect(done.code == 0, f"apply, not killed ({at})", done)
                break
            self.outcome.counts[f"{self.what}: apply killed"] += 1
            if self.continued(f"apply killed at {at}", self.options):
                worth.append(at)
            self.undone(f"apply killed at {at}")
        self.undone("apply, not killed")
        return worth

    def kill_undo(self, then: list[str]) -> list[int]:
        """Kill ``--undo`` everywhere, and go on with ``--undo`` or ``apply``."""
        worth: list[int] = []
        for at in count(1):
            self.run(self.options)
            done = self.run(["--undo"], at)
            what = f"undo killed at {at}, then {' '.join(then)}"
            if done.code is not None:
                self.expect(done.code == 0 and tree(self.folder) == self.before, what, done)
                break
            self.outcome.counts[f"{self.what}: undo killed"] += 1
            now = tree(self.folder)
            if then == ["--undo"]:
                if now not in (self.before, self.after):
                    worth.append(at)
                done = self.run(then)
                there = done.code == 0 or "nothing to undo" in done.err
                self.expect(there and tree(self.folder) == self.before, what, done)
                self.clean(what)
            else:
                self.continued(what, then)
                self.undone(what)
        return worth

    def kill_recovery(self, first: str, at: int) -> None:
        """Kill ``apply`` everywhere behind a kill of ``apply`` or ``--undo``."""
        for again in count(1):
            if first == "undo":
                self.run(self.options)
            self.run(["--undo"] if first == "undo" else self.options, at)
            done = self.run(self.options, again, recovery_alone=True)
            if done.code is not None:
                self.undone(f"{first} killed at {at}, recovered")
                break
            self.outcome.counts[f"{self.what}: recovery killed"] += 1
            what = f"{first} killed at {at}, recovery at {again}"
            self.continued(what, self.options)
            self.undone(what)

    def continued(self, what: str, options: list[str]) -> bool:
        """The command behind a kill; whether it had something to restore."""
        now = tree(self.folder)
        state = "before" if now == self.before else "after" if now == self.after else "between"
        self.outcome.counts[f"{self.what}: left {state}"] += 1
        if state == "between":
            done = self.run(["--check", *options])
            said = done.code == 2 and "cut off" in done.err
            self.expect(said and tree(self.folder) == now, f"{what}: what a check says", done)
        done = self.run(options)
        self.expect(done.code == 0 and tree(self.folder) == self.after, what, done)
        found = [(os.path.normpath(path), how) for path, how in _RESTORED.findall(done.err)]
        right = all((how == "gone again") == (path not in self.before) for path, how in found)
        self.expect(right, f"{what}: what became of each", done)
        told = {path for path, _ in found}
        if "Nothing to change." in done.out:
            self.expect(state == "after" and not told, f"{what}: what was said", done)
        else:
            # What is neither old nor new is a file of its own beside its place, and goes unsaid.
            left = changes(now, self.before) & {*self.before, *self.after}
            self.expect(told == left, f"{what}: it says {sorted(told)}, not {sorted(left)}", done)
        again = self.run(options)
        self.expect("Nothing to change." in again.out, f"{what}: a further apply", again)
        return bool(told)

    def undone(self, what: str) -> None:
        """``--undo``, unless nothing was written: then the set must be as it was anyway."""
        done = self.run(["--undo"])
        there = done.code == 0 or "nothing to undo" in done.err
        self.expect(there and tree(self.folder) == self.before, f"{what}: undone", done)
        self.clean(what)

    def clean(self, what: str) -> None:
        left = [self.folder / journal.FOLDER, self.folder / ".git/dockstrata"]
        self.expect(not any(map(os.path.lexists, left)), f"{what}: a journal is left")

    def run(
        self, options: list[str], kill_at: int | None = None, recovery_alone: bool = False
    ) -> Ended:
        def work() -> int:
            if recovery_alone:
                apply_command.read = lambda **_: sys.exit(0)
            return in_process(["apply", *options])

        return ended(work, kill_at)

    def expect(self, holds: bool, what: str, done: Ended | None = None) -> None:
        self.outcome.counts["checks"] += 1
        if not holds:
            self.fail(what, done)

    def fail(self, what: str, done: Ended | None = None) -> None:
        said = f": {done.code}, {done.out[-300:]!r}, {done.err[-300:]!r}" if done else ""
        self.outcome.failures.append(f"{self.what}: {what}{said}")
        raise _FailedError


class _FailedError(Exception):
    """A trial that cannot go on: nobody knows what state its set is in."""


def in_process(words: list[str]) -> int:
    """The command in this process; its exit code."""
    try:
        code = dockstrata(words)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    return code or 0


def quiet(words: list[str]) -> None:
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        in_process(words)


def one_left(folder: Path) -> bool:
    """Remove all images but one of each base, and commit; whether there was one to remove."""
    removed = False
    for base in sorted((folder / "bases").glob("*/Dockerfile")):
        name = f"FROM localhost/{base.parent.name}".encode()
        on = [
            path
            for path in run("git", "ls-files", "-z", folder=folder).stdout.split("\0")[:-1]
            if (folder / path).is_file() and _names(folder / path, name)
        ]
        for path in sorted(on)[1:]:
            if not path.startswith("bases/"):
                (folder / path).unlink()
                removed = True
    return removed


def _names(path: Path, base: bytes) -> bool:
    return re.search(re.escape(base) + rb"[:\s]", path.read_bytes()) is not None


def commit(folder: Path) -> None:
    name = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for command in (["add", "--all", "--force"], ["commit", "-qm", "next"]):
        run("git", *name, *command, folder=folder)
    shutil.rmtree(folder / ".git/dockstrata", ignore_errors=True)


def trials(folder: Path, top: Path, options: list[str]) -> Iterator[tuple[str, Path]]:
    """The set as it is, and as it is refactored with one image left on each base."""
    first = applied(folder, top / "first", options)
    again = shutil.copytree(first, top / "again", symlinks=True)
    run(sys.executable, "-m", "dockstrata", "apply", "--undo", folder=first)
    yield "apply", first
    commit(again)
    if one_left(again):
        commit(again)
        yield "apply that removes", again


def check(folder: Path, chosen: argparse.Namespace) -> Outcome:
    outcome = Outcome()
    here = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="killed-") as name:
        top = Path(name).resolve()
        for what, place in trials(folder, top, chosen.apply):
            if chosen.without_git:
                shutil.rmtree(place / ".git")
            os.chdir(place)
            try:
                Trial(place, chosen.apply, chosen.recoveries, outcome, what).go()
            except _FailedError:
                if chosen.keep:
                    shutil.copytree(place, chosen.keep / f"{folder.name}-{what}", symlinks=True)
            finally:
                os.chdir(here)
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--apply", action="append", default=[], help="an option for apply")
    parser.add_argument(
        "--without-git", action="store_true", help="take git's folder away, so that none is there"
    )
    parser.add_argument(
        "--recoveries", type=int, default=12, help="kills behind which the recovery is killed too"
    )
    parser.add_argument("--keep", type=Path, help="where to copy a set that fails")
    chosen = parser.parse_args()
    Plans()
    report(chosen.folders, lambda folder: check(folder, chosen))


if __name__ == "__main__":
    main()
