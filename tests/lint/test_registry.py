from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dockstrata.errors import DockstrataError
from dockstrata.finding import Severity
from dockstrata.registry import GROUP, Registry, load_registry, make_registry
from dockstrata.rule import Fixable, Rule


def _rule(code: str, name: str = "a-name", *aliases: str, family: bool = False) -> Rule:
    return Rule(
        code, name, Severity.STYLE, aliases, Fixable.NEVER, None, None, __name__, family=family
    )


@pytest.fixture
def empty_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A path on which no pack is installed; the cache is emptied before and after."""
    load_registry.cache_clear()
    kept = [entry for entry in sys.path if "site-packages" not in entry and "rules" not in entry]
    monkeypatch.setattr(sys, "path", [str(tmp_path), *kept])
    yield tmp_path
    load_registry.cache_clear()


def _install(folder: Path, name: str, entry: str) -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[console_scripts]\nx = y:z\n\n[{GROUP}]\n{entry}\n")


def test_the_own_pack_is_found_as_importlib_finds_it() -> None:
    from importlib.metadata import entry_points

    from dockstrata.registry import _entry_points

    there = {(entry.name, entry.value) for entry in entry_points(group=GROUP)}
    assert set(_entry_points()) == there
    assert load_registry().find("DL3007") is not None


def test_a_strangers_pack_is_found(empty_path: Path) -> None:
    _install(empty_path, "strange_pack", "strange = strange_rules:RULES")
    (empty_path / "strange_rules.py").write_text(
        '"""A page."""\n'
        "from dockstrata.rule import Severity, rule\n"
        '@rule(code="XX100", name="strange", severity=Severity.INFO)\n'
        "def strange(context): return ()\n"
        "RULES = (strange,)\n"
    )
    rule = load_registry().find("xx100")
    assert rule is not None
    assert rule.page() == "A page."


def test_an_earlier_distribution_hides_a_later_one_of_its_name(
    empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockstrata.registry import _entry_points

    _install(empty_path / "b", "pack", "later = no_such_module:RULES")
    _install(empty_path / "a", "pack", "earlier = some:RULES")
    monkeypatch.setattr(sys, "path", [str(empty_path / "a"), str(empty_path / "b")])
    assert list(_entry_points()) == [("earlier", "some:RULES")]


def test_no_pack_is_an_error(empty_path: Path) -> None:
    with pytest.raises(DockstrataError, match="no rules are installed"):
        load_registry()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("no_such_module:RULES", r"'mine' \(no_such_module:RULES\) cannot be loaded: ModuleNot"),
        ("json:RULES", "cannot be loaded: AttributeError"),
        ("json:loads", "is not a tuple of rules"),
    ],
)
def test_a_broken_pack_is_an_error(empty_path: Path, value: str, message: str) -> None:
    _install(empty_path, "broken", f"mine = {value}")
    with pytest.raises(DockstrataError, match=message):
        load_registry()


def test_two_rules_of_one_name_are_refused() -> None:
    with pytest.raises(DockstrataError, match="two rules are called 'B'"):
        make_registry((_rule("A", "x", "B"), _rule("B", "y")))
    with pytest.raises(DockstrataError, match="two rules are called 'ds001'"):
        make_registry((_rule("ds001"),))


def test_find() -> None:
    shell = _rule("SC", "shellcheck", family=True)
    plain = _rule("DL1", "a-name", "Alias")
    registry = Registry((plain, shell))
    assert registry.find("ALIAS") is plain
    assert registry.find("a-NAME") is plain
    assert registry.find("SC2086") is shell
    assert registry.find("sc") is shell
    assert registry.find("SCx") is None
    assert registry.find("DL") is None


def test_sorted_by_code() -> None:
    codes = [rule.code for rule in load_registry().rules]
    assert codes == sorted(codes)
