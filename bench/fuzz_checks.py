"""Compare our findings with the peers' on files that nobody wrote.

    python bench/fuzz_checks.py tally --count 5000 --seed 1 --corpus CORPUS
    python bench/fuzz_checks.py hadolint --count 20000 --seed 1 --corpus CORPUS

``tally`` carries BuildKit's checks. Half of the files are generated, the others are real ones with
words and lines changed, where there is a corpus. Two tools agree where they report one rule at one
line of one file. Each difference is of a kind that ``check_reasons.py`` lists with its reason, or
it is printed. Files that either side refuses are left out: ``fuzz_refusals.py`` compares those.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

from check_reasons import BUILDKIT, OURS, THEIRS, File, Kind, reason
from checks_generator import for_checks, mutate
from command_reasons import HADOLINT
from commands_generator import for_commands
from compare_lint import Found, Judge, both, comparable, dockstrata, hadolint, rows

from dockstrata.source import Source
from dockstrata.syntax.parse import parse

TALLY = (
    *("tally", "lint", "--no-config", "--format", "json", "--fail-level", "none"),
    *("--slow-checks", "off", "--max-lines", "0", "--ignore", "*"),
)
# At one line tally keeps the gravest findings only, so rules are asked for by their severity.
BY_SEVERITY = (
    ("DuplicateStageName", "InvalidDefaultArgInFrom", "ReservedStageName"),
    (
        *("ConsistentInstructionCasing", "ExposeInvalidFormat", "ExposeProtoCasing"),
        *("FromAsCasing", "FromPlatformFlagConstDisallowed", "InvalidDefinitionDescription"),
        *("LegacyKeyValueFormat", "MaintainerDeprecated", "MultipleInstructionsDisallowed"),
        *("NoEmptyContinuation", "RedundantTargetPlatform", "SecretsUsedInArgOrEnv"),
        *("StageNameCasing", "UndefinedArgInFrom", "UndefinedVar", "WorkdirRelativePath"),
    ),
    ("JSONArgsRecommended",),
)


def tally(files: Sequence[str]) -> Judge:
    judge = Judge("BuildKit in tally")
    for rules in BY_SEVERITY:
        options = [f"--select=buildkit/{rule}" for rule in rules]
        for start in range(0, len(files), 200):
            _ask(options, files[start : start + 200], judge)
    return judge


def _ask(options: Sequence[str], files: Sequence[str], judge: Judge) -> None:
    """tally says nothing of any file where it refuses one: halve them until it is found."""
    files = [file for file in files if file not in judge.unread]
    if not files:
        return
    command = [*TALLY, *options, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        for entry in json.loads(done.stdout)["files"]:
            for found in entry["violations"]:
                rule = found["rule"].partition("/")[2]
                judge.places[rule].add((entry["file"], found["location"]["start"]["line"]))
    elif len(files) == 1:
        judge.unread.add(files[0])
    else:
        half = len(files) // 2
        _ask(options, files[:half], judge)
        _ask(options, files[half:], judge)


UNREADABLE = ("SC1009", "SC1056", "SC1064", "SC1070", "SC1072", "SC1073", "SC1088", "SC1089")
"""ShellCheck's errors behind which it reads no further."""


class Difference(NamedTuple):
    rule: str
    side: str
    file: str
    line: int
    why: str | None


def differences(ours: Found, judge: Judge, kinds: Sequence[Kind]) -> list[Difference]:
    """Where one side alone reports a rule that the other knows too."""
    found = []
    files: dict[str, File] = {}
    unreadable = {place for code in UNREADABLE for place in ours.get(code, ())}
    for rule in sorted(judge.places):
        mine, theirs = both(ours, judge, rule)
        alone = comparable(ours, judge, rule) - theirs
        for side, places in ((OURS, alone), (THEIRS, theirs - mine)):
            for name, line in sorted(places):
                if name not in files:
                    files[name] = File(name, frozenset(n for path, n in unreadable if path == name))
                file = files[name]
                found.append(
                    Difference(rule, side, name, line, reason(kinds, file, rule, line, side))
                )
    return found


def texts(generate: Callable[[Random], str], given: argparse.Namespace) -> Iterator[str]:
    """``given.count`` files that can be built; where there is a corpus, every second mutated."""
    random = Random(given.seed)
    corpus = read_corpus(given.corpus)
    lines = [line for text in corpus for line in text.split("\n")]
    made = 0
    while made < given.count:
        text = mutate(random, corpus, lines) if corpus and made % 2 else generate(random)
        if not parse(Source("Dockerfile", text)).faults:
            made += 1
            yield text


def read_corpus(directory: Path | None) -> list[str]:
    """The files below ``directory`` that are small, UTF-8 and can be parsed."""
    if directory is None:
        return []
    found = []
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.stat().st_size < 6000:
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            if "FROM" in text and not parse(Source("Dockerfile", text)).faults:
                found.append(text)
    return found


@contextmanager
def written(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts as files of a folder, which is the working directory meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.getcwd()
        os.chdir(folder)
        names = []
        for number, text in enumerate(texts):
            name = f"{number}.Dockerfile"
            Path(name).write_text(text, encoding="utf-8")
            names.append(name)
        try:
            yield names
        finally:
            os.chdir(before)


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("peer", choices=sorted(PEERS))
    options.add_argument("--count", type=int, default=2000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--corpus", type=Path)
    options.add_argument("--keep", type=Path, help="copy files with unexplained differences here")
    given = options.parse_args()
    peer = PEERS[given.peer]
    with written(texts(peer.generate, given)) as names:
        judge = peer.ask(names)
        ours = dockstrata(names, shellcheck=peer.shellcheck)
        found = differences(ours, judge, peer.kinds)
        print("| rule | theirs | ours | both | recall | precision |\n|---|---|---|---|---|---|")
        print("\n".join(rows(ours, judge)))
        print(f"\n{len(names)} files, {len(judge.unread)} refused by {judge.name}\n")
        kinds = Counter((d.why, d.rule, d.side) for d in found if d.why)
        for (why, rule, side), count in sorted(kinds.items()):
            print(f"{count:6} {rule} ({side} alone): {why}")
        open_ones = [d for d in found if d.why is None]
        counts = Counter(one.rule for one in open_ones)
        for one in sorted(open_ones, key=lambda one: (counts[one.rule], one))[:40]:
            line = Path(one.file).read_text(encoding="utf-8").split("\n")[one.line - 1]
            print(f"unexplained: {one.file}:{one.line} {one.rule}, {one.side} alone: {line!r}")
        if given.keep:
            for name in {one.file for one in open_ones}:
                shutil.copy(name, given.keep.resolve() / name)
    print(f"unexplained differences: {len(open_ones)}")
    return 1 if open_ones else 0


class Peer(NamedTuple):
    ask: Callable[[Sequence[str]], Judge]
    generate: Callable[[Random], str]
    kinds: Sequence[Kind]
    shellcheck: bool = False


PEERS = {
    "tally": Peer(tally, for_checks, BUILDKIT),
    "hadolint": Peer(partial(hadolint, "hadolint"), for_commands, HADOLINT, True),
}

if __name__ == "__main__":
    raise SystemExit(main())
