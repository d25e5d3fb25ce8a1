"""``dockstrata lint`` on Python files, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

APP = '''\
"""Builds the image. FROM x RUN y."""
import modal
from textwrap import dedent

QUERY = "SELECT a\\nFROM users\\nWHERE b"
IMAGE = dedent("""\\
    from debian:12.5 as build
    MAINTAINER "Jane"
    RUN cp a b
    """)
'''
FIXED = APP.replace("from debian:12.5 as", "FROM debian:12.5 AS")
CLEAN = "import os\nx = 'FROM nothing'\n"

Run = subprocess.CompletedProcess[str]


def dockstrata(*arguments: str, stdin: str = "") -> Run:
    return subprocess.run(
        [sys.executable, "-m", "dockstrata", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1"},
        timeout=60,
        check=False,
    )


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(text.encode())


def places(done: Run) -> list[str]:
    return [" ".join(line.split(" ")[:2]) for line in done.stdout.splitlines()]


def test_a_named_file() -> None:
    write("app.py", APP)
    done = dockstrata("lint", "app.py")
    assert done.returncode == 1
    assert places(done) == [
        "app.py:7:5: ConsistentInstructionCasing",
        "app.py:8:5: DL4000",
    ]
    assert done.stderr.startswith("Found 2 problems (1 error, 1 warning) in 1 file")


def test_directories_only_where_asked() -> None:
    write("src/app.py", APP)
    write("src/clean.py", CLEAN)
    write("src/Dockerfile", "FROM debian:12.5\nCOPY a /a\n")
    plain = dockstrata("lint")
    assert (plain.returncode, plain.stdout) == (0, "")
    searched = dockstrata("lint", "--python")
    assert searched.returncode == 1
    assert {place.split(":")[0] for place in places(searched)} == {"src/app.py"}
    assert searched.stderr.count("in 2 files") == 1
    assert dockstrata("lint", "--python", "--exclude", "app.py").returncode == 0


def test_a_file_without_a_dockerfile() -> None:
    write("clean.py", CLEAN)
    done = dockstrata("lint", "clean.py")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "No problems found in 0 files.\n"


def test_fix_in_place() -> None:
    write("app.py", APP)
    done = dockstrata("lint", "--fix", "app.py")
    assert done.returncode == 1
    assert places(done) == ["app.py:8:5: DL4000"]
    assert Path("app.py").read_text() == FIXED
    assert dockstrata("lint", "--fix", "app.py").stdout == done.stdout
    assert Path("app.py").read_text() == FIXED


def test_diff_writes_nothing() -> None:
    write("app.py", APP)
    done = dockstrata("lint", "--diff", "app.py")
    assert done.returncode == 1
    assert Path("app.py").read_text() == APP
    assert subprocess.run(["patch", "-p1"], input=done.stdout, text=True, check=True)
    assert Path("app.py").read_text() == FIXED


def test_windows_newlines_stay() -> None:
    write("app.py", APP.replace("\n", "\r\n"))
    dockstrata("lint", "--fix", "app.py")
    assert Path("app.py").read_bytes() == FIXED.replace("\n", "\r\n").encode()


def test_no_python() -> None:
    write("bad.py", 'x = 1\ny = = "FROM a:1\\nRUN b"\n')
    write("app.py", APP)
    done = dockstrata("lint", "bad.py", "app.py")
    assert done.returncode == 2
    assert "error: bad.py:2: cannot be read as Python: invalid syntax\n" in done.stderr
    assert {place.split(":")[0] for place in places(done)} == {"app.py"}


def test_an_expression_for_an_instruction_is_a_note() -> None:
    write("app.py", 'x = f"""FROM a:1\nRUN b\n{more}\n"""\n')
    done = dockstrata("lint", "app.py")
    assert done.returncode == 0
    message = "app.py: skipped: the Dockerfile at line 1 has an expression for an instruction"
    assert done.stderr.startswith(f"note: {message}\n")


def test_json_has_edits_of_the_python_file() -> None:
    write("app.py", APP)
    done = dockstrata(
        "lint", "--format", "json", "--select", "ConsistentInstructionCasing", "app.py"
    )
    (finding,) = json.loads(done.stdout)["findings"]
    (edit,) = finding["fix"]["edits"]
    assert (edit["line"], edit["column"], edit["end_column"], edit["text"]) == (7, 5, 9, "FROM")


def test_standard_input() -> None:
    done = dockstrata("lint", "--stdin-filename", "app.py", "--fix", "-", stdin=APP)
    assert done.stdout == FIXED
    assert "app.py:8:5: DL4000" in done.stderr
    assert dockstrata("lint", "--stdin-filename", "a.py", "--fix", "-", stdin=CLEAN).stdout == CLEAN


def test_ignores_and_configuration() -> None:
    write("app.py", APP.replace("    MAINT", "    # dockstrata ignore=DL4000 ours\n    MAINT"))
    write("dockstrata.toml", '[lint.per-file-ignores]\n"*.py" = ["ConsistentInstructionCasing"]\n')
    done = dockstrata("lint", "app.py")
    assert (done.returncode, done.stdout) == (0, "")


def test_workers_give_what_one_process_gives() -> None:
    for number in range(12):
        write(f"{number}.py", APP if number % 3 else CLEAN)
    write("bad.py", '= "FROM a\\nRUN b"\n')
    one, two = (dockstrata("lint", "--python", "--jobs", jobs) for jobs in "12")
    assert len(one.stdout.splitlines()) == 16
    assert (one.returncode, one.stdout, one.stderr) == (two.returncode, two.stdout, two.stderr)


def test_libcst_only_where_a_dockerfile_may_be() -> None:
    write("clean.py", CLEAN)
    write("Dockerfile", "FROM debian:12.5\nCOPY a /a\n")
    code = (
        "import sys; from dockstrata.cli.lint_session import Request, run;"
        "run(Request(('.', 'clean.py'), python=True), sys.stdout);"
        "print([name for name in ('libcst', 'difflib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
