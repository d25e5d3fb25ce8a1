"""Expressions, templates and functions of bake files, with the results that HCL and bake give."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.load.hcl import Function, Scope, Value, evaluate
from dockstrata.load.hcl_functions import FUNCTIONS

VARIABLES: dict[str, object] = {
    "X": '"x"',
    "N": None,
    "ON": True,
    "V": '"1.10.2"',
    "L": ['"a"', '"b"'],
    "M": {"k": '"v"', "list": [1, 2]},
    "ROWS": [{"n": '"one"', "on": True}, {"n": '"two"', "on": False}],
}
FUNCTIONS_OF_ITS_OWN = {
    "twice": Function(("v",), '"${v}${v}"'),
    "tags": Function(("name",), '${[for v in versions : "${name}:${v}"]}', "versions"),
    "first": Function(("v",), '${length(v) == 0 ? "none" : v[0]}'),
    "loop": Function((), "${loop()}"),
}
TARGETS: dict[str, dict[str, object]] = {"app": {"tags": ['"app:${X}"'], "args": {"A": '"1"'}}}


def value(source: str) -> Value:
    scope = Scope(VARIABLES, FUNCTIONS_OF_ITS_OWN, targets=TARGETS)
    return evaluate("${" + source + "}", scope)


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


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("absolute(-2)", 2),
        ("add(123, 1)", 124),
        ("and(true, false)", False),
        ('base64decode(base64encode("a"))', "a"),
        ('basename("a/b.txt")', "b.txt"),
        ("ceil(1.2)", 2),
        (r'chomp("a\n\n")', "a"),
        ("chunklist([1, 2, 3], 2)", [[1, 2], [3]]),
        ('coalesce(null, "a")', "a"),
        ("coalescelist([], [1])", [1]),
        ('compact(["a", "", "b"])', ["a", "b"]),
        ("concat([1], [2, 3])", [1, 2, 3]),
        ('contains(L, "a")', True),
        ('dirname("a/b/c")', "a/b"),
        ('distinct(["a", "b", "a"])', ["a", "b"]),
        ("divide(6, 4)", 1.5),
        ("element(L, 3)", "b"),
        ('equal(ON, "true")', False),
        ("flatten([[1, [2]], 3])", [1, 2, 3]),
        ("floor(1.8)", 1),
        ('format("%s-%03d-%v%%-%q", "a", 7, true, "b")', 'a-007-true%-"b"'),
        ('formatlist("%s:%s", L, "1")', ["a:1", "b:1"]),
        ("greaterthan(2, 1)", True),
        ('hasindex(M, "k")', True),
        (r'indent(2, "a\nb")', "a\n  b"),
        ('index(M, "k")', "v"),
        ('indexof(L, "b")', 1),
        ("int(1.9)", 1),
        ('join(",", L, ["c"])', "a,b,c"),
        (r'jsondecode("{\"a\": [1]}")', {"a": [1]}),
        ("jsonencode({a = [1]})", '{"a":[1]}'),
        ("keys(M)", ["k", "list"]),
        ("length(L)", 2),
        ("lessthanorequalto(1, 1)", True),
        ('lookup(M, "none", "d")', "d"),
        ('md5("a")', "0cc175b9c0f1b6a831c399e269772661"),
        ("merge({a = 1}, {a = 2, b = 3})", {"a": 2, "b": 3}),
        ("min(3, 1)", 1),
        ("modulo(7, 3)", 1),
        ("multiply(2, 3)", 6),
        ("negate(2)", -2),
        ("not(false)", True),
        ('notequal("a", "b")', True),
        ("or(false, true)", True),
        ('parseint("ff", 16)', 255),
        ("range(3)", [0, 1, 2]),
        ("range(1, 4)", [1, 2, 3]),
        ("range(4, 0, -2)", [4, 2]),
        (r'regex("(\\d+)\\.(\\d+)", V)', ["1", "10"]),
        (r'regex("\\d+", V)', "1"),
        (r'regexall("(?P<n>\\d+)", V)[1].n', "10"),
        (r'regexall("z", V)', []),
        (r'regex_replace("a b!", "[^\\w]", "-")', "a-b-"),
        (r'regex_replace("-a", "^([^\\w])", "r$0")', "r-a"),
        ('replace(V, ".", "-")', "1-10-2"),
        ('replace(3.10, ".", "-")', "3-1"),
        ('reverse("ab")', "ba"),
        ("reverselist(L)", ["b", "a"]),
        ('sanitize("a/b:1.0")', "a_b_1_0"),
        ('setproduct(["a"], ["1", "2"])', [["a", "1"], ["a", "2"]]),
        ("signum(-3)", -1),
        ("slice([1, 2, 3], 1, 3)", [2, 3]),
        ('sort(["b", "a"])', ["a", "b"]),
        ('split(".", V)', ["1", "10", "2"]),
        ('strlen("abc")', 3),
        ('substr("hello", 1, 3)', "ell"),
        ('substr("hello", -3, -1)', "llo"),
        ("subtract(3, 1)", 2),
        ('title("ab cd")', "Ab Cd"),
        ('trim("--a-", "-")', "a"),
        ('trimprefix("v1", "v")', "1"),
        ('trimspace(" a ")', "a"),
        ('trimsuffix("a.git", ".git")', "a"),
        ('upper("é")', "É"),
        ('urlencode("a b&")', "a+b%26"),
        ("values({b = 2, a = 1})", [1, 2]),
        ("zipmap(L, [1, 2])", {"a": 1, "b": 2}),
    ],
)
def test_functions(source: str, expected: Value) -> None:
    assert value(source) == expected


def test_every_function_is_tried() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    untried = {name for name in FUNCTIONS if f"{name}(" not in text}
    assert untried == {"lower", "greaterthanorequalto", "lessthan", "sha1", "sha256", "sha512"}


def test_a_semantic_version_is_taken_apart() -> None:
    """Matches with named groups, an object that may be empty, tags by condition."""
    own = {
        "parts": Function(("m",), "${length(m) == 0 ? {} : m[0]}"),
        "tags": Function(
            ("v",),
            '${v == {} ? ["edge"] : v.pre == null ? [v.major, "${v.major}.${v.minor}"] : [v.pre]}',
        ),
    }
    pattern = r"^v?(?P<major>\\d+)\\.(?P<minor>\\d+)(?:-(?P<pre>\\w+))?$"
    for rev, tags in {"v1.2": ["1", "1.2"], "1.2-rc": ["rc"], "main": ["edge"]}.items():
        source = f'${{tags(parts(regexall("{pattern}", "{rev}")))}}'
        assert evaluate(source, Scope({}, own)) == tags
