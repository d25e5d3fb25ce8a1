from __future__ import annotations

import pytest

from dockstrata.errors import DockstrataError
from dockstrata.selection import (
    EXACT,
    Selection,
    is_buildkit_name,
    is_peers_code,
    require_known,
    specificity,
    split,
)

DL4000 = ("DL4000", "MaintainerDeprecated", "maintainer-deprecated")
DL3007 = ("DL3007", "latest-tag")
DS101 = ("DS101", "repeated-prefix")


@pytest.mark.parametrize(
    ("selector", "rank"),
    [
        ("ALL", 0),
        ("all", 0),
        ("BuildKit", 1),
        ("DL", 2),
        ("dl4", 3),
        ("DL400", 5),
        ("DL4000", EXACT),
        ("maintainerdeprecated", EXACT),
        ("maintainer-deprecated", EXACT),
        ("DS", -1),
        ("DL3", -1),
        ("maintainer", -1),  # a prefix of a name is no prefix of a code
        ("Maint", -1),
        ("D", -1),
        ("", -1),
    ],
)
def test_specificity(selector: str, rank: int) -> None:
    assert specificity(selector, DL4000) == rank


def test_buildkit_names() -> None:
    assert all(map(is_buildkit_name, ("StageNameCasing", "JSONArgsRecommended")))
    assert not any(map(is_buildkit_name, ("DL3007", "latest-tag", "ALL", "SC", "")))


def _selection(select: str | None = None, ignore: str = "", extend: str = "") -> Selection:
    def layered(text: str) -> tuple[tuple[str, int], ...]:
        return tuple((name.lstrip("^"), int(name.startswith("^"))) for name in text.split())

    return Selection(None if select is None else layered(select), layered(ignore), layered(extend))


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (_selection(), True),
        (_selection(ignore="DL"), False),
        (_selection(ignore="ALL"), False),
        (_selection(ignore="DL3007"), True),
        (_selection(select="DL"), True),
        (_selection(select="DS"), False),
        (_selection(select=""), False),
        (_selection(select="DL4000", ignore="DL"), True),  # the closer one wins
        (_selection(select="DL", ignore="DL4"), False),
        (_selection(select="DL4000", ignore="DL4000"), False),
        (_selection(select="^DL4000", ignore="DL4000"), True),  # the command line over a file
        (_selection(select="DL4000", ignore="^MaintainerDeprecated"), False),
        (_selection(select="DS", extend="DL4000"), True),
        (_selection(ignore="BuildKit"), False),
    ],
)
def test_select_against_ignore(selection: Selection, wanted: bool) -> None:
    assert selection.wants(DL4000) is wanted


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (_selection(), False),
        (_selection(select="DL"), False),
        (_selection(select="BuildKit"), False),
        (_selection(select="ALL"), True),
        (_selection(select="DL4000"), True),
        (_selection(extend="maintainer-deprecated"), True),
    ],
)
def test_off_by_default(selection: Selection, wanted: bool) -> None:
    assert selection.wants(DL4000, default=False) is wanted


def test_always_on_until_ignored() -> None:
    assert _selection(select="DL3007").wants(("DS001", "parse-error"), always=True)
    assert not _selection(ignore="DS001").wants(("DS001", "parse-error"), always=True)
    assert not _selection(select="DL", ignore="DS").wants(("DS001", "parse-error"), always=True)


def test_a_family_runs_where_any_code_of_it_may_be_wanted() -> None:
    assert _selection().may_want("SC", "shellcheck")
    assert _selection(select="SC2086").may_want("SC", "shellcheck")
    assert not _selection(select="DL").may_want("SC", "shellcheck")
    assert not _selection(ignore="SC").may_want("SC", "shellcheck")
    assert _selection(select="SC2086", ignore="SC").may_want("SC", "shellcheck")


def test_split() -> None:
    assert split(("A, B", "C", "", ",")) == ("A", "B", "C")


def test_unknown_is_refused_with_the_nearest() -> None:
    rules = [DL4000, DL3007, DS101]
    require_known(("ALL", "BuildKit", "DL", "DL3", "DS1", "latest-tag"), rules, "x")
    with pytest.raises(DockstrataError, match=r"x: unknown rule 'latst-tag'; did you mean latest"):
        require_known(("latst-tag",), rules, "x")
    with pytest.raises(DockstrataError, match=r"unknown rule 'ZZ9'$"):
        require_known(("ZZ9",), rules, "x")


@pytest.mark.parametrize("code", ["SC2086", "SC", "DL3000", "DL3067", "DL1001", "DL4006", "dl3"])
def test_codes_of_peers(code: str) -> None:
    assert is_peers_code(code)


@pytest.mark.parametrize("code", ["DL3068", "DL9999", "DL30000", "DS101", "DLX", ""])
def test_no_codes_of_peers(code: str) -> None:
    assert not is_peers_code(code)
