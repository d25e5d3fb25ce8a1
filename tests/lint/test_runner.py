from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockstrata import turns
from dockstrata.checker import Options
from dockstrata.errors import DockstrataError
from dockstrata.finding import Finding, Severity
from dockstrata.registry import Registry, make_registry
from dockstrata.rule import Context, SetContext, rule, safe, set_rule
from dockstrata.runner import Job, lint_files, lint_source
from dockstrata.source import Source


@rule(code="XX1", name="lower-case", severity=Severity.STYLE)
def lower_case(context: Context) -> Iterator[Finding]:
    for node in context.document.instructions:
        if node.written != node.keyword:
            fix = safe(context.edit(node.keyword_span, node.keyword))
            yield context.finding(node, "lower case", fix=fix)


@rule(code="XX2", name="crashes", severity=Severity.STYLE)
def crashes(context: Context) -> Iterator[Finding]:
    if "crash" in context.source.text:
        raise RuntimeError("on purpose")
    yield context.finding(context.document.instructions[0], "came to its end")


@set_rule(code="XX3", name="counts", severity=Severity.INFO)
def counts(context: SetContext) -> Iterator[Finding]:
    for image in context.images.images:
        yield context.finding(image.stage.node, f"one of {len(context.images.images)}")


REGISTRY: Registry = make_registry((lower_case, crashes, counts))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(**files: str) -> list[str]:
    for name, text in files.items():
        Path(name).write_text(text)
    return list(files)


def shown(findings: list[Finding]) -> list[str]:
    return [f"{f.location.path}:{f.location.line} {f.code} {f.message}" for f in findings]


def test_files_and_the_set(here: Path) -> None:
    result = lint_files(write(b="from x\n", a="FROM y\n"), Job(), registry=REGISTRY)
    assert shown(result.findings) == [
        "a:1 XX2 came to its end",
        "a:1 XX3 one of 2",
        "b:1 XX1 lower case",
        "b:1 XX2 came to its end",
        "b:1 XX3 one of 2",
    ]
    assert result.files == 2
    assert result.fixable == 1


def test_one_image_is_no_set(here: Path) -> None:
    result = lint_files(write(a="FROM y\n"), Job(), registry=REGISTRY)
    assert shown(result.findings) == ["a:1 XX2 came to its end"]
    two_stages = lint_files(write(b="FROM y\nFROM z\n"), Job(), registry=REGISTRY)
    assert "b:2 XX3 one of 2" in shown(two_stages.findings)


def test_without_the_set(here: Path) -> None:
    result = lint_files(write(a="FROM y\n", b="FROM x\n"), Job(), registry=REGISTRY, with_set=False)
    assert {f.code for f in result.findings} == {"XX2"}


def test_findings_of_the_set_are_silenced_in_their_file(here: Path) -> None:
    files = write(a="# dockstrata ignore=XX3 why\nFROM y\n", b="FROM x\n")
    result = lint_files(files, Job(), registry=REGISTRY)
    assert [line for line in shown(result.findings) if "XX3" in line or "DS0" in line] == [
        "b:1 XX3 one of 2"
    ]


def test_a_rule_that_raises_costs_nothing_else(here: Path) -> None:
    files = write(a="from crash\n", b="FROM x\nRUNN y\n")
    result = lint_files(files, Job(), registry=REGISTRY, with_set=False)
    assert shown(result.findings) == [
        "a:1 XX1 lower case",
        "b:1 XX2 came to its end",
        "b:2 DS001 unknown instruction: RUNN (did you mean RUN?)",
    ]
    (failure,) = result.failures
    assert (failure.code, failure.path) == ("XX2", "a")
    assert failure.message == "RuntimeError: on purpose"
    assert "Traceback" in failure.traceback


def test_a_set_rule_that_raises(here: Path) -> None:
    @set_rule(code="XX4", name="set-crash", severity=Severity.INFO)
    def set_crash(context: SetContext) -> list[Finding]:
        raise KeyError("x")

    result = lint_files(
        write(a="FROM y\n", b="FROM x\n"), Job(), registry=make_registry((set_crash,))
    )
    assert [(f.code, f.path) for f in result.failures] == [("XX4", "the set")]


def test_unreadable(here: Path) -> None:
    result = lint_files(["gone", *write(a="from x\n")], Job(), registry=REGISTRY)
    assert result.errors == ["gone: cannot be read: no such file or directory"]
    assert result.files == 1
    assert "a:1 XX1 lower case" in shown(result.findings)


