"""Lints the same files with dockstrata and hadolint in one run, and reports the ratios.

    python bench/lint_speed.py CORPUS [--files 1000] [--rounds 3] [--jobs 2] [--hadolint hadolint]

Every way takes its turn in each round; the best round of each counts. ``cold`` has nothing cached
on disk, ``warm`` has the results of the round before. Rules about the set, which hadolint does not
have, run where it says so. ``one`` is a single small file as a whole process. Seconds are
wall-clock time; CPU seconds are those of all processes and tell more where the machine is busy.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from dockstrata.load.discover import discover

LINT = (sys.executable, "-m", "dockstrata", "lint", "--no-config", "--quiet")
OURS = (*LINT, "--no-set")
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
    best: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        small, run = Path(folder, "small.Dockerfile"), Path(folder, "run.Dockerfile")
        small.write_text(SMALL)
        run.write_text(RUN)
        environment = {**os.environ, "XDG_CACHE_HOME": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody installs it so
        ways: dict[str, Sequence[str]] = {
            "hadolint": (options.hadolint, "--no-fail", *files),
            "without ShellCheck, cold": (*OURS, *jobs, "--no-cache", "--no-shellcheck", *files),
            "without ShellCheck, warm": (*OURS, *jobs, "--no-shellcheck", *files),
            "with ShellCheck, cold": (*OURS, *jobs, "--no-cache", *files),
            "with ShellCheck, warm": (*OURS, *jobs, *files),
            "with ShellCheck and set, cold": (*LINT, *jobs, "--no-cache", *files),
            "with ShellCheck and set, warm": (*LINT, *jobs, *files),
            "one file, hadolint": (options.hadolint, "--no-fail", str(run)),
            "one file, cold": (*LINT, "--no-cache", "--no-shellcheck", str(small)),
            "one file with a RUN, cold": (*LINT, "--no-cache", "--no-shellcheck", str(run)),
            "one file with a RUN, warm": (*LINT, "--no-shellcheck", str(run)),
            "one file with a RUN, ShellCheck, cold": (*LINT, "--no-cache", str(run)),
            "one file with a RUN, ShellCheck, warm": (*LINT, str(run)),
        }
        for name, command in ways.items():
            if "warm" in name:
                spent(command, environment)
        for _ in range(options.rounds):
            for name, command in ways.items():
                rounds = range(7 if "one" in name else 1)
                best.setdefault(name, []).extend(spent(command, environment) for _ in rounds)
    print(f"{len(files)} files, {options.jobs} processes, best of {options.rounds} rounds\n")
    print("| | seconds | times as fast as hadolint | CPU seconds | times |")
    print("|---|---|---|---|---|")
    for name, times in best.items():
        reference = best["one file, hadolint" if name.startswith("one") else "hadolint"]
        columns = []
        for number in (0, 1):
            least, theirs = (min(each[number] for each in of) for of in (times, reference))
            columns.append(f"{least:.3f} | {theirs / least:.2f}")
        print(f"| {name} | {' | '.join(columns)} |")
    return 0


def spent(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """Seconds on the clock, and on all processors together."""
    start, before = time.perf_counter(), _processors()
    subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return time.perf_counter() - start, _processors() - before


def _processors() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
