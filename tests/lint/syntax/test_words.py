"""Words: each operator as BuildKit documents it (against a port of its lexer: ``test_fuzz``)."""

from __future__ import annotations

import re

import pytest

from dockstrata.syntax.words import (
    WordError,
    expand,
    expand_words,
    is_symbol,
    is_symbolic,
    symbol,
)

VALUES = {
    "set": "value",
    "empty": "",
    "path": "/usr/local/lib",
    "star": "a*b?c",
    "lines": "ab\nab\nb",
    "spaced": " one  two ",
    "quoted": '"$set"',
    "dollar": "$0-$1-$$",
    "_x1": "under",
    "é": "accent",
    "1": "first",
    "slash": "x/y}z",
}

CASES = [
    # Plain variables, and what ends a name.
    ("$set", "value"),
    ("${set}s", "values"),
    ("$sets", ""),
    ("$set-x", "value-x"),
    ("$_x1.", "under."),
    ("$é", "accent"),
    ("$1", "first"),
    ("$10", ""),
    ("$1a", "firsta"),
    ("$@a", "a"),
    ("$", "$"),
    ("a$ b", "a$ b"),
    ("$/", "$/"),
    ("${unset}", ""),
    # Quotes and escapes.
    ("'$set'", "$set"),
    ('"$set"', "value"),
    ("\\$set", "$set"),
    ('"\\$set"', "$set"),
    ("'\\$set'", "\\$set"),
    ("\\a\\'", "a'"),
    ('"\\a\\""', '\\a"'),
    ("a\\", "a"),
    ("'a'\"b\"c", "abc"),
    ('"it\'s"', "it's"),
    ("$quoted", '"$set"'),
    ("\ufeffa\ufeff", "a\ufeff"),
    # Defaults and alternatives: a colon also takes the empty value for none.
    ("${set:-w}", "value"),
    ("${empty:-w}", "w"),
    ("${unset:-w}", "w"),
    ("${set-w}", "value"),
    ("${empty-w}", ""),
    ("${unset-w}", "w"),
    ("${set:+w}", "w"),
    ("${empty:+w}", ""),
    ("${unset:+w}", ""),
    ("${set+w}", "w"),
    ("${empty+w}", "w"),
    ("${unset+w}", ""),
    ("${set:?w}", "value"),
    ("${set?w}", "value"),
    ("${empty?w}", ""),
    ("${unset:-$set}", "value"),
    ("${unset:-${empty:-${set}}}", "value"),
    ('${unset:-"a b"}', "a b"),
    ("${unset:-'}'}", "}"),
    ("${unset:-\\}}", "}"),
    ("${unset:-a:b}", "a:b"),
    ("\"${unset:-'$set'}\"", "$set"),
    # Prefixes and suffixes, the shortest and the longest.
    ("${path#*/}", "usr/local/lib"),
    ("${path##*/}", "lib"),
    ("${path%/*}", "/usr/local"),
    ("${path%%/*}", ""),
    ("${path#/usr}", "/local/lib"),
    ("${path%lib}", "/usr/local/"),
    ("${path#x}", "/usr/local/lib"),
    ("${path#}", "/usr/local/lib"),
    ("${path#????}", "/local/lib"),
    ("${path%?}", "/usr/local/li"),
    ("${path##*l*l*}", ""),
    ("${path##*l*l}", "ib"),
    ("${path#*l*l}", "/lib"),
    ("${path%l*l*}", "/usr/loca"),
    ("${path%%l*l*}", "/usr/"),
    ("${star#a\\*}", "b?c"),
    ("${star%\\?c}", "a*b"),
    ("${lines#*}", "ab\nab\nb"),
    ("${lines##*}", "\nab\nb"),
    ("${lines%%*b}", "ab\nab\n"),
    ("${lines%?b}", "ab\nab\nb"),
    ("${unset#a}", ""),
    ("${path#$unset/}", "usr/local/lib"),
    ("${path#'/usr'}", "/local/lib"),
    # Replacing the first and every match: as much as can be.
    ("${path/l/L}", "/usr/Local/lib"),
    ("${path//l/L}", "/usr/LocaL/Lib"),
    ("${path/\\//:}", ":usr/local/lib"),
    ("${path//\\//:}", ":usr:local:lib"),
    ("${path/l*l/_}", "/usr/_ib"),
    ("${path//?o/_}", "/usr/_cal/lib"),
    ("${path/nothing/x}", "/usr/local/lib"),
    ("${path//l/}", "/usr/oca/ib"),
    ("${path/l/$set}", "/usr/valueocal/lib"),
    ("${slash//\\}/_}", "x/y_z"),
    ("${star//\\*/_}", "a_b?c"),
    ("${star//./_}", "a*b?c"),
    ("${unset/a/b}", ""),
    # An empty match right behind another one is none, in Go.
    ("${set//*/x}", "x"),
    ("${set///-}", "-v-a-l-u-e-"),
    ("${set/*/x}", "x"),
    ("${lines//*/x}", "x\nx\nx"),
    # Go's templates hold for every match alone.
    ("${set//l/<$dollar>}", "va<l--$>ue"),
    ("${set/l/<$dollar>}", "va<$0-$1-$$>ue"),
    # A name ends at what is neither letter nor decimal digit.
    ("${set//l/'$0²'}", "val²ue"),
    ("${set//l/'$a²'}", "va²ue"),
    ("${set//l/'$²'}", "va$²ue"),
    ("${set//l/'${0²}'}", "va${0²}ue"),
    ("${set//l/'${0}0'}", "val0ue"),
]

