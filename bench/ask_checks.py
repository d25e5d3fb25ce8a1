"""What BuildKit's own checks say of every Dockerfile below a folder, asked without the network.

    python bench/ask_checks.py CORPUS checks.jsonl.gz [--own-context] [--jobs 2]

``docker buildx build --call=check`` is asked of each file, experimental checks included. Every root
image, and every image that a COPY or a mount takes from, is a named context without files, so that
nothing is fetched and no image sets a variable. Arguments have their defaults; where a FROM is no
name without, those of it get a value. Lines that name a frontend are left out, for none can be
fetched. The context is empty, or with ``--own-context`` the Dockerfile's folder, whose ignore file
then counts.

The result is for ``compare_lint.py --checks``: one JSON object a line, ``file`` relative to CORPUS,
``warnings`` with ``rule``, ``line`` and ``detail``, and ``error``, at which BuildKit stopped.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from build_apart import run

from dockstrata.load.discover import discover
from dockstrata.source import Source
from dockstrata.syntax.parse import parse

_FRONTEND = re.compile(rb"(?i)^#[ \t]*syntax[ \t]*=")
_DIRECTIVE = re.compile(rb"^#[ \t]*[a-zA-Z][\w-]*[ \t]*=")
_IMAGE = re.compile(r"(?:load|resolve source) metadata for (\S+?):?(?:\s|$)")
_VARIABLE = re.compile(r"\$\{?(\w+)")
_GIVEN = "stand-in"
_ROUNDS = 40


@dataclass
class Question:
    """A Dockerfile without its frontend, and what the build is given besides."""

    folder: Path
    name: str
    context: Path
    left_out: int
    """Lines, all before the first instruction."""
    checks: str
    images: dict[str, None] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.folder / self.name

    def answer(self) -> dict[str, Any]:
        """BuildKit's, once nothing that can be given is missing."""
        for _ in range(_ROUNDS):
            found, progress = self._ask()
            if found is None:
                return {"warnings": [], "error": progress.strip().splitlines()[-1]}
            error = found.get("buildError") or {}
            if not self._give(error, progress):
                break
        return {
            "warnings": [
                {
                    "rule": warning["ruleName"],
                    "line": _line(warning) + self.left_out,
                    "detail": warning.get("detail", ""),
                }
                for warning in found.get("warnings") or []
            ],
            "error": error.get("message"),
        }

    def _ask(self) -> tuple[dict[str, Any] | None, str]:
        """What is printed as JSON, if any, and what as progress."""
        nothing = self.folder / "nothing"
        given = [
            *(word for name in self.images for word in ("--build-context", f"{name}={nothing}")),
            *(
                word
                for name, value in self.arguments.items()
                for word in ("--build-arg", f"{name}={value}")
            ),
        ]
        given += ("--build-arg", f"BUILDKIT_DOCKERFILE_CHECK={self.checks}")
        asked = ("docker", "buildx", "build", "--call=check,format=json", "--progress=plain")
        done = run(*asked, *given, "--file", self.file, self.context)
        try:
            return json.loads(done.stdout), done.stderr
        except ValueError:
            return None, done.stderr or done.stdout or "no answer"

    def _give(self, error: dict[str, Any], progress: str) -> bool:
        """Add what the error says is missing; whether there was something."""
        message = error.get("message", "")
        before = len(self.images) + len(self.arguments)
        if "source metadata" in message:
            for match in _IMAGE.finditer(f"{progress}\n{message}"):
                self.images[match[1]] = None
        elif error:
            lines = self.file.read_text(encoding="utf-8", errors="replace").split("\n")
            text = lines[_line(error) - 1] if _line(error) else ""
            if text.lstrip().upper().startswith("FROM"):
                for word in text.split():
                    value = "linux/amd64" if word.startswith("--platform") else _GIVEN
                    for name in _VARIABLE.findall(word):
                        self.arguments.setdefault(name, value)
        return len(self.images) + len(self.arguments) > before


def _line(entry: dict[str, Any]) -> int:
    """The first line of a place, 0 where there is none."""
    ranges = entry.get("location", {}).get("ranges") or [{"start": {"line": 0}}]
    line: int = ranges[0]["start"]["line"]
    return line


def without_frontend(data: bytes) -> tuple[bytes, int]:
    """The text less the directives that name a frontend; how many lines went."""
    lines = data.split(b"\n")
    kept: list[bytes] = []
    for number, line in enumerate(lines):
        if not _DIRECTIVE.match(line):
            kept += lines[number:]
            break
        if not _FRONTEND.match(line):
            kept.append(line)
    return b"\n".join(kept), len(lines) - len(kept)


def ask(own_context: bool, path: str) -> dict[str, Any]:
    """``path`` is relative to the working directory."""
    source = Path(path)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "nothing").mkdir()
        text, left_out = without_frontend(source.read_bytes())
        (folder / source.name).write_bytes(text)
        own = parse(Source.from_bytes(path, text)).directive("check")
        # What a build is given for it takes the place of the directive.
        checks = f"{own.value};experimental=all" if own else "experimental=all"
        context = folder / "nothing"
        if own_context:
            context = source.parent
            ignore = source.with_name(source.name + ".dockerignore")
            if ignore.is_file():
                shutil.copy(ignore, folder)
        question = Question(folder, source.name, context, left_out, checks)
        return {"file": path, **question.answer()}


def write(path: Path, answers: Iterable[dict[str, Any]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as out:
        for number, answer in enumerate(answers, 1):
            out.write(json.dumps(answer, sort_keys=True) + "\n")
            if number % 100 == 0:
                print(number, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("checks", type=Path)
    parser.add_argument("--own-context", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    checks = options.checks.resolve()
    os.chdir(options.corpus)
    files = discover(["."], respect_ignore=False).files
    with ThreadPoolExecutor(options.jobs) as pool:
        write(checks, pool.map(partial(ask, options.own_context), files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
