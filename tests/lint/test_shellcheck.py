"""ShellCheck on RUN: places, memory, cache, trouble, and hadolint's view of the same scripts."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dockstrata.checker import Checked, Checker, Options
from dockstrata.finding import Finding
from dockstrata.registry import load_registry
from dockstrata.runner import Job, lint_files
from dockstrata.selection import Selection
from dockstrata.shellcheck import cache as cache_module
from dockstrata.shellcheck.cache import Cache
from dockstrata.shellcheck.process import Batch, version_of
from dockstrata.shellcheck.program import find_program
from dockstrata.shellcheck.run import ShellCheck
from dockstrata.shellcheck.scripts import shebang_of
from dockstrata.source import Source

PROGRAM = find_program()
HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="ShellCheck is not installed")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dockstrata" / "shellcheck.sqlite3"


def options(**given: bool) -> Options:
    return Options(Selection((("SC", 1),)), **given)


def found(text: str, **given: bool) -> list[Finding]:
    checker = Checker(load_registry(), options(**given))
    checked: Checked = checker.check(Source("Dockerfile", text))
    assert not checked.failures
    return checker.finish(checked)


def shown(text: str) -> list[str]:
    source = Source("Dockerfile", text)
    starts = source.line_starts()
    return [
        f"{f.location.line} {f.code} "
        + source.text[
            starts[f.location.line - 1] + f.location.column - 1 : starts[f.location.end_line - 1]
            + f.location.end_column
            - 1
        ]
        for f in found(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nRUN echo ${A}\n", ["2 SC2086 ${A}"]),
        ("FROM a\r\nRUN x \\\r\n  $A\r\n", ["3 SC2086 $A"]),
        ("FROM a\nRUN --mount=type=cache,target=/x \\\n# c\n\n\techo\t$A\n", ["5 SC2086 $A"]),
        ("# escape=`\nFROM a\nRUN x `\n  $A\n", ["4 SC2086 $A"]),
        ("FROM a\nRUN echo 'ä€𝄞' $A\n", ["2 SC2086 $A"]),
        ("FROM a\nRUN <<-EOF\n\techo $A\n\tEOF\n", ["3 SC2086 $A"]),
        ("FROM a\nRUN cat <<A && x $B\necho $C\nA\n", ["2 SC2086 $B"]),
        ("FROM a\nONBUILD  RUN  x $A\n", ["2 SC2086 $A"]),
        ("FROM a\nRUN x\\\n$A\\\n$B\n", ["3 SC2086 $A", "4 SC2086 $B"]),
    ],
)
def test_places(text: str, expected: list[str]) -> None:
    assert [line for line in shown(text) if line.split()[1] != "SC2154"] == expected


@pytest.mark.parametrize(
    ("shell", "shebang"),
    [
        (("/bin/sh", "-c"), "/bin/sh"),
        (("/bin/bash", "-o", "pipefail", "-c"), "/bin/bash"),
        (("/bin/bash", "-euxc"), "/bin/bash"),
        (("/usr/bin/env", "bash", "-c"), "/bin/bash"),
        (("conda", "run", "-n", "x", "/bin/bash", "-c"), "/bin/bash"),
        (("/bin/ash", "-eo", "pipefail", "-c"), "/bin/busybox sh"),
        (("busybox", "sh", "-c"), "/bin/busybox sh"),
        (("/bin/login",), "/bin/sh"),
        (("/bin/zsh", "-c"), None),
        (("python3", "-c"), None),
    ],
)
def test_shebang(shell: tuple[str, ...], shebang: str | None) -> None:
    assert shebang_of(shell) == shebang


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash", "/bin/ash", "/bin/dash"])
def test_shell_that_stops_at_errors(shell: str) -> None:
    text = f'FROM a\nSHELL ["{shell}", "%s", "-c"]\nRUN cd x\n'
    assert {f.code for f in found(text % "-x")} == {"SC2164"}
    assert not found(text % "-ex")


def test_ignored_selected_silenced() -> None:
    text = "FROM a\nRUN cd x; echo $A\n"
    assert {f.code for f in found(text)} == {"SC2164", "SC2086"}
    assert {f.code for f in found("FROM a\n# hadolint ignore=SC2086\nRUN cd x; echo $A\n")} == {
        "SC2164"
    }
    assert {f.code for f in found("FROM a\n# dockstrata ignore=SC2164\nRUN cd x; x $A\n")} == {
        "SC2086"
    }
    checker = Checker(load_registry(), Options(Selection(None, (("SC20", 1),))))
    codes = {f.code for f in checker.finish(checker.check(Source("Dockerfile", text)))}
    assert "SC2164" in codes
    assert "SC2086" not in codes


def test_left_out() -> None:
    text = "FROM a:1\n# dockstrata ignore=SC2086 meant\nRUN cd x; echo $A\n"
    checker = Checker(load_registry(), Options(shellcheck=False))
    codes = {f.code for f in checker.finish(checker.check(Source("Dockerfile", text)))}
    # An ignore of a rule that did not run is not called unused.
    assert not {code for code in codes if code.startswith(("SC", "DS0"))}


def test_cache_is_asked_first(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "FROM a\nRUN a=`b`; x $a\n"
    first = found(text)
    assert own_cache.exists()
    monkeypatch.setattr("dockstrata.shellcheck.run.Batch", None)
    assert found(text) == first
    with pytest.raises(TypeError):
        found("FROM a\nRUN x $other\n")


def test_no_cache(own_cache: Path) -> None:
    assert found("FROM a\nRUN x $A\n", cache=False)
    assert not own_cache.exists()


@pytest.mark.parametrize(
    "data", [b"", b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 99]
)
def test_spoilt_cache(own_cache: Path, data: bytes) -> None:
    own_cache.parent.mkdir(parents=True)
    own_cache.write_bytes(data)
    for _ in range(3):
        assert [f.code for f in found("FROM a\nRUN x $A\n")] == ["SC2086"]


def test_unwritable_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert found("FROM a\nRUN x $A\n")


def test_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_ENTRIES", 40)
    cache = Cache(str(tmp_path))
    for number in range(12):
        cache.put("1", {f"{number}-{index}": () for index in range(10)})
    kept = cache.get("1", [f"{number}-{index}" for number in range(12) for index in range(10)])
    assert 10 <= len(kept) <= 40
    assert "11-0" in kept
    assert cache.get("2", ["11-0"]) == {}


def test_cache_of_many_at_once(tmp_path: Path) -> None:
    def work(worker: int) -> None:
        cache = Cache(str(tmp_path))
        for number in range(20):
            cache.put("1", {f"{worker}-{number}": ()})
            cache.get("1", [f"{worker}-{number}"])

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [f"{worker}-{number}" for worker in range(4) for number in range(20)]
    assert len(Cache(str(tmp_path)).get("1", keys)) == 80


def test_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PROGRAM is not None
    asked: list[int] = []

    class Counted(Batch):
        def __init__(self, program: str, scripts: list[str], processes: int = 1) -> None:
            asked.append(len(scripts))
            super().__init__(program, scripts, processes)

    monkeypatch.setattr("dockstrata.shellcheck.run.Batch", Counted)
    shellcheck = ShellCheck(PROGRAM, None, 4)
    scripts = [f"#!/bin/sh\n\necho $a{number % 200}" for number in range(400)]
    answers = shellcheck.begin(scripts).answers()
    assert len(answers) == 200
    assert all(
        comment.code in (2086, 2154) for comments in answers.values() for comment in comments
    )
    shellcheck.begin(scripts).answers()
    assert asked == [200]


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 3\n", "no program"])
def test_program_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """One error for the run; no ignore of a rule that did not run is called unused."""
    program = tmp_path / "shellcheck"
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setattr("dockstrata.checker.find_program", lambda: str(program))
    paths = []
    for number in range(3):
        path = tmp_path / f"{number}.Dockerfile"
        ignore = "# dockstrata ignore=SC2086 known\n"
        path.write_text(f"FROM a\n{ignore}RUN x $A\n" if number else "FROM a\n")
        paths.append(str(path))
    for _ in range(2):
        result = lint_files(paths, Job(Options(Selection((("SC", 1), ("DS0", 1))))))
        assert result.findings == []
        assert result.failures == []
        (error,) = result.errors
        assert error.startswith(str(program))
        assert "so the rule SC did not run" in error
        assert "--no-shellcheck" in error
    alone = lint_files(paths[:1], Job(options()))
    assert alone.errors == []


def test_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One note where a rule is missed; none where nobody misses it."""
    monkeypatch.setattr("dockstrata.checker.find_program", lambda: None)
    (tmp_path / "a.Dockerfile").write_text("FROM a\nRUN x $A\n")
    (tmp_path / "b.Dockerfile").write_text("FROM a\nUSER b\n")
    a, b = str(tmp_path / "a.Dockerfile"), str(tmp_path / "b.Dockerfile")
    for _ in range(2):
        result = lint_files([a, b], Job(options()))
        (note,) = result.notes
        assert note.startswith("ShellCheck is not installed, so the rule SC did not run")
        assert not result.errors
    assert lint_files([b], Job(options())).notes == []
    assert lint_files([a], Job(options(shellcheck=False))).notes == []
    assert lint_files([a], Job(Options(Selection((("DL", 1),))))).notes == []


