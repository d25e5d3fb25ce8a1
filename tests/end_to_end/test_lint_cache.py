"""What a user sees is the same without results of earlier runs, as they are kept, and with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

FILES = {
    "bases/tools/Dockerfile": "# dockstrata base localhost/tools:latest\nFROM debian:12.5\n"
    'SHELL ["/bin/bash", "-c"]\nRUN useradd app\nUSER root\n',
    "api/Dockerfile": "FROM localhost/tools:latest\nRUN cd /srv && echo $HOME\nMAINTAINER jane\n",
    "web/Dockerfile": "from localhost/tools:latest as X\nRUN [[ -n $a ]] | sudo x\nWORKDIR app\n",
    "old/Dockerfile": "FROM debian:latest\n# dockstrata ignore=DL3004,DL9\nRUN sudo x\nADD a b\n",
    "bad/Dockerfile": "FROM debian:12.5\nRUNN x\nCOPY a\n",
    "crlf/Dockerfile": "FROM debian:12.5 AS B\r\nENV a=\udcff\r\nRUN apt-get install -y curl\r\n",
    "compose.yaml": "services:\n  api:\n    build: api\n    image: acme/api\n",
    "job/Dockerfile": "FROM acme/api\nUSER app\nRUN x `y`\n",
    ".hadolint.yaml": "ignored: [DL3057]\n",
}
ARGUMENTS = [
    *(["--format", name] for name in ("json", "sarif", "github", "gitlab", "checkstyle", "junit")),
    ["--show-source"],
    ["--select", "ALL", "--require-reason", "--verbose"],
    ["--statistics"],
    ["--diff"],
    ["--diff", "--unsafe-fixes"],
    ["--no-set", "--jobs", "2"],
    ["--baseline", "known.json"],
    ["--fix", "--unsafe-fixes", "--format", "json"],
]


def write(folder: Path) -> None:
    for path, text in FILES.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode("utf-8", "surrogateescape"))
    (folder / ".git").mkdir()


def lint(folder: Path, *arguments: str) -> tuple[int, bytes, bytes, dict[str, bytes]]:
    """Exit code, both streams, and the files afterwards."""
    done = subprocess.run(
        [sys.executable, "-m", "dockstrata", "lint", *arguments],
        cwd=folder,
        env={**os.environ, "XDG_CACHE_HOME": str(folder.parent / "cache")},
        capture_output=True,
        check=False,
    )
    files = {path: (folder / path).read_bytes() for path in FILES}
    return done.returncode, done.stdout, done.stderr, files


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=" ".join)
def test_same(tmp_path: Path, arguments: list[str]) -> None:
    seen = []
    for options in (["--no-cache"], [], [], []):
        folder = tmp_path / "work"
        shutil.rmtree(folder, ignore_errors=True)
        write(folder)
        if "--baseline" in arguments:
            lint(folder, "api", "--no-cache", "--baseline", "known.json", "--write-baseline")
        seen.append(lint(folder, *arguments, *options))
        assert (tmp_path / "cache").exists() == (not options)
    assert seen[0][0] == 1 or "--fix" in arguments
    assert b"Traceback" not in seen[0][2]
    assert all(each == seen[0] for each in seen[1:])


def test_several_runs_at_once(tmp_path: Path) -> None:
    """As pre-commit does it: parts of the files, side by side."""
    folder = tmp_path / "work"
    write(folder)
    paths = [path for path in FILES if path.endswith("Dockerfile")]
    parts = [paths[at::3] for at in range(3)] * 2
    without = [lint(folder, "--no-cache", "--format", "json", *part) for part in parts]
    for _ in range(2):
        with ThreadPoolExecutor(len(parts)) as pool:
            found = list(pool.map(lambda part: lint(folder, "--format", "json", *part), parts))
        assert found == without