ERRORS = [
    ("${", "syntax error: missing '}'"),
    ("${a", "syntax error: missing '}'"),
    ("${a:", "syntax error: missing '}'"),
    ("${a:-b", "syntax error: missing '}'"),
    ("${a#b", "syntax error: missing '}'"),
    ("${a/b", "syntax error: missing '/' in ${}"),
    ("${a/b/c", "syntax error: missing '}'"),
    ("${}", "syntax error: bad substitution"),
    ("${:-a}", "syntax error: bad substitution"),
    ("${{a}", "syntax error: bad substitution"),
    ("${a=b}", "unsupported modifier (=) in substitution"),
    ("${a:=b}", "unsupported modifier (:=) in substitution"),
    ("${a:#b}", "unsupported modifier (:#) in substitution"),
    ("${a b}", "unsupported modifier ( ) in substitution"),
    ("${set#\\a}", "invalid pattern (\\a) in substitution: invalid escape '\\a'"),
    ("${unset:?}", "unset: is not allowed to be unset"),
    ("${unset?}", "unset: is not allowed to be unset"),
    ("${empty:?}", "empty: is not allowed to be empty"),
    ("${unset:?give $set}", "unset: give value"),
    ("${empty:?give it}", "empty: give it"),
    ("'a", "unexpected end of statement while looking for matching single-quote"),
    ('"a', "unexpected end of statement while looking for matching double-quote"),
    ("${a:-" * 60, "substitution nested too deeply"),
]


@pytest.mark.parametrize(("word", "expected"), CASES)
def test_expansion(word: str, expected: str) -> None:
    assert expand(word, VALUES.get) == expected


@pytest.mark.parametrize(("word", "message"), ERRORS)
def test_error(word: str, message: str) -> None:
    with pytest.raises(WordError, match=f"^{re.escape(message)}$"):
        expand(word, VALUES.get)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("`$set", "$set"),
        ("\\$set", "\\value"),
        ("C:\\a", "C:\\a"),
        ('"`""', '"'),
        ('"`a"', "`a"),
        ("${unset:-`}}", "}"),
    ],
)
def test_backtick(word: str, expected: str) -> None:
    assert expand(word, VALUES.get, "`") == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("'$set'", "'value'"), ('a"b', 'a"b'), ("it's $set", "it's value"), ("\\$set", "$set")],
)
def test_quotes_without_meaning(word: str, expected: str) -> None:
    assert expand(word, VALUES.get, quotes=False) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  b\tc", ["a", "b", "c"]),
        ("$spaced", ["one", "two"]),
        ('"$spaced"x', [" one  two x"]),
        ("a$spaced", ["a", "one", "two"]),
        ("a\\ b c", ["a b", "c"]),
        ("$unset '' \"\"", []),
        ("a''b", ["ab"]),
        ("a\u00a0b\x1cc", ["a", "b\x1cc"]),
        ("${unset:-a b}", ["a", "b"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert expand_words(text, VALUES.get) == expected


def test_more_stars_than_a_regular_expression_has_numbered_groups() -> None:
    given = {"v": "a" * 120 + "x"}
    assert expand("${v##" + "*a" * 120 + "}", given.get) == "x"
    assert expand("${v##" + "*a" * 121 + "}", given.get) == given["v"]


def test_not_utf8_becomes_a_replacement() -> None:
    assert expand("'\udcff'", VALUES.get) == "\ufffd"


@pytest.mark.parametrize("word", ["${v:-w}", "${v+w}", "${v:?w}", "${v#p}", "${v%%p}", "${v//p/r}"])
def test_operations_on_a_symbol_stay(word: str) -> None:
    one, other = symbol("arg", "a"), symbol("arg", "b")
    first = expand(word, {"v": one}.get)
    assert is_symbolic(first)
    assert first == expand(word, {"v": one}.get)
    assert first != expand(word, {"v": other}.get)
    assert first != expand(word.replace("w", "x").replace("p", "x"), {"v": one}.get)


@pytest.mark.parametrize("word", ["${v#$p}", "${v%%$p}", "${v/$p/r}", "${v//$p/r}", "${v//l/$p}"])
def test_symbolic_patterns_are_not_matched(word: str) -> None:
    symbols = {"v": "value", "p": symbol("arg", "p")}
    found = expand(word, symbols.get)
    assert is_symbolic(found)
    assert found != symbols["v"]
    assert found != expand(word, {**symbols, "v": "other"}.get)


def test_one_symbol_alone() -> None:
    inner = symbol("arg", "v")
    value = symbol("root-or", "v", inner)
    assert is_symbol(value, "root-or", "v")
    assert is_symbol(value, "root-or")
    assert not is_symbol(value, "root-or", "w")
    assert not is_symbol(value + "x", "root-or", "v")
    assert not is_symbol(value + inner, "root-or", "v")
    assert not is_symbol("x" + value, "root-or", "v")


def test_symbols_are_told_apart_whatever_the_text_holds() -> None:
    given = {"v": symbol("arg", "v")}
    assert expand("${v/a\x1fb/c}", given.get) != expand("${v/a/b\x1fc}", given.get)