def test_version() -> None:
    assert PROGRAM is not None
    assert version_of(PROGRAM).split(".")[0].isdecimal()


def test_a_script_may_start_another_version(tmp_path: Path) -> None:
    """As shims do: the script stays, what it starts is upgraded."""
    program = tmp_path / "shim"
    for version in ("1.0", "1.1"):
        (tmp_path / "version").write_text(f"version: {version}\n")
        if not program.exists():
            program.write_text(f"#!/bin/sh\ncat {tmp_path}/version\n")
            program.chmod(0o755)
        assert ShellCheck(str(program), Cache(str(tmp_path))).version() == version


def test_users_settings_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".shellcheckrc").write_text("disable=SC2086\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELLCHECK_OPTS", "-e SC2086")
    assert found("FROM a\nRUN x $A\n")


def test_workers_agree(tmp_path: Path) -> None:
    paths = []
    for number in range(30):
        path = tmp_path / f"{number}.Dockerfile"
        path.write_text(f"FROM a\nRUN x $A{number % 7} && cd x; y\n")
        paths.append(str(path))
    one = lint_files(paths, Job(options(cache=False)), jobs=1, with_set=False)
    two = lint_files(paths, Job(options()), jobs=2, with_set=False)
    assert len(one.findings) == 60
    assert one.findings == two.findings


