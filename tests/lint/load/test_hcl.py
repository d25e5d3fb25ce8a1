"""Expressions, templates and functions of bake files, with the results that buildx gives."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstrata.load.hcl import Function, Scope
from dockstrata.load.hcl_body import read_hcl
from dockstrata.load.hcl_expression import Parser
from dockstrata.load.hcl_functions import FUNCTIONS
from dockstrata.load.hcl_lexer import line_of
from dockstrata.load.hcl_types import RefusedError, Value
from dockstrata.load.wiring import UnknownValueError

FILE = read_hcl(
    """
X = "x"
N = null
ON = true
V = "1.10.2"
L = ["a", "b"]
M = { k = "v", list = [1, 2] }
ROWS = [{ n = "one", on = true }, { n = "two", on = false }]
twice = "${v}${v}"
tags = [for v in versions : "${name}:${v}"]
first = length(v) == 0 ? "none" : v[0]
loop = loop()
"""
).attributes
FUNCTIONS_OF_ITS_OWN = {
    "twice": Function(("v",), FILE["twice"]),
    "tags": Function(("name",), FILE["tags"], "versions"),
    "first": Function(("v",), FILE["first"]),
    "loop": Function((), FILE["loop"]),
}


def of_target(name: str, scope: Scope) -> Value:
    return {"tags": ["app:x"], "args": {"A": "1"}}[name]


def value(source: str) -> Value:
    scope = Scope(FILE, FUNCTIONS_OF_ITS_OWN, {"app": of_target}, frozenset({"UNSET"}))
    return Parser(source).expression().value(scope)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # Operators, in the order in which they bind.
        ("1 + 2 * 3 - 4 / 2", 5),
        ("7 % 3", 1),
        ("-2 + 3", 1),
        ("1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", True),
        ("!false || ON", True),
        ('"1" == 1', False),
        ("1 == 1.0", True),
        ("N == null", True),
        ('N != null && N.k == "v"', False),
        ('ON ? "yes" : nothing.at.all', "yes"),
        ('"true" ? 1 : 2', 1),
        ("M == {}", False),
        # Members, indexes, splats.
        ("M.k", "v"),
        ('M["list"][1]', 2),
        ("M.list.0", 1),
        ("ROWS[*].n", ["one", "two"]),
        ("ROWS.*.n", ["one", "two"]),
        ("N[*].n", []),
        ("M[*].k", ["v"]),
        # Collections and for.
        ('{ a = 1, "b": 2, (X) = 3 }', {"a": 1, "b": 2, "x": 3}),
        ("[for r in ROWS : r.n if r.on]", ["one"]),
        ('[for i, v in L : "${i}${v}"]', ["0a", "1b"]),
        ('{for k, v in M : upper(k) => v if k != "list"}', {"K": "v"}),
        ('{for r in ROWS : "all" => r.n...}', {"all": ["one", "two"]}),
        ('[for a in L : [for b in L : "${a}${b}"]]', [["aa", "ab"], ["ba", "bb"]]),
        ("[for v in [] : v.nothing]", []),
        ("max([1, 5, 3]...)", 5),
        # Strings and templates in them.
        ('"a${"b${"c"}"}"', "abc"),
        (r'"tab\t\"q\" é $${X}"', 'tab\t"q" é ${X}'),
        ('"${ON}"', True),
        ('"${ON}-"', "true-"),
        ('"%{ if ON }on%{ else }off%{ endif }"', "on"),
        ('"%{ for v in L }${v},%{ endfor }"', "a,b,"),
        ('"a ${~ X ~} b"', "axb"),
        # The file's own functions, and other targets.
        ('twice("ab")', "abab"),
        ('tags("n", "1", "2")', ["n:1", "n:2"]),
        ('tags("n")', []),
        ("first([])", "none"),
        ("target.app.tags", ["app:x"]),
        ("target.app.args.A", "1"),
        # try and can.
        ('try(M.none, N.x, "last")', "last"),
        ("can(M.k)", True),
        ("can(M.none)", False),
    ],
)
def test_expressions(source: str, expected: Value) -> None:
    found = value(source)
    assert found == expected
    assert type(found) is type(expected) or isinstance(found, (int, float))


ANSWERS = [
    (lambda line: (line[0], line[2]))(line.partition("\t"))
    for line in Path(__file__).with_name("hcl_answers.txt").read_text("utf-8").splitlines()
]


@pytest.mark.parametrize(("source", "expected"), ANSWERS)
def test_answers_of_buildx(source: str, expected: str) -> None:
    """``hcl_answers.txt``: expressions, and what buildx 0.29.1 makes of ``jsonencode(…)``; an
    exclamation mark where it refuses them."""
    scope = Scope({"N": None, "BAKE_CMD_CONTEXT": "cwd://"})

    def answer() -> Value:
        found = read_hcl(f"found = jsonencode({source})\n").attributes["found"]
        return found.value(scope)

    if expected == "!":
        with pytest.raises(RefusedError):
            answer()
    else:
        assert answer() == expected


def test_every_function_is_tried() -> None:
    text = Path(__file__).with_name("hcl_answers.txt").read_text("utf-8")
    assert [name for name in FUNCTIONS if f"{name}(" not in text] == []


@pytest.mark.parametrize("source", ["timestamp()", "UNSET", '"a${UNSET}"', "upper(UNSET)", "1/0"])
def test_what_nobody_knows_is_no_error(source: str) -> None:
    with pytest.raises(UnknownValueError):
        value(source)


def test_what_is_not_known_leaves_the_rest_of_a_list() -> None:
    assert value('length([UNSET, "a"])') == 2
    assert value('UNSET == "" || true') is True
    assert value('false && UNSET == ""') is False


def test_numbers_are_as_precise_as_those_of_bake() -> None:
    assert value("1/3*3") == 1
    assert isinstance(value("1/2"), Fraction)
    with pytest.raises(UnknownValueError):
        value("1e999999999")


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ('a = 1\nb = "x', 2),
        ("a = 1\nb = [\n1,\n2 3\n]", 4),
        ("a = 1\na = 2", 2),
        ('x "y" {\n  a = 1', 2),
        ('x "y" { a = 1\n}', 1),
        ('x "y" {}x "z" {}', 1),
        ('x "${y}" {}', 1),
        ("a = <<EOT\nno end", 1),
        ('a = "%{ if true }x"', 1),
        ('a = "%{ endif }x"', 1),
        ("a = " + "(" * 100, 1),
        ("a = " + "!" * 5000 + "true", 1),
        ('a = "' + "${" * 5000, 1),
    ],
)
def test_what_is_not_hcl(source: str, line: int) -> None:
    with pytest.raises((RefusedError, RecursionError)) as caught:
        read_hcl(source)
    if isinstance(caught.value, RefusedError):
        assert caught.value.offset is not None
        assert line_of(source, caught.value.offset) == line


def test_comments_and_lines_in_their_places() -> None:
    found = read_hcl(
        "# one\n// two\n/* three\n */ a = [ # c\n  1 # d\n  , 2 /* e */ ]\n"
        "b = {\n  x = 1, # f\n\n  y = 2\n  // g\n}\nc = (\n1\n+ 2\n)\r\n"
    ).attributes
    scope = Scope({})
    assert [found[name].value(scope) for name in "abc"] == [[1, 2], {"x": 1, "y": 2}, 3]


def test_a_heredoc_loses_its_margin() -> None:
    found = read_hcl(
        "a = <<-EOT\n    a\n\n      b ${1}\n    %{ if true ~}\n      c\n    %{ endif ~}\n  EOT\n"
        "b = <<EOT\n  a\\n$${x}\nEOT\nc = <<E\nE\n"
    ).attributes
    scope = Scope({})
    assert found["a"].value(scope) == "a\n\n  b 1\n      c\n"
    assert found["b"].value(scope) == "  a\\n${x}\n"
    assert found["c"].value(scope) == ""


@given(st.text(alphabet='aX"${}[]().?:=!&|+1 ,~%<-\n\\' + "bc", max_size=25))
def test_it_never_fails_otherwise(source: str) -> None:
    with suppress(RefusedError, UnknownValueError):
        body = read_hcl(f"a = {source}\n")
        body.attributes["a"].value(Scope({"X": "x"}))
    with suppress(RefusedError, UnknownValueError):
        Parser(source).template(0).value(Scope({"X": "x"}))
