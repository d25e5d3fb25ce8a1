"""A piece of work in a process of its own, which ends at the n-th thing that it does to the disk.

The interpreter's own audit events tell of files that are made, renamed, removed, and given modes,
whoever asks for it; each write and ``fsync`` is counted besides. A process is killed just before a
thing is done, and in a write also half-way.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_EVENTS = frozenset(
    f"os.{name}"
    for name in ("remove", "rename", "mkdir", "rmdir", "chmod", "link", "symlink", "truncate")
)
_MAKES = os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Ended:
    """How a process came to its end, and what it printed. ``code`` is None where it was killed."""

    code: int | None
    out: str
    err: str


def ended(work: Callable[[], int], kill_at: int | None = None) -> Ended:
    """Do ``work``, which gives an exit code, in a fork of this process."""
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            if kill_at is not None:
                _Killer(kill_at).arm()
            code = 70
            with contextlib.suppress(BaseException):
                code = work()
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return Ended(None if code == -signal.SIGKILL else code, *texts)


class _Killer:
    """Kills its own process instead of the n-th thing."""

    def __init__(self, at: int):
        self.left = at

    def arm(self) -> None:
        sys.addaudithook(self.heard)
        sync = os.fsync

        def fsync(handle: Any) -> None:
            self.count()
            sync(handle)

        os.fsync = fsync
        opener = builtins.open

        def opened(file: Any, mode: str = "r", *more: Any, **named: Any) -> Any:
            made = opener(file, mode, *more, **named)
            return _Written(made, self) if set(mode) & set("wxa+") else made

        builtins.open = opened

    def heard(self, event: str, given: tuple[Any, ...]) -> None:
        if event in _EVENTS or (
            event == "open" and not isinstance(given[0], int) and (given[2] or 0) & _MAKES
        ):
            self.count()

    def count(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Written:
    """A file that is written: nothing of a piece, half of it, or all."""

    def __init__(self, file: Any, killer: _Killer):
        self.file, self.killer = file, killer

    def write(self, data: Any) -> int:
        self.killer.count()
        if self.killer.left == 1:
            self.file.write(data[: len(data) // 2])
            self.file.flush()
        self.killer.count()
        done: int = self.file.write(data)
        return done

    def __enter__(self) -> _Written:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)