WORDS = (
    "cd x", "echo $A", "echo $b", 'echo "$c"', "a=`b`", "export q=$(b)", "[[ -n $A ]]",
    "rm -rf $d/*", "ls | grep x", "for f in *; do x $f; done", "echo 'a$b'", "source x",
    "echo -e x", "x=1", "[ a = b ]", 'echo "$x"', "read y", "which z", "find . -name *.c",
    "echo a{b,c}", "local z", "set -o pipefail", "if x; then y; fi", "test $A -a $B",
    "x > y 2>&1 > z", "(cd x; y)", "echo $(x)", "sudo x > y",
)  # fmt: skip
HEADS = ("ENV b=1", "ARG c", "ARG d=2", "ENV x=1 y=2", "USER x")


def generated(random: random.Random) -> str:
    lines = ["FROM debian:12"]
    shell = random.choice((None, '["/bin/bash", "-c"]', '["/bin/sh", "-c"]'))
    for _ in range(random.randint(2, 6)):
        lines += random.choices(HEADS, k=random.randint(0, 2))
        if shell:  # hadolint forgets it at the next ENV or ARG
            lines.append(f"SHELL {shell}")
        words = random.choices(WORDS, k=random.randint(1, 4))
        joint = random.choice((" && ", "; ", " && \\\n    ", "; \\\n# note\n    "))
        lines.append("RUN " + joint.join(words))
    return "\n".join(lines) + "\n"


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed")
def test_hadolint_says_the_same(tmp_path: Path) -> None:
    """Of each RUN hadolint shows one finding, the last: we have it, and have some where it has."""
    assert HADOLINT is not None
    seed = random.Random(20)
    texts = [generated(seed) for _ in range(150)]
    paths = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.Dockerfile"
        path.write_text(text)
        paths.append(str(path))
    output = subprocess.run(
        [HADOLINT, "--no-fail", "-f", "json", *paths], stdout=subprocess.PIPE, check=True
    ).stdout
    theirs = {
        (entry["file"], entry["line"], entry["code"])
        for entry in json.loads(output)
        if entry["code"].startswith("SC")
    }
    ours: dict[tuple[str, int], list[Finding]] = {}
    for path, text in zip(paths, texts, strict=True):
        runs = [n for n, line in enumerate(text.splitlines(), 1) if line.startswith("RUN ")]
        for finding in found(text):
            run = max(line for line in runs if line <= finding.location.line)
            ours.setdefault((path, run), []).append(finding)
    assert len(theirs) > 400
    assert {(path, line) for path, line, _ in theirs} == set(ours)
    for path, line, code in theirs:
        findings = ours[path, line]
        last = max((f.location.line, f.location.column) for f in findings)
        at_end = {f.code for f in findings if (f.location.line, f.location.column) == last}
        assert code in at_end, (path, line)
