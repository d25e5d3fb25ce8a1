"""A result is served again exactly where the rules would say the same."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dockstrata import database
from dockstrata.checker import Checked, Checker, Failure, Options
from dockstrata.load.wiring import Build
from dockstrata.registry import load_registry
from dockstrata.result import Result
from dockstrata.result_cache import cache as cache_module
from dockstrata.result_cache import store as store_module
from dockstrata.result_cache.cache import ResultCache
from dockstrata.result_cache.codec import read, written
from dockstrata.result_cache.store import Store
from dockstrata.rule import Settings
from dockstrata.runner import Job, lint_files
from dockstrata.selection import Selection
from dockstrata.source import Source

EVERYTHING = Selection((("ALL", 1),))
BASE = "# dockstrata base localhost/tools:latest\nFROM debian:12.5\nUSER root\n"
CHILD = "FROM localhost/tools:latest\nRUN cd /x && apt-get install y | z\nWORKDIR a\n"
TEXTS = (
    "",
    "FROM debian\nRUN sudo x\nMAINTAINER a\n",
    "from debian:latest as X\r\nRUN cd /a; ls $b\r\nADD a b\r\n",
    "FROM a:1\nRUNN x\nCOPY a\n",
    "FROM a:1\nRUN <<E\ncd x\nE\nRUN 'open\n",
    "# check=skip=StageNameCasing;error=true\nFROM a:1 AS B\nRUN x\n",
    "# hadolint global ignore=DL3008\nFROM a\n# dockstrata ignore=DL3004,XX1 why not\nRUN sudo x\n",
    "# dockstrata ignore\nFROM a:1\n# dockstrata ignore=DL3004\nRUN x\n",
    "FROM a:1\nENV \udcff=\udcfe b=\u00e9\u2028\nLABEL \U0001f433=x\nUSER root\n",
    "FROM a:1\nCOPY --from=nothing x y\nSHELL x\n\nHEALTHCHECK NONE\n" * 3,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Whoever edits the program while its tests run is not to fail them.
    monkeypatch.setattr(store_module, "program_digest", lambda packages: b"the same")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path(".git").mkdir()
    return tmp_path


@pytest.fixture
def kept(here: Path) -> Path:
    return here / "cache" / "dockstrata" / "results.sqlite3"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that the rules looked at."""
    paths: list[str] = []
    check_all = Checker.check_all

    def counted(self: Checker, sources: Sequence[Source]) -> list[Checked]:
        paths.extend(source.path for source in sources)
        return check_all(self, sources)

    monkeypatch.setattr(Checker, "check_all", counted)
    return paths


