"""How far dockstrata, hadolint and BuildKit's own checks agree, rule by rule.

    python bench/compare_lint.py CORPUS [--checks checks.jsonl.gz] [--hadolint hadolint]
                                        [--differences RULE]

CORPUS is a folder with Dockerfiles. ``--checks`` has what BuildKit says of each, one JSON object
a line: ``file`` relative to CORPUS, ``warnings`` with ``rule`` and ``line``, ``error``. Two tools
agree where they report one rule at one line of one file. Files that the other tool cannot read
are left out; where it stops at an error, what it said until then counts, and what we say besides
does not.

hadolint gives ShellCheck's findings the line of their RUN, and of each RUN only the one that stands
last: recall asks whether we have that one too, precision whether what stands last with us is
theirs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dockstrata.checker import Checker, Options
from dockstrata.finding import Finding
from dockstrata.load.discover import discover
from dockstrata.registry import load_registry
from dockstrata.selection import Selection
from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse

Place = tuple[str, int]
Found = dict[str, set[Place]]
"""Places by rule."""


@dataclass
class Judge:
    """What another tool reports: places by rule; what it cannot read, or not to its end."""

    name: str
    places: Found = field(default_factory=lambda: defaultdict(set))
    unread: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)

    def rules(self, ours: Found) -> list[str]:
        """The rules that are the tool's own, those that we alone have findings of too."""
        own = re.compile(r"(DL|SC)\d+" if self.name == "hadolint" else "[A-Za-z]+")
        found = {rule for rule in (*self.places, *ours) if own.fullmatch(rule)}
        return sorted(found, key=lambda rule: (-len(self.places[rule]), rule))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("corpus")
    parser.add_argument("--checks", help="BuildKit's checks of the corpus")
    parser.add_argument("--hadolint", default="hadolint", help="the program; empty: leave it out")
    parser.add_argument(
        "--differences", metavar="RULE", help="list where one rule disagrees; or ALL"
    )
    parser.add_argument("--no-shellcheck", action="store_true", help="leave ShellCheck out")
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
        judges.append(hadolint(options.hadolint, files, off=("DL1001", "DL3057")))
    ours = dockstrata(files, not options.no_shellcheck)
    if options.differences:
        for judge in judges:
            every = options.differences == "ALL"
            for rule in judge.rules(ours) if every else [options.differences]:
                for line in differences(ours, judge, rule):
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


LAST = " last"
"""After a ShellCheck code: the places where it stands last in its RUN."""


def dockstrata(files: Sequence[str], shellcheck: bool = True) -> Found:
    """Our findings by code and alias, the rules that are off by default too."""
    options = Options(Selection((("ALL", 1),)), shellcheck=shellcheck)
    checker = Checker(load_registry(), options)
    found: Found = defaultdict(set)
    for start in range(0, len(files), 100):
        sources = []
        for path in files[start : start + 100]:
            with open(path, "rb") as file:
                sources.append(Source.from_bytes(path, file.read()))
        for checked in checker.check_all(sources):
            for failure in checked.failures:
                print(failure.traceback, file=sys.stderr)
            findings = checker.finish(checked)
            path = checked.source.path
            for finding in findings:
                for code in (finding.code, *finding.aliases):
                    found[code].add((path, finding.location.line))
            by_run(parse(checked.source), findings, found)
    return found


def by_run(document: Document, findings: Sequence[Finding], found: Found) -> None:
    """Give ShellCheck's findings the line of their RUN."""
    for node in document.instructions:
        inside = [
            finding
            for finding in findings
            if finding.code.startswith("SC")
            and node.start_line <= finding.location.line <= node.end_line
        ]
        if not inside:
            continue
        place = (document.path, node.start_line)
        last = max((f.location.line, f.location.column) for f in inside)
        for finding in inside:
            found[finding.code].discard((document.path, finding.location.line))
        for finding in inside:
            found[finding.code].add(place)
            if (finding.location.line, finding.location.column) == last:
                found[finding.code + LAST].add(place)


def buildkit(path: str) -> Judge:
    judge = Judge("BuildKit")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            for warning in entry["warnings"] or []:
                judge.places[warning["rule"]].add((entry["file"], warning["line"]))
            if entry.get("error"):
                (judge.stopped if entry["warnings"] else judge.unread).add(entry["file"])
    return judge


def hadolint(program: str, files: Sequence[str], off: Sequence[str] = ()) -> Judge:
    """``off``: rules that are off by default, to be asked all the same."""
    judge = Judge("hadolint")
    switches = [word for code in off for word in ("--info", code)]
    for start in range(0, len(files), 100):
        command = [program, "--no-fail", "-f", "json", *switches, *files[start : start + 100]]
        output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        for entry in json.loads(output):
            if entry["code"] == "DL1000":
                judge.unread.add(entry["file"])
            else:
                judge.places[entry["code"]].add((entry["file"], entry["line"]))
    return judge


def rows(ours: Found, judge: Judge) -> Iterator[str]:
    for rule in judge.rules(ours):
        mine, theirs = both(ours, judge, rule)
        judged = comparable(ours, judge, rule)
        if not theirs and not judged:
            continue
        shared = len(mine & theirs)
        recall = f"{shared / len(theirs):.1%}" if theirs else "-"
        right = len(judged & theirs)
        precision = f"{right / len(judged):.1%}" if judged else "-"
        yield f"| {rule} | {len(theirs)} | {len(judged)} | {shared} | {recall} | {precision} |"


def comparable(ours: Found, judge: Judge, rule: str) -> set[Place]:
    """Our findings that the other would show if it had them: of ShellCheck's the last of a RUN."""
    mine, theirs = both(ours, judge, rule)
    mine = {place for place in mine if place in theirs or place[0] not in judge.stopped}
    if not rule.startswith("SC"):
        return mine
    # Where several stand at the last place, hadolint's choice among them is as good.
    shown = {
        place
        for code in judge.places
        for place in both(ours, judge, code)[1]
        if code.startswith("SC")
        and code != rule
        and code + LAST in ours
        and place in ours[code + LAST]
    }
    return {place for place in ours[rule + LAST] & mine if place not in shown}


def differences(ours: Found, judge: Judge, rule: str) -> Iterator[str]:
    mine, theirs = both(ours, judge, rule)
    for path, line in sorted(comparable(ours, judge, rule) - theirs):
        yield f"{path}:{line} {rule}: dockstrata alone, not {judge.name}"
    for path, line in sorted(theirs - mine):
        yield f"{path}:{line} {rule}: {judge.name} alone"


def both(ours: Found, judge: Judge, rule: str) -> tuple[set[Place], set[Place]]:
    mine = {place for place in ours[rule] if place[0] not in judge.unread}
    return mine, {place for place in judge.places[rule] if place[0] not in judge.unread}


if __name__ == "__main__":
    sys.exit(main())
