"""Runs ShellCheck: one process for many scripts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from dockstrata.errors import DockstrataError
from dockstrata.finding import Severity
from dockstrata.shellcheck.scripts import Comment, Place

# hadolint's choice as well: what ``.`` and ``source`` read is not there yet, and a RUN has no
# shebang that could be mended.
EXCLUDED = ("SC1090", "SC1091", "SC2187")
OPTIONS = ("--norc", "--format=json1", f"--exclude={','.join(EXCLUDED)}")


def version_of(program: str) -> str:
    """What ``shellcheck --version`` calls its version.

    Raises :class:`DockstrataError` where the program cannot be run.
    """
    output = _Process(program, ["--version"]).output().decode("utf-8", "replace")
    for line in output.splitlines():
        if line.startswith("version:"):
            return line.partition(":")[2].strip()
    raise DockstrataError("is no ShellCheck", program)


class Batch:
    """ShellCheck at work on scripts; it runs beside us until its comments are asked for."""

    def __init__(self, program: str, scripts: Sequence[str], processes: int = 1) -> None:
        import tempfile

        self.scripts = scripts
        self.folder = tempfile.TemporaryDirectory(prefix="dockstrata-")
        names = []
        for number, script in enumerate(scripts):
            path = os.path.join(self.folder.name, str(number))
            with open(path, "wb") as file:
                file.write(script.encode("utf-8", "surrogateescape"))
            names.append(path)
        self.processes = [
            _Process(program, [*OPTIONS, *names[first::processes]])
            for first in range(min(processes, len(names)))
        ]

    def comments(self) -> list[tuple[Comment, ...]]:
        """The comments on each script, in order of place.

        Raises :class:`DockstrataError` where ShellCheck fails.
        """
        import json

        found: list[list[Comment]] = [[] for _ in self.scripts]
        try:
            for process in self.processes:
                output = process.output()
                try:
                    entries = json.loads(output)["comments"]
                except (ValueError, KeyError, TypeError):
                    raise DockstrataError("ShellCheck's output is not JSON") from None
                for entry in entries:
                    number = int(os.path.basename(entry["file"]))
                    found[number].append(_comment(entry))
        finally:
            self.folder.cleanup()
        return [
            tuple(sorted(comments, key=lambda comment: comment.place[:2])) for comments in found
        ]


def _comment(entry: Mapping[str, Any]) -> Comment:
    replacements = (entry.get("fix") or {}).get("replacements", ())
    return Comment(
        entry["code"],
        Severity[entry["level"].upper()],
        entry["message"],
        _place(entry),
        tuple((_place(item), item["replacement"]) for item in replacements),
    )


def _place(entry: Mapping[str, Any]) -> Place:
    return entry["line"], entry["column"], entry["endLine"], entry["endColumn"]


class _Process:
    """A program whose output is read later.

    ``subprocess`` takes longer to import than ShellCheck needs for a Dockerfile: it is left to
    systems that have no ``posix_spawn``.
    """

    def __init__(self, program: str, arguments: Sequence[str]) -> None:
        self.program = program
        environment = {k: v for k, v in os.environ.items() if k != "SHELLCHECK_OPTS"}
        command = [program, *arguments]
        self.child = None
        try:
            if not hasattr(os, "posix_spawn"):
                import subprocess

                self.child = subprocess.Popen(
                    command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=environment
                )
                return
            self.reader, writer = os.pipe()
            try:
                self.pid = os.posix_spawn(
                    program,
                    command,
                    environment,
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                        (os.POSIX_SPAWN_DUP2, writer, 1),
                    ],
                )
            finally:
                os.close(writer)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise DockstrataError(f"cannot be run: {reason}", program) from None

    def output(self) -> bytes:
        if self.child is not None:
            output, _ = self.child.communicate()
            code = self.child.returncode
        else:
            with open(self.reader, "rb") as pipe:
                output = pipe.read()
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        # 1: there are comments.
        if code not in (0, 1):
            raise DockstrataError(f"failed with exit code {code}", self.program)
        return output