def put(path: str, text: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def lint(*paths: str, options: Options | None = None, builds: tuple[Build, ...] = ()) -> Result:
    job = Job(options or Options(EVERYTHING))
    return lint_files(paths, job, jobs=1, with_set=False, builds=builds)


def build(path: str, tag: str) -> Build:
    return Build(path, ".", None, (), (), (), (tag,), "compose.yaml", 1, "")


@pytest.mark.parametrize("text", TEXTS)
def test_as_text_and_back(text: str) -> None:
    checker = Checker(load_registry(), Options(EVERYTHING))
    checked = checker.check(Source("dir/Dockerfile", text))
    assert checked.findings or not text
    assert read(written(checked), checked.source) == checked


def test_served(looked: list[str]) -> None:
    paths = [put(f"{number}.Dockerfile", text) for number, text in enumerate(TEXTS)]
    first, again = lint(*paths), lint(*paths)
    assert looked == paths
    assert again == first
    assert lint(*paths, options=Options(EVERYTHING, cache=False)) == first
    assert looked == paths * 2


def test_file_or_path_changes(looked: list[str]) -> None:
    put("a", "FROM a:1\n")
    lint("a")
    put("a", "FROM a:2\n")
    put("b", "FROM a:1\n")
    lint("a", "b")
    put("a", "FROM a:1\n")
    lint("a", "b", os.path.abspath("a"))
    assert looked == ["a", "a", "b", os.path.abspath("a")]


@pytest.mark.parametrize(
    "other",
    [
        Options(Selection((("DL", 1),))),
        Options(Selection((("ALL", 1),), ignore=(("DL3006", 1),))),
        Options(EVERYTHING, Settings(trusted_registries=("ghcr.io",))),
        Options(EVERYTHING, Settings(max_layers=3)),
        Options(EVERYTHING, hadolint_comments=False),
        Options(EVERYTHING, shellcheck=False),
    ],
)
def test_what_rules_are_told_changes(looked: list[str], other: Options) -> None:
    put("a", "FROM a\n# hadolint ignore=DL3004\nRUN sudo x $A\n")
    first = lint("a")
    assert lint("a", options=other) == lint("a", options=Options(**_fields(other, cache=False)))
    assert looked == ["a", "a", "a"]
    assert lint("a") == first
    assert len(looked) == 3


def _fields(options: Options, **changed: object) -> dict[str, object]:
    return {name: getattr(options, name) for name in options.__slots__} | changed


def test_what_is_said_of_findings_later_is_no_part_of_it(looked: list[str]) -> None:
    put("a", "FROM a\n")
    lint("a")
    off = Options(EVERYTHING, per_file_ignores=(("a", ("ALL",)),))
    assert lint("a", options=off).findings == []
    assert looked == ["a"]


class TestParents:
    """An image that a FROM names is built by another file, or no longer."""

    def changed(self, looked: list[str], change: Callable[[], object]) -> None:
        put("apps/child", CHILD)
        put("apps/other", "FROM debian:12\nUSER a\n")
        lint("apps/child", "apps/other")
        looked.clear()
        change()
        now = lint("apps/child", "apps/other")
        assert looked == ["apps/child"]
        looked.clear()
        assert lint("apps/child", "apps/other") == now
        assert looked == []
        assert lint("apps/child", options=Options(EVERYTHING, cache=False)).findings == [
            finding for finding in now.findings if finding.location.path == "apps/child"
        ]

    def test_appears(self, looked: list[str]) -> None:
        self.changed(looked, lambda: put("bases/tools/Dockerfile", BASE))

    def test_appears_nearer(self, looked: list[str]) -> None:
        put("bases/tools/Dockerfile", BASE)
        self.changed(looked, lambda: put("apps/bases/tools/Dockerfile", BASE + "USER a\n"))

    def test_goes(self, looked: list[str]) -> None:
        path = put("bases/tools/Dockerfile", BASE)
        self.changed(looked, lambda: os.unlink(path))

    def test_changes(self, looked: list[str]) -> None:
        path = put("bases/tools/Dockerfile", BASE)
        self.changed(looked, lambda: put(path, BASE + "WORKDIR /srv\nUSER a\n"))

    def test_builds_another_image(self, looked: list[str]) -> None:
        path = put("bases/tools/Dockerfile", BASE)
        self.changed(looked, lambda: put(path, BASE.replace("tools", "others")))

    def test_its_own_parent_changes(self, looked: list[str]) -> None:
        put("bases/tools/Dockerfile", BASE.replace("debian:12.5", "localhost/deep:latest"))
        text = BASE.replace("tools", "deep")
        path = put("bases/deep/Dockerfile", text)
        self.changed(looked, lambda: put(path, text.replace("USER root", "WORKDIR /srv")))


def test_builds_change(looked: list[str]) -> None:
    put("child", "FROM acme/base\nRUN x\n")
    put("one", "FROM a:1\nUSER root\n")
    put("two", "FROM a:1\nUSER b\n")
    one, two = build("one", "acme/base"), build("two", "acme/base")
    found = [lint("child", builds=builds).findings for builds in ((), (one,), (two,))]
    assert len(looked) == 3
    assert found[1] != found[2]
    # The last is kept; what holds is looked up, not believed.
    assert lint("child", builds=(two,)).findings == found[2]
    assert len(looked) == 3
    assert lint("child", builds=(one,)).findings == found[1]
    assert len(looked) == 4


def test_circle_is_not_kept(looked: list[str]) -> None:
    put("one", "FROM acme/two\nRUN x\n")
    put("two", "FROM acme/one\nRUN x\n")
    put("child", "FROM acme/one\nRUN x\n")
    builds = (build("one", "acme/one"), build("two", "acme/two"))
    first = lint("one", "two", "child", builds=builds)
    assert lint("one", "two", "child", builds=builds) == first
    assert looked == ["one", "two", "child"] * 2


def test_trouble_is_not_kept() -> None:
    checker = Checker(load_registry(), Options(EVERYTHING))
    cache = ResultCache(checker, Store(checker))
    fine = checker.check(Source("fine", TEXTS[1]))
    troubled = [
        replace(fine, source=Source("0", TEXTS[1]), failures=(Failure("XX", "0", "why", ""),)),
        replace(fine, source=Source("1", TEXTS[1]), unanswered="failed with exit code 3"),
        replace(fine, source=Source("2", TEXTS[1]), lookups=None),
    ]
    cache.put([*troubled, fine])
    assert list(cache.get([each.source for each in (*troubled, fine)])) == ["fine"]


@pytest.mark.parametrize("fix", [False, True])
def test_fix(looked: list[str], fix: bool) -> None:
    """What has nothing to fix is served; the rest is fixed as if it were new."""
    texts = ("FROM a:1\nUSER b\n", "from a:1\nUSER b\n", "FROM a:1\nRUN x\n")
    for number, text in enumerate(texts):
        put(f"{number}", text)
    paths = [f"{number}" for number in range(len(texts))]
    if fix:
        lint(*paths)
        looked.clear()
    job = Job(Options(EVERYTHING), fix=True)
    result = lint_files(paths, job, jobs=1, with_set=False)
    assert Path("1").read_text() == "FROM a:1\nUSER b\n"
    assert result.applied.total() == 1
    if fix:
        assert set(looked) == {"1"}
    looked.clear()
    fresh = lint(*paths, options=Options(EVERYTHING, cache=False))
    assert fresh.findings == result.findings
    looked.clear()
    assert lint(*paths).findings == fresh.findings
    assert looked == []


@pytest.mark.parametrize(
    "data", [b"", b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 99]
)
def test_no_database(kept: Path, data: bytes) -> None:
    put("a", "FROM a\n")
    kept.parent.mkdir(parents=True)
    kept.write_bytes(data)
    assert [len(lint("a").findings) for _ in range(3)] == [2, 2, 2]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE results SET checked = replace(checked, 'DL3006', 'DL3007')",
        "UPDATE results SET checked = ''",
        "UPDATE results SET checked = 7",
        "UPDATE results SET checked = CAST(x'ff00' AS TEXT)",
        "DROP TABLE results",
        "DROP TABLE results; CREATE TABLE results (key, checked)",
        "DROP TABLE results; CREATE TABLE results (other)",
    ],
)
def test_spoilt(kept: Path, change: str) -> None:
    put("a", "FROM a\n")
    first = lint("a")
    with sqlite3.connect(kept) as connection:
        connection.executescript(change)
    connection.close()
    for _ in range(3):
        assert lint("a") == first


