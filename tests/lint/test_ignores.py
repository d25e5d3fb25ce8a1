from __future__ import annotations

from collections.abc import Iterator

import pytest

from dockstrata.checker import Checker, Options
from dockstrata.finding import Finding, Severity, apply_edits
from dockstrata.registry import make_registry
from dockstrata.rule import Context, rule, set_rule
from dockstrata.selection import Selection
from dockstrata.source import Source


@rule(code="DL3007", name="from-rule", severity=Severity.WARNING)
def from_rule(context: Context) -> Iterator[Finding]:
    for node in context.instructions("FROM"):
        yield context.finding(node, "from")


@rule(code="DL4000", name="run-rule", severity=Severity.INFO, aliases=("RunIsBad",))
def run_rule(context: Context) -> Iterator[Finding]:
    for node in context.instructions("RUN"):
        yield context.finding(node, "run")


@set_rule(code="DS101", name="about-the-set", severity=Severity.INFO)
def about_the_set(context: object) -> tuple[Finding, ...]:
    return ()


REGISTRY = make_registry((from_rule, run_rule, about_the_set))


def findings(text: str, selection: Selection | None = None, **options: bool) -> list[Finding]:
    checker = Checker(REGISTRY, Options(selection or Selection(), **options))  # type: ignore[arg-type]
    return checker.finish(checker.check(Source("Dockerfile", text)))


def left(text: str, selection: Selection | None = None, **options: bool) -> list[str]:
    return [f"{f.location.line} {f.code}" for f in findings(text, selection, **options)]


def test_nothing_ignored() -> None:
    assert left("FROM a\nRUN b\n") == ["1 DL3007", "2 DL4000"]


@pytest.mark.parametrize(
    "comment",
    [
        "# dockstrata ignore=DL3007 because",
        "#dockstrata ignore=DL3007",
        "#   DOCKSTRATA   ignore = dl3007",
        "  # dockstrata ignore=from-rule",
        "# dockstrata ignore=DL3007, RunIsBad -- reason",
        "# dockstrata ignore=DL3007\n\n# another comment\n",
        "# dockstrata ignore-file=DL3007",
        "# dockstrata global ignore=DL3007",
        "# dockstrata ignore-stage=DL3007",
        "# hadolint ignore=DL3007",
        "# hadolint  ignore = DL3007 , DL3008",
        "#hadolint global ignore=DL3007",
        "# hadolint global ignore=DL3007\n# and more",
        "# check=skip=from-rule",
        "# check=skip=Other, DL3007",
        "# check=skip=all",
        "# syntax=docker/dockerfile:1\n# check=error=true;skip=DL3007",
    ],
)
def test_silences_the_from(comment: str) -> None:
    text = f"{comment}\nFROM a\n"
    found = [line for line in left(text) if line.endswith("DL3007")]
    assert found == []


@pytest.mark.parametrize(
    "comment",
    [
        "# dockstrata ignore=DL4000",
        "# not dockstrata ignore=DL3007",
        "# dockstrata ignores=DL3007",
        # As hadolint 2.15 reads its own comments, measured:
        "# hadolint ignore=DL3007\n",
        "# hadolint ignore=DL3007\n# another comment",
        "# hadolint ignore=DL3007\n# hadolint ignore=DL3006",
        "# hadolint ignore=DL3007 because",
        "# hadolint ignore=dl3007",
        "# hadolint ignore=DL3007;DL3006",
        "# HADOLINT ignore=DL3007",
        "##hadolint ignore=DL3007",
        "# check=skip=None",
        "# a comment\n# check=skip=all",  # a directive no more
    ],
)
def test_does_not_silence_the_from(comment: str) -> None:
    text = f"{comment}\nFROM a\n"
    assert [line for line in left(text) if line.endswith("DL3007")] != []


def test_an_instruction_alone() -> None:
    text = "FROM a\n# dockstrata ignore=DL4000 x\nRUN b\nRUN c\n"
    assert left(text) == ["1 DL3007", "4 DL4000"]


def test_inside_a_continued_instruction() -> None:
    text = "FROM a\nRUN b \\\n  # dockstrata ignore=DL4000 x\n  c\nRUN d\n"
    assert left(text) == ["1 DL3007", "5 DL4000"]
    assert left(text.replace("dockstrata", "hadolint")) == ["1 DL3007", "2 DL4000", "5 DL4000"]


