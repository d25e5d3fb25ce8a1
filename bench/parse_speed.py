"""How long parsing and meaning take, as ratios to dockerfile-parse alone on the same files.

python bench/parse_speed.py DIRECTORY

Two ways: each document dropped before the next is read, and all of them kept, as a run over a
repository keeps them. The second depends on how often Python looks for garbage, so it is measured
with Python's own settings and with those of the command line.
"""

from __future__ import annotations

import gc
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dockerfile_parse import DockerfileParser

from dockstrata.cli.main import GC_THRESHOLDS
from dockstrata.meaning.evaluate import evaluate
from dockstrata.source import Source
from dockstrata.syntax.parse import parse

ROUNDS = 5


def alone(data: bytes) -> object:
    try:
        return DockerfileParser(fileobj=io.BytesIO(data)).structure
    except UnicodeDecodeError:
        return None


def parsed(data: bytes) -> object:
    return parse(Source.from_bytes("Dockerfile", data))


def evaluated(data: bytes) -> object:
    return evaluate(parse(Source.from_bytes("Dockerfile", data)))


def once(function: Callable[[bytes], object], files: list[bytes], keep: bool) -> float:
    """Processor seconds for all files."""
    gc.collect()
    kept: list[object] = []
    start = time.process_time()
    for data in files:
        result = function(data)
        if keep:
            kept.append(result)
    return time.process_time() - start


def report(title: str, files: list[bytes], keep: bool) -> None:
    functions = (alone, parsed, evaluated)
    rounds = [[once(function, files, keep) for function in functions] for _ in range(ROUNDS)]
    reference, parser, both = (min(seconds) for seconds in zip(*rounds, strict=True))
    print(
        f"{title}: dockerfile-parse {1000 * reference / len(files):.3f} ms a file; parser "
        f"{parser / reference:.2f} times that, parser and meaning {both / reference:.2f}"
    )


def main() -> int:
    found = (path for path in sorted(Path(sys.argv[1]).rglob("*ockerfile*")) if path.is_file())
    files = [path.read_bytes() for path in found]
    print(f"{len(files)} files, best of {ROUNDS}")
    report("each dropped", files, keep=False)
    report("all kept, Python's garbage collector", files, keep=True)
    gc.set_threshold(*GC_THRESHOLDS)
    report("all kept, the command line's", files, keep=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