class TestFix:
    job = Job(fix=True)

    def test_writes(self, here: Path) -> None:
        files = write(a="from x\n")
        Path("a").chmod(0o640)
        result = lint_files(files, self.job, registry=REGISTRY)
        assert Path("a").read_bytes() == b"FROM x\n"
        assert stat.S_IMODE(Path("a").stat().st_mode) == 0o640
        assert result.applied == {"XX1": 1}
        assert shown(result.findings) == ["a:1 XX2 came to its end"]
        assert os.listdir() == ["a"]

    def test_leaves_what_needs_no_fix_untouched(self, here: Path) -> None:
        files = write(a="FROM x\n")
        before = Path("a").stat().st_ino
        result = lint_files(files, self.job, registry=REGISTRY)
        assert Path("a").stat().st_ino == before
        assert result.changes == []

    def test_writes_nothing_for_a_diff(self, here: Path) -> None:
        result = lint_files(write(a="from x\n"), self.job, registry=REGISTRY, write=False)
        assert Path("a").read_bytes() == b"from x\n"
        assert [change.after.text for change in result.changes] == ["FROM x\n"]

    def test_read_only(self, here: Path) -> None:
        files = write(a="from x\n", b="from y\n")
        Path("a").chmod(0o444)
        result = lint_files(files, self.job, registry=REGISTRY)
        assert result.errors == ["a: is read-only; not written"]
        assert Path("a").read_text() == "from x\n"
        assert Path("b").read_text() == "FROM y\n"
        assert "a:1 XX1 lower case" in shown(result.findings)
        assert result.applied == {"XX1": 1}

    def test_a_link_inside_is_followed(self, here: Path) -> None:
        write(real="from x\n")
        Path("link").symlink_to("real")
        lint_files(["link"], self.job, registry=REGISTRY)
        assert Path("link").is_symlink()
        assert Path("real").read_text() == "FROM x\n"

    def test_a_link_out_is_not(self, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(real="from x\n")
        Path("sub").mkdir()
        Path("sub/link").symlink_to("../real")
        monkeypatch.chdir("sub")
        result = lint_files(["link"], self.job, registry=REGISTRY)
        assert result.errors == [
            "link: is a symbolic link out of the working directory; not written"
        ]
        assert Path("../real").read_text() == "from x\n"

    def test_a_failed_write_leaves_the_old_file_and_no_other(
        self, here: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        result = lint_files(write(a="from x\n"), self.job, registry=REGISTRY)
        assert result.errors == ["a: cannot be written: no space left on device"]
        assert os.listdir() == ["a"]
        assert Path("a").read_text() == "from x\n"


def test_source() -> None:
    result = lint_source(Source("-", "from x\n"), Job(fix=True), REGISTRY)
    assert result.sources["-"].text == "FROM x\n"


def test_severities_and_per_file_ignores(here: Path) -> None:
    options = Options(
        severities=(("XX", Severity.INFO), ("crashes", Severity.ERROR)),
        per_file_ignores=(("*.x", ("XX1",)), ("/b", ("ALL",))),
    )
    files = ["a.x", "b", "c"]
    for name in files:
        Path(name).write_text("from x\n")
    result = lint_files(files, Job(options), registry=REGISTRY, with_set=False)
    assert [(f.location.path, f.code, f.severity) for f in result.findings] == [
        ("a.x", "XX2", Severity.ERROR),
        ("c", "XX1", Severity.INFO),
        ("c", "XX2", Severity.ERROR),
    ]


def _many(count: int) -> list[str]:
    for number in range(count):
        Path(f"{number:03}").write_text("FROM debian:latest\nMAINTAINER x\n")
    return [f"{number:03}" for number in range(count)]


def test_processes_give_what_one_gives(here: Path) -> None:
    files = _many(30)
    one = lint_files(files, Job(), jobs=1)
    two = lint_files(files, Job(Options(cache=False)), jobs=2)
    assert len(one.findings) >= 60
    assert one == two


def test_processes_fix_as_one_does(here: Path) -> None:
    files = _many(30)
    lint_files(files, Job(fix=True, unsafe=True), jobs=2)
    assert not any("MAINTAINER" in Path(path).read_text() for path in files)


def test_a_worker_that_dies_is_an_error(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_begin", _die)
    with pytest.raises(DockstrataError, match="a worker process died"):
        lint_files(_many(4), Job(Options(cache=False)), jobs=2, with_set=False)


def _die(job: Job) -> None:
    os._exit(1)


def test_no_thread_is_left_behind(here: Path) -> None:
    """One that still ends a pool of workers when Python ends may print a traceback."""
    before = set(threading.enumerate())
    lint_files(_many(4), Job(Options(cache=False)), jobs=2, with_set=False)
    assert set(threading.enumerate()) <= before
