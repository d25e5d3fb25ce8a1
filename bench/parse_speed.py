"""How long parsing takes, as a ratio to dockerfile-parse alone on the same files.

python bench/parse_speed.py DIRECTORY
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dockerfile_parse import DockerfileParser

from dockstrata.source import Source
from dockstrata.syntax.parse import parse

ROUNDS = 5


def ours(data: bytes) -> None:
    parse(Source.from_bytes("Dockerfile", data))


def alone(data: bytes) -> None:
    try:
        _structure = DockerfileParser(fileobj=io.BytesIO(data)).structure
    except UnicodeDecodeError:
        return


def best(function: Callable[[bytes], None], files: list[bytes]) -> float:
    seconds: list[float] = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for data in files:
            function(data)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> int:
    found = (path for path in sorted(Path(sys.argv[1]).rglob("*ockerfile*")) if path.is_file())
    files = [path.read_bytes() for path in found]
    mine, reference = best(ours, files), best(alone, files)
    print(
        f"{len(files)} files: {1000 * mine / len(files):.3f} ms a file, dockerfile-parse "
        f"{1000 * reference / len(files):.3f} ms, ratio {mine / reference:.2f}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
