"""What two tools call by two names at one place is one finding."""

from __future__ import annotations

import pytest

from dockstrata.checker import Checker, Options
from dockstrata.registry import load_registry
from dockstrata.selection import Selection
from dockstrata.source import Source

TEXT = 'FROM a:1\nCMD ["a"]\nCMD ["b"]\nCMD ["c"]\n'
BUILDKIT = "MultipleInstructionsDisallowed"


def found(selection: Selection, text: str = TEXT) -> list[tuple[int, str, tuple[str, ...]]]:
    checker = Checker(load_registry(), Options(selection))
    findings = checker.finish(checker.check(Source("Dockerfile", text)))
    return [(f.location.line, f.code, f.aliases) for f in findings]


def test_one_finding_where_both_look() -> None:
    assert found(Selection()) == [
        (2, BUILDKIT, ()),
        (3, "DL4003", (BUILDKIT,)),
        (4, "DL4003", ()),
    ]


@pytest.mark.parametrize(("code", "lines"), [("DL4003", [3, 4]), (BUILDKIT, [2, 3])])
def test_either_alone(code: str, lines: list[int]) -> None:
    alone = found(Selection(((code, 1),)))
    assert [(line, code, ()) for line in lines] == alone
    other = BUILDKIT if code == "DL4003" else "DL4003"
    assert found(Selection(None, ((other, 1),))) == alone


@pytest.mark.parametrize("code", ["DL4003", BUILDKIT])
def test_either_silences(code: str) -> None:
    text = TEXT.replace('CMD ["b"]', f'# dockstrata ignore={code}\nCMD ["b"]')
    assert [line for line, _, _ in found(Selection(), text)] == [2, 5]
