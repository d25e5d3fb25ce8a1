"""Every rule against its golden cases and the examples of its own page."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from dockstrata.registry import load_registry
from dockstrata.report.rule_page import examples
from dockstrata.rule import Fixable, Rule
from dockstrata.testing import CaseOutcome, case_problems, cases, example_problems, run_case

HERE = Path(__file__).parent
RULES = load_registry().rules
CASES = sorted(path for _, path in cases(RULES, HERE))


def _id(value: object) -> str:
    if isinstance(value, Path):
        return value.relative_to(HERE).as_posix()
    return value.name if isinstance(value, Rule) else str(value)


def _rule(folder: Path) -> Rule:
    return next(rule for rule in RULES if rule.name == folder.parent.name)


@cache
def _run(folder: Path) -> CaseOutcome:
    return run_case(_rule(folder), folder)


@pytest.fixture
def regenerate(request: pytest.FixtureRequest) -> bool:
    asked = request.config.getoption("--regenerate", default=False)
    return bool(asked or os.environ.get("REGENERATE"))


@pytest.mark.parametrize("folder", CASES, ids=_id)
def test_case(folder: Path, regenerate: bool) -> None:
    assert case_problems(_rule(folder), folder, regenerate=regenerate) == []


@pytest.mark.parametrize("rule", RULES, ids=_id)
def test_enough_cases(rule: Rule) -> None:
    folders = [folder for folder in CASES if folder.parent.name == rule.name]
    bad = [folder for folder in folders if _run(folder).expected]
    assert len(bad) >= 2, f"tests/rules/{rule.name}: at least two cases with a finding"
    assert len(folders) - len(bad) >= 2, f"tests/rules/{rule.name}: at least two without"
    boundary = [folder for folder in folders if folder.name.startswith("boundary")]
    assert boundary, f"tests/rules/{rule.name}: no case named boundary*"
    if rule.fix is not Fixable.NEVER:
        assert any(_run(folder).fixed is not None for folder in bad), "no case with a fix"


@pytest.mark.parametrize("rule", RULES, ids=_id)
def test_page(rule: Rule) -> None:
    assert example_problems(rule) == []
    page = rule.page()
    assert rule.summary.endswith("."), "the first line is a sentence"
    assert len(page.splitlines()) > 4
    assert examples(rule)
    if rule.fix is not Fixable.NEVER:
        assert "\nFix: " in page, "the page does not say how safe the fix is"


def test_every_folder_is_a_rules() -> None:
    names = {rule.name for rule in RULES}
    folders = {path.name for path in HERE.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders <= names


def test_names_are_unique_and_well_formed() -> None:
    seen: set[str] = set()
    for rule in RULES:
        assert rule.name == rule.name.lower()
        for code in rule.codes:
            assert code.lower() not in seen, code
            seen.add(code.lower())
