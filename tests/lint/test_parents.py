"""What a file's parent in the set leaves is known to the rules, from whichever file is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dockstrata.checker import Options
from dockstrata.load.wiring import Build
from dockstrata.runner import Job, lint_files
from dockstrata.selection import Selection

BASE = """\
# dockstrata base localhost/tools:latest
FROM debian:12.5
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV known=1
WORKDIR /srv
ONBUILD RUN cd /x | y
USER root
"""
CHILD = """\
FROM localhost/tools:latest
RUN curl x | grep "$known"
WORKDIR app
COPY a b/
"""

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()

    def put(path: str, text: str) -> str:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
        return path

    return put


def codes(*paths: str, builds: tuple[Build, ...] = (), jobs: int = 1) -> list[str]:
    job = Job(Options(Selection((("ALL", 1),))))
    found = lint_files(paths, job, jobs=jobs, with_set=False, builds=builds)
    assert not found.failures
    return [
        f"{os.path.basename(f.location.path)[0]}{f.location.line} {f.code}" for f in found.findings
    ]


def build(path: str, tag: str) -> Build:
    return Build(path, ".", None, (), (), (), (tag,), "compose.yaml", 1, "")


def test_parent_by_its_mark(write: Write) -> None:
    write("bases/tools/Dockerfile", BASE)
    child = write("apps/one/child", CHILD)
    # Root because the base says so; the relative WORKDIR is after an absolute one.
    assert codes(child) == ["c1 DL3002", "c1 DL3057", "c3 DL3000"]
    assert codes(child, write("apps/two/child", CHILD), jobs=2) == codes(child) * 2


def test_without_the_parent_nothing_is_known(write: Write) -> None:
    found = codes(write("apps/child", CHILD))
    assert {"c1 DL3007", "c2 DL4006", "c2 SC2154", "c3 DL3000"} <= set(found)


def test_base_is_not_run(write: Write) -> None:
    path = write("bases/tools/Dockerfile", BASE)
    assert "D7 DL3002" not in codes(path)
    assert "D6 DL3002" in codes(write("Dockerfile", BASE.split("\n", 1)[1]))


def test_other_mark_is_no_parent(write: Write) -> None:
    write("bases/tools/Dockerfile", BASE.replace("tools:latest", "tools:2"))
    assert "c1 DL3007" in codes(write("apps/child", CHILD))


def test_parent_by_its_tag(write: Write) -> None:
    parent = write("a/Dockerfile", BASE.split("\n", 1)[1])
    child = write("b/child", CHILD.replace("localhost/tools", "registry.example/tools"))
    assert "c1 DL3007" in codes(child)
    told = (build(parent, "registry.example/tools:latest"),)
    assert codes(child, builds=told) == ["c1 DL3002", "c1 DL3057", "c3 DL3000"]


def test_cycle(write: Write) -> None:
    one = write("one", "FROM x/two:1\nRUN a\n")
    two = write("two", "FROM x/one:1\nRUN a\n")
    assert codes(one, two, builds=(build(one, "x/one:1"), build(two, "x/two:1")))


def test_one_file_does_not_load_the_set(write: Write) -> None:
    path = write("Dockerfile", "FROM debian:12.5\nUSER 1\n")
    script = (
        "import sys\nfrom dockstrata.checker import Options\n"
        "from dockstrata.runner import Job, lint_files\n"
        f"lint_files([{path!r}], Job(Options(cache=False)))\n"
        "print(*(n for n in ('dockstrata.meaning.library', 'dockstrata.load.builds', 'yaml',"
        " 'sqlite3', 'tree_sitter') if n in sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    assert output.stdout.strip() == b""


def test_empty_stage_on_a_parent_is_not_run(write: Write) -> None:
    write("bases/tools/Dockerfile", BASE)
    child = write("apps/child", "FROM localhost/tools:latest AS left\n\n" + CHILD)
    assert [code for code in codes(child) if code.startswith("c1 ")] == []
