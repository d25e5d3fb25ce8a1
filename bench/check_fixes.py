"""Applies all fixes to real Dockerfiles and looks at what became of them.

    python bench/check_fixes.py CORPUS

Works on a copy. Four ways: safe fixes, unsafe ones too, each with the rules that are on by default
and with all. A file must parse as before, a second run must change nothing, safe fixes must leave
what every stage means, and no rule may raise. Where BuildKit's parser is installed (``dockerfile``
from PyPI), it must read what it read before.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dockstrata.checker import Options
from dockstrata.fixer import difference
from dockstrata.load.discover import discover
from dockstrata.meaning.evaluate import evaluate
from dockstrata.result import Change, Result
from dockstrata.runner import Job, lint_files
from dockstrata.selection import Selection
from dockstrata.source import Source
from dockstrata.syntax.parse import parse

try:
    import dockerfile
except ImportError:
    dockerfile = None


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("corpus", type=Path)
    options = parser.parse_args()
    corpus = options.corpus.resolve()
    count = 0
    for every, unsafe in itertools.product((False, True), repeat=2):
        selection = Selection((("ALL", 1),)) if every else Selection()
        job = Job(Options(selection, cache=False), fix=True, unsafe=unsafe)
        with tempfile.TemporaryDirectory() as made:
            copy = Path(made, "copy")
            shutil.copytree(corpus, copy, symlinks=True)
            os.chdir(copy)
            files = discover(["."], respect_ignore=False).files
            first = lint_files(files, job, with_set=False)
            second = lint_files(files, job, with_set=False)
            os.chdir(corpus)
        applied = f"{first.applied.total()} fixes in {len(first.changes)} of {len(files)} files"
        print(f"{'all' if every else 'default'} rules, {'unsafe' if unsafe else 'safe'}: {applied}")
        print("  ", ", ".join(f"{code} {n}" for code, n in first.applied.most_common()))
        for line in problems(first, second, unsafe):
            count += 1
            print("  ", line)
        sys.stdout.flush()
    print(f"{count} problems")
    return 1 if count else 0


def problems(first: Result, second: Result, unsafe: bool) -> Iterator[str]:
    for result in (first, second):
        yield from result.errors
        for failure in result.failures:
            yield f"{failure.path} {failure.code}: {failure.traceback}"
    for path, dropped in first.dropped:
        yield f"{path}:{dropped.line} {dropped.code}: dropped, {dropped.reason}"
    for change in second.changes:
        yield f"{change.before.path}: the second run changes it again"
    for change in first.changes:
        yield from spoilt(change, unsafe)


def spoilt(change: Change, unsafe: bool) -> Iterator[str]:
    """What a fix did that it must not."""
    path = change.before.path
    before, after = parse(change.before), parse(change.after)
    new = Counter(fault.message for fault in after.faults)
    new -= Counter(fault.message for fault in before.faults)
    for message in new:
        yield f"{path}: {message}"
    if read_by_buildkit(change.before) and not read_by_buildkit(change.after):
        yield f"{path}: BuildKit's parser no longer reads it"
    if not unsafe and (why := difference(evaluate(before), evaluate(after))):
        yield f"{path}: {why}"


def read_by_buildkit(source: Source) -> bool:
    if dockerfile is None:
        return False
    try:
        dockerfile.parse_string(source.text.encode("utf-8", "surrogateescape").decode())
    except (dockerfile.GoParseError, UnicodeDecodeError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
