"""Every rule of the pack against its golden cases, and the examples of its page.

REGENERATE=1 writes the golden files; read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from acme_rules import RULES

from dockstrata.rule import Rule
from dockstrata.testing import case_problems, cases, example_problems

CASES = cases(RULES, Path(__file__).parent / "cases")


@pytest.mark.parametrize(("rule", "folder"), CASES, ids=lambda value: value.name)
def test_case(rule: Rule, folder: Path) -> None:
    assert case_problems(rule, folder, regenerate="REGENERATE" in os.environ) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_page(rule: Rule) -> None:
    assert example_problems(rule) == []


def test_every_rule_has_cases() -> None:
    assert {rule.name for rule, _ in CASES} == {rule.name for rule in RULES}
