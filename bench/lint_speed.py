"""Lints the same files with dockstrata and hadolint in one run, and reports the ratios.

    python bench/lint_speed.py CORPUS [--files 1000] [--rounds 3] [--jobs 2] [--hadolint hadolint]

Every way takes its turn in each round; the best round of each counts. ``cold`` has nothing cached
on disk, ``warm`` has ShellCheck's answers of the round before. ``one`` is a single small file as a
whole process.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from dockstrata.load.discover import discover

OURS = (sys.executable, "-m", "dockstrata", "lint", "--no-set", "--no-config", "--quiet")
SMALL = 'FROM debian:12.5\nWORKDIR /srv\nCOPY app /srv/app\nUSER 1000\nCMD ["/srv/app"]\n'
RUN = 'FROM debian:12.5\nRUN useradd app && echo $HOME\nUSER 1000\nCMD ["/srv/app"]\n'


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("corpus")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--hadolint", default="hadolint")
    options = parser.parse_args()
    os.chdir(options.corpus)
    files = discover(["."], respect_ignore=False).files[: options.files]
    jobs = ("--jobs", str(options.jobs))
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        small, run = Path(folder, "small.Dockerfile"), Path(folder, "run.Dockerfile")
        small.write_text(SMALL)
        run.write_text(RUN)
        cache = {**os.environ, "XDG_CACHE_HOME": folder}
        ways: dict[str, Sequence[str]] = {
            "hadolint": (options.hadolint, "--no-fail", *files),
            "without ShellCheck": (*OURS, *jobs, "--no-shellcheck", *files),
            "with ShellCheck, cold": (*OURS, *jobs, "--no-cache", *files),
            "with ShellCheck, warm": (*OURS, *jobs, *files),
            "one file": (*OURS, "--no-shellcheck", str(small)),
            "one file with a RUN": (*OURS, "--no-shellcheck", str(run)),
            "one file with a RUN, ShellCheck cold": (*OURS, "--no-cache", str(run)),
            "one file with a RUN, ShellCheck warm": (*OURS, str(run)),
            "one file, hadolint": (options.hadolint, "--no-fail", str(run)),
        }
        for name in ("with ShellCheck, warm", "one file with a RUN, ShellCheck warm"):
            seconds(ways[name], cache)
        for _ in range(options.rounds):
            for name, command in ways.items():
                times = [seconds(command, cache) for _ in range(5 if "one" in name else 1)]
                best[name] = min([best.get(name, times[0]), *times])
    print(f"{len(files)} files, {options.jobs} processes, best of {options.rounds} rounds\n")
    print("| | seconds | times as fast as hadolint |")
    print("|---|---|---|")
    for name, spent in best.items():
        reference = best["one file, hadolint" if name.startswith("one") else "hadolint"]
        print(f"| {name} | {spent:.3f} | {reference / spent:.1f} |")
    return 0


def seconds(command: Sequence[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
