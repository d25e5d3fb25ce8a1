from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from dockstrata.checker import Checker, Options
from dockstrata.finding import Finding, Fix, Severity
from dockstrata.fixer import MAX_ROUNDS, Fixed, difference, fix_source
from dockstrata.meaning.evaluate import evaluate
from dockstrata.registry import Registry, make_registry
from dockstrata.rule import Context, Rule, Span, rule, safe, unsafe
from dockstrata.source import Source
from dockstrata.syntax.parse import parse

Make = Callable[..., Fix]


def replacing(
    old: str, new: str, make: Make = safe, code: str = "XX1", *, changes_meaning: bool = False
) -> Rule:
    """A rule that finds each ``old`` and puts ``new`` in its place."""

    @rule(code=code, name=code.lower() + "-rule", severity=Severity.INFO,
          changes_meaning=changes_meaning)  # fmt: skip
    def found(context: Context) -> Iterator[Finding]:
        text, at = context.source.text, -1
        while (at := text.find(old, at + 1)) >= 0:
            span = Span(at, at + len(old))
            yield context.finding(span, f"{old!r}", fix=make(context.edit(span, new)))

    return found


def fix(text: str, *rules: Rule, unsafe: bool = False) -> Fixed:
    registry: Registry = make_registry(rules)
    checker = Checker(registry, Options())

    def lint(source: Source) -> Sequence[Finding]:
        return checker.finish(checker.check(source))

    return fix_source(Source("Dockerfile", text), lint, registry, unsafe=unsafe)


def test_every_place_at_once_and_counted() -> None:
    result = fix("from a\nRUN b\nfrom c\n", replacing("from", "FROM"))
    assert result.source.text == "FROM a\nRUN b\nFROM c\n"
    assert result.applied == {"XX1": 2}
    assert result.dropped == []


def test_nothing_to_fix() -> None:
    source = Source("Dockerfile", "FROM a\n")
    result = fix_source(source, lambda _: [], make_registry(()), unsafe=True)
    assert result.source is source


def test_a_safe_fix_that_changes_the_build_is_dropped() -> None:
    result = fix("FROM a\nRUN b\n", replacing("RUN b", "RUN c"))
    assert result.source.text == "FROM a\nRUN b\n"
    assert [(d.code, d.line, d.reason) for d in result.dropped] == [
        ("XX1", 2, "the build of stage 0 would change")
    ]
    assert not result.applied


def test_a_safe_fix_that_changes_the_configuration_is_dropped() -> None:
    result = fix("FROM a\nCMD b\n", replacing("CMD b", "CMD c"))
    assert [d.reason for d in result.dropped] == ["the configuration of stage 0 would change"]


def test_a_rule_whose_point_it_is_may_change_the_image() -> None:
    result = fix("FROM a\nRUN b\n", replacing("RUN b", "RUN c", changes_meaning=True))
    assert result.source.text == "FROM a\nRUN c\n"


def test_good_ones_are_applied_where_a_bad_one_is_dropped() -> None:
    result = fix(
        "from a\nRUN b\nrun c\n",
        replacing("from", "FROM", code="XX1"),
        replacing("b", "x", code="XX2"),
        replacing("run", "RUN", code="XX3"),
    )
    assert result.source.text == "FROM a\nRUN b\nRUN c\n"
    assert result.applied == {"XX1": 1, "XX3": 1}
    assert [d.code for d in result.dropped] == ["XX2"]


def test_a_liar_does_not_hide_behind_a_rule_that_changes_the_image() -> None:
    result = fix(
        "FROM a\nRUN b\nRUN c\n",
        replacing("RUN b", "RUN x", code="XX1", changes_meaning=True),
        replacing("RUN c", "RUN y", code="XX2"),
    )
    assert result.source.text == "FROM a\nRUN x\nRUN c\n"
    assert [d.code for d in result.dropped] == ["XX2"]