def test_not_in_a_heredoc() -> None:
    text = "FROM a\nRUN <<EOF\n# dockstrata ignore=DL4000 x\nb\nEOF\n"
    assert left(text) == ["1 DL3007", "2 DL4000"]


def test_a_stage() -> None:
    text = (
        "FROM a\nRUN b\n# dockstrata ignore-stage=DL4000 x\nFROM c\nRUN d\nRUN e\nFROM f\nRUN g\n"
    )
    assert left(text) == ["1 DL3007", "2 DL4000", "4 DL3007", "7 DL3007", "8 DL4000"]


def test_a_stage_from_within() -> None:
    text = "FROM a\nRUN b\nFROM c\nRUN d\n# dockstrata ignore-stage=DL4000 x\nRUN e\n"
    assert left(text) == ["1 DL3007", "2 DL4000", "3 DL3007"]


def test_hadolints_comments_can_be_turned_off() -> None:
    text = "# hadolint ignore=DL3007\nFROM a\n"
    assert left(text, hadolint_comments=False) == ["2 DL3007"]
    ours = text.replace("hadolint", "dockstrata")
    assert left(ours, hadolint_comments=False) == []


def test_check_error_makes_buildkits_findings_errors() -> None:
    found = findings("# check=error=true\nFROM a\nRUN b\n")
    assert [(f.code, f.severity) for f in found] == [
        ("DL3007", Severity.WARNING),
        ("DL4000", Severity.ERROR),
    ]


class TestUnused:
    def test_is_found_and_removed(self) -> None:
        text = "FROM a\n# dockstrata ignore=DL3007,RunIsBad,from-rule why\nRUN b\n"
        (first, unused) = findings(text)
        assert first.code == "DL3007"
        assert unused.code == "DS002"
        assert unused.message == "silences nothing: 'DL3007', 'from-rule'"
        assert unused.fix is not None
        fixed = apply_edits(text, unused.fix.edits)
        assert fixed == "FROM a\n# dockstrata ignore=RunIsBad why\nRUN b\n"
        assert left(fixed) == ["1 DL3007"]

    def test_the_whole_comment_goes_with_its_line(self) -> None:
        text = "FROM a\n  # dockstrata ignore=DL4000 why\n"
        unused = findings(text)[1]
        assert unused.fix is not None
        assert apply_edits(text, unused.fix.edits) == "FROM a\n"

    def test_of_a_rule_that_did_not_run_is_not_unused(self) -> None:
        text = "# dockstrata ignore=DL4000,DS101 why\nFROM a\n"
        assert left(text) == ["1 DS002", "2 DL3007"]
        only = Selection(select=(("DL3007", 1), ("DS002", 1)))
        assert left(text, only) == ["2 DL3007"]
        message = findings(text)[0].message
        assert message == "silences nothing: 'DL4000'"  # the set's rule did not run

    def test_is_not_reported_unless_selected(self) -> None:
        only = Selection(select=(("DL", 1),))
        assert left("# dockstrata ignore=DL4000 why\nFROM a\n", only) == ["2 DL3007"]

    def test_is_not_asked_of_a_broken_file(self) -> None:
        text = "# dockstrata ignore=DL4000 why\nFROM a\nRUNN b\n"
        assert left(text) == ["2 DL3007", "3 DS001"]

    def test_can_itself_be_ignored(self) -> None:
        text = "# dockstrata ignore-file=DS002 why\n# dockstrata ignore=DL4000\nFROM a\n"
        assert left(text) == ["3 DL3007"]

    def test_hadolints_are_never_called_unused(self) -> None:
        assert left("# hadolint ignore=DL4000\nFROM a\n") == ["2 DL3007"]


def test_no_code() -> None:
    found = findings("# dockstrata ignore\nFROM a\n")
    assert [(f.code, f.message) for f in found if f.location.line == 1] == [
        ("DS003", "names no rule: write 'ignore=CODE'")
    ]


def test_a_reason_is_asked_for_only_where_wanted() -> None:
    text = "# dockstrata ignore=DL3007\nFROM a\n"
    assert left(text) == []
    assert left(text, Selection(extend=(("DS004", 1),))) == ["1 DS004"]
    good = "# dockstrata ignore=DL3007 (why)\nFROM a\n"
    assert left(good, Selection(extend=(("DS004", 1),))) == []


def test_crlf() -> None:
    assert left("# dockstrata ignore=DL3007\r\nFROM a\r\n") == []
    text = "# hadolint ignore=DL3007\r\nFROM a\r\nRUN b\r\n"
    assert left(text) == ["3 DL4000"]