def test_every_byte_of_it_may_be_wrong(kept: Path) -> None:
    put("a", "FROM a\nRUN sudo x\n")
    first = lint("a")
    data = kept.read_bytes()
    for place in range(0, len(data), max(1, len(data) // 300)):
        kept.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        assert lint("a") == first, place


def test_somebody_elses(kept: Path, looked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    put("a", "FROM a\n")
    first = lint("a")
    before = kept.read_bytes()
    monkeypatch.setattr(database.os, "geteuid", lambda: kept.stat().st_uid + 1, raising=False)
    put("b", "FROM a\n")
    assert lint("a", "b").findings[: len(first.findings)] == first.findings
    assert looked == ["a", "a", "b"]
    assert kept.read_bytes() == before


def test_nowhere_to_keep(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "file"))
    put("a", "FROM a\n")
    assert lint("a") == lint("a")


def test_at_the_same_time(kept: Path) -> None:
    checker = Checker(load_registry(), Options(EVERYTHING))
    checked = [checker.check(Source(f"{number}", TEXTS[1])) for number in range(80)]

    def work(part: list[Checked]) -> None:
        cache = ResultCache(checker, Store(checker))
        for one in part:
            cache.put([one])
            assert one.source.path in cache.get([one.source])

    threads = [threading.Thread(target=work, args=(checked[at::4],)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = ResultCache(checker, Store(checker)).get([one.source for one in checked])
    assert [found[one.source.path] for one in checked] == checked


def test_bounded(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "MAX_BYTES", 200_000)
    checker = Checker(load_registry(), Options(EVERYTHING))
    cache = ResultCache(checker, Store(checker))
    checked = [checker.check(Source(f"{number}", TEXTS[2])) for number in range(600)]
    for start in range(0, len(checked), 20):
        cache.put(checked[start : start + 20])
        assert kept.stat().st_size < 300_000
    found = cache.get([one.source for one in checked])
    assert 50 < len(found) < 500
    assert "599" in found
    monkeypatch.setattr(cache_module, "MAX_ENTRY", 10)
    cache.put([checker.check(Source("large", TEXTS[2]))])
    assert "large" not in cache.get([Source("large", TEXTS[2])])


def test_corpus(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On real files: without, for the first time, and again."""
    from dockstrata.load.discover import discover

    monkeypatch.chdir(corpus)
    paths = discover(["."], respect_ignore=False).files
    without = lint(*paths, options=Options(EVERYTHING, cache=False, shellcheck=False))
    cold = lint(*paths, options=Options(EVERYTHING, shellcheck=False))
    warm = lint(*paths, options=Options(EVERYTHING, shellcheck=False))
    assert len(without.findings) > 5_000
    assert cold == without
    assert warm == without