@pytest.mark.parametrize("make", [safe, unsafe])
def test_what_would_not_parse_is_dropped(make: Make) -> None:
    result = fix("FROM a\nRUN b\n", replacing("RUN b", "RUNN b", make), unsafe=True)
    assert result.source.text == "FROM a\nRUN b\n"
    (dropped,) = result.dropped
    assert dropped.reason.startswith("the text would not parse: unknown instruction: RUNN")


def test_a_file_with_a_fault_is_fixed_if_no_new_one_comes() -> None:
    result = fix("from a\nCOPY b\n", replacing("from", "FROM"))
    assert result.source.text == "FROM a\nCOPY b\n"


def test_unsafe_ones_only_where_asked() -> None:
    rule_ = replacing("RUN b", "RUN c", unsafe)
    assert fix("FROM a\nRUN b\n", rule_).source.text == "FROM a\nRUN b\n"
    assert fix("FROM a\nRUN b\n", rule_, unsafe=True).source.text == "FROM a\nRUN c\n"


def test_safe_ones_go_first() -> None:
    result = fix(
        "FROM a\nRUN b\n",
        replacing("RUN b", "RUN c", unsafe, "XX1"),
        replacing("RUN b", "RUN  b", safe, "XX2"),
        unsafe=True,
    )
    assert result.applied["XX2"] == 1


def test_overlapping_ones_wait_for_the_next_round() -> None:
    result = fix(
        "from a as b\n",
        replacing("from a", "FROM a", code="XX1"),
        replacing(" a as", " a AS", code="XX2"),
    )
    assert result.source.text == "FROM a AS b\n"
    assert result.applied == {"XX1": 1, "XX2": 1}


def test_a_fix_behind_a_dropped_one_still_gets_its_turn() -> None:
    result = fix(
        "from a\nRUN b\n",
        replacing("from a", "FROM x", code="XX1"),
        replacing("from", "FROM", code="XX2"),
    )
    assert result.source.text == "FROM a\nRUN b\n"
    assert [d.code for d in result.dropped] == ["XX1"]


def test_rules_that_fight_are_named() -> None:
    result = fix(
        "FROM a\n", replacing("FROM", "from", code="XX1"), replacing("from", "FROM", code="XX2")
    )
    assert [d.reason for d in result.dropped] == ["fixes undo each other: XX1, XX2"]


def test_no_end_is_an_end() -> None:
    result = fix("FROM a\n", replacing("FROM", "#\nFROM"))
    assert result.source.text.count("#") == MAX_ROUNDS
    assert [d.reason for d in result.dropped] == [f"fixes come to no end after {MAX_ROUNDS} rounds"]


def test_newlines_are_the_files_own() -> None:
    result = fix("FROM a\r\nRUN b\r\n", replacing("RUN b", "#\nRUN b"), unsafe=True)
    assert "\n" not in result.source.text.replace("\r\n", "")


def test_bytes_that_are_no_utf8_survive() -> None:
    data = b"from a\nRUN echo \xff\xfe\n"
    registry = make_registry((replacing("from", "FROM"),))
    checker = Checker(registry, Options())
    result = fix_source(
        Source.from_bytes("Dockerfile", data),
        lambda source: checker.finish(checker.check(source)),
        registry,
        unsafe=False,
    )
    assert result.source.to_bytes() == b"FROM a\nRUN echo \xff\xfe\n"


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("FROM a AS x\nRUN b\n", "from a as X\n# c\nRUN b", None),
        ("FROM a\n", "FROM a\nFROM b\n", "the number of stages would change"),
        ("FROM a AS x\n", "FROM a AS y\n", "stage x would have another name"),
        ("FROM a\n", "FROM b\n", "the build of stage 0 would change"),
        ("FROM a\nENV A=1\n", "FROM a\nENV A=2\n", "the configuration of stage 0 would change"),
    ],
)
def test_difference(before: str, after: str, reason: str | None) -> None:
    one, other = (evaluate(parse(Source("D", text))) for text in (before, after))
    assert difference(one, other) == reason
