"""Writes the output of commands into the documents: ``python docs/blocks.py``, ``--check`` for CI.

A block is a line ``<!-- run FOLDER: COMMAND -->`` and the fenced block below it. FOLDER is one of
``examples/``; each document has its own copy of it, in which its commands run one after another.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = ("README.md", "docs/plan.md")
_BLOCK = re.compile(
    r"(<!-- run (?P<folder>\w+): (?P<command>[^\n]+) -->\n)```(?:\w*)\n.*?^```$", re.S | re.M
)


def fresh(document: str) -> str:
    """The text of a document with every block as its command prints it now."""
    text = (ROOT / document).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:

        def run(match: re.Match[str]) -> str:
            folder = Path(scratch, match["folder"])
            if not folder.exists():
                shutil.copytree(ROOT / "examples" / match["folder"], folder)
            return match[1] + _fenced(match["command"], folder)

        return _BLOCK.sub(run, text)


def _fenced(command: str, folder: Path) -> str:
    program, *arguments = command.split()
    if program == "cat":
        found = sorted(folder.glob(arguments[0]))
        shown = found[0].read_text(encoding="utf-8") if found else f"no {arguments[0]}\n"
        return f"```dockerfile\n{shown}```"
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command}: {done.stdout}")
    code = f"[exit code {done.returncode}]\n" if done.returncode else ""
    return f"```text\n$ {command}\n{done.stdout}{code}```"


def main(arguments: list[str]) -> int:
    stale = []
    for document in DOCUMENTS:
        path, text = ROOT / document, fresh(document)
        if path.read_text(encoding="utf-8") != text:
            stale.append(document)
            if "--check" not in arguments:
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in arguments:
        print(f"stale: {', '.join(stale)}; python docs/blocks.py writes them", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
