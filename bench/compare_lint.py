"""How far dockstrata, hadolint and BuildKit's own checks agree, rule by rule.

    python bench/compare_lint.py CORPUS [--checks checks.jsonl.gz] [--hadolint hadolint]
                                        [--differences RULE]

CORPUS is a folder with Dockerfiles. ``--checks`` has what BuildKit says of each, one JSON object
a line: ``file`` relative to CORPUS, ``warnings`` with ``rule`` and ``line``, ``error``. Two tools
agree where they report one rule at one line of one file. Files that the other tool cannot read
are left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dockstrata.checker import Checker, Options
from dockstrata.load.discover import discover
from dockstrata.registry import load_registry
from dockstrata.selection import Selection
from dockstrata.source import Source

Place = tuple[str, int]


@dataclass
class Judge:
    """What another tool reports: places by rule, and the files that it cannot read."""

    name: str
    places: dict[str, set[Place]] = field(default_factory=lambda: defaultdict(set))
    unread: set[str] = field(default_factory=set)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("corpus")
    parser.add_argument("--checks", help="BuildKit's checks of the corpus")
    parser.add_argument("--hadolint", default="hadolint", help="the program; empty: leave it out")
    parser.add_argument("--differences", metavar="RULE", help="list where one rule disagrees")
    options = parser.parse_args()
    checks = os.path.abspath(options.checks) if options.checks else None
    os.chdir(options.corpus)
    judges = []
    files: Sequence[str]
    if checks:
        judges.append(buildkit(checks))
        with gzip.open(checks, "rt", encoding="utf-8") as lines:
            files = [json.loads(line)["file"] for line in lines]
    else:
        files = discover(["."], respect_ignore=False).files
    if options.hadolint:
        judges.append(hadolint(options.hadolint, files))
    ours = dockstrata(files)
    if options.differences:
        for judge in judges:
            for line in differences(ours, judge, options.differences):
                print(line)
        return 0
    for judge in judges:
        print(f"## {judge.name}\n")
        print("| rule | theirs | ours | both | recall | precision |")
        print("|---|---|---|---|---|---|")
        for row in rows(ours, judge):
            print(row)
        print()
    return 0


def dockstrata(files: Iterable[str]) -> dict[str, set[Place]]:
    """Our findings by code and alias, the rules that are off by default too."""
    checker = Checker(load_registry(), Options(Selection((("ALL", 1),))))
    found: dict[str, set[Place]] = defaultdict(set)
    for path in files:
        with open(path, "rb") as file:
            checked = checker.check(Source.from_bytes(path, file.read()))
        for failure in checked.failures:
            print(failure.traceback, file=sys.stderr)
        for finding in checker.finish(checked):
            for code in (finding.code, *finding.aliases):
                found[code].add((path, finding.location.line))
    return found


def buildkit(path: str) -> Judge:
    judge = Judge("BuildKit")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            for warning in entry["warnings"] or []:
                judge.places[warning["rule"]].add((entry["file"], warning["line"]))
            # BuildKit stops at an error; what it said until then still counts.
            if entry.get("error") and not entry["warnings"]:
                judge.unread.add(entry["file"])
    return judge


def hadolint(program: str, files: Sequence[str]) -> Judge:
    judge = Judge("hadolint")
    for start in range(0, len(files), 100):
        command = [program, "--no-fail", "-f", "json", *files[start : start + 100]]
        output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        for entry in json.loads(output):
            if entry["code"] == "DL1000":
                judge.unread.add(entry["file"])
            elif entry["code"].startswith("DL"):
                judge.places[entry["code"]].add((entry["file"], entry["line"]))
    return judge


def rows(ours: dict[str, set[Place]], judge: Judge) -> Iterator[str]:
    for rule in sorted(judge.places, key=lambda rule: -len(judge.places[rule])):
        mine, theirs = _both(ours, judge, rule)
        if not theirs:
            continue
        both = len(mine & theirs)
        recall = f"{both / len(theirs):.1%}"
        precision = f"{both / len(mine):.1%}" if mine else "-"
        yield f"| {rule} | {len(theirs)} | {len(mine)} | {both} | {recall} | {precision} |"


def differences(ours: dict[str, set[Place]], judge: Judge, rule: str) -> Iterator[str]:
    mine, theirs = _both(ours, judge, rule)
    for path, line in sorted(mine - theirs):
        yield f"{path}:{line} {rule}: dockstrata alone, not {judge.name}"
    for path, line in sorted(theirs - mine):
        yield f"{path}:{line} {rule}: {judge.name} alone"


def _both(ours: dict[str, set[Place]], judge: Judge, rule: str) -> tuple[set[Place], set[Place]]:
    mine = {place for place in ours[rule] if place[0] not in judge.unread}
    return mine, {place for place in judge.places[rule] if place[0] not in judge.unread}


if __name__ == "__main__":
    sys.exit(main())
