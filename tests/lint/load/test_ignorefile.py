"""Docker's ignore files, by the documentation (against a port of the matcher: ``test_fuzz``)."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockstrata.load.ignorefile import IgnoreFile, clean, path_pattern
from dockstrata.load.wildcards import DEEP, REST, STAR, Wildcards

# Each: patterns, a path, whether the path is left out of the context.
CASES = [
    # docs, "Dockerignore: syntax"
    (["*/temp*"], "somedir/temporary.txt", True),
    (["*/temp*"], "somedir/temp", True),
    (["*/temp*"], "temp", False),
    (["*/*/temp*"], "somedir/subdir/temporary.txt", True),
    (["temp?"], "tempa", True),
    (["temp?"], "temp", False),
    (["foo/bar"], "foo/bar", True),
    (["/foo/bar"], "foo/bar", True),
    (["foo/bar/"], "foo/bar/baz", True),
    (["**/*.go"], "a.go", True),
    (["**/*.go"], "a/b/c.go", True),
    (["*.go"], "a/b.go", False),
    (["*.md", "!README.md"], "README.md", False),
    (["*.md", "!README.md"], "b.md", True),
    (["*.md", "!README*.md", "README-secret.md"], "README-secret.md", True),
    (["*.md", "README-secret.md", "!README*.md"], "README-secret.md", False),
    # A directory that matches takes along what is below it, until a `!` brings some back.
    (["a"], "a/b/c", True),
    (["a", "!a/b"], "a/b/c", False),
    (["a", "!a/b"], "a/x", True),
    (["*", "!a/**/*.txt"], "a/b/c.txt", False),
    (["*", "!a/**/*.txt"], "a/b/c.md", True),
    (["**"], "a", True),
    (["**", "!a"], "a/b", False),
    (["."], "a", False),
    # Cleaning and trimming.
    (["  a  "], "a", True),
    (["./a/../b/"], "b", True),
    (["! a ", "a"], "a", True),
    (["a", "! a "], "a", False),
    (["\ta"], "a", True),
    ([" #a"], "#a", True),
    (["#a"], "#a", False),
    (["a//b"], "a/b", True),
    (["a\r"], "a", True),
    # Wildcards.
    (["a/**"], "a", False),
    (["a/**"], "a/b", True),
    (["**/a"], "x/y/a", True),
    (["**/a"], "xa", False),
    (["a/**/b"], "a/b", True),
    (["a/**/b"], "a/x/y/b", True),
    (["a**"], "ab/c", True),
    (["**a"], "x/ba", True),
    (["[a-c]x"], "bx", True),
    (["[^a-c]x"], "bx", False),
    (["[^a-c]x"], "dx", True),
    (["a[*]"], "a*", True),
    (["a[*]"], "ab", False),
    (["\\*"], "*", True),
    (["\\*"], "a", False),
    (["\\!a"], "!a", True),
    (["a.b"], "aXb", False),
    (["a+(b)*"], "a+(b)c", True),
    (["^*"], "a", False),
    (["a]*"], "a]b", True),
    (["\\d*"], "d1", True),
    (["\\d*"], "1", False),
    (["[\\d]"], "d", True),
    (["[\\d]"], "1", False),
    # Trimmed and cleaned once more by the matcher, by Go's idea of white space.
    (["*", "./!a"], "a", False),
    (["*", "/!a"], "a", False),
    (["/ a"], "a", True),
    (["a /"], "a", True),
    (["a\x1c"], "a\x1c", True),
    (["a\x1c"], "a", False),
    # A pattern that is not tried does not count below, either.
    (["**?^*", "!*"], "!/-a/b^", True),
]


@pytest.mark.parametrize(("patterns", "path", "expected"), CASES)
def test_by_the_documentation(patterns: list[str], path: str, expected: bool) -> None:
    ignore = IgnoreFile.parse("\n".join(patterns), ".dockerignore")
    assert ignore.problems == ()
    assert ignore.ignores(path) is expected


def test_mark_and_newlines() -> None:
    assert IgnoreFile.parse("\ufeffa\r\n\r\n# b\r\nc\r\n", "x").ignores("a")
    assert len(IgnoreFile.parse("\ufeffa\r\n\r\n# b\r\nc\r\n", "x").patterns) == 2


@pytest.mark.parametrize(
    "pattern", ["[", "a[", "[]", "[]a]", "[a-]", "[-a]", "a\\", "[b-a]", "!", "!/", "! /"]
)
def test_what_the_builder_refuses(pattern: str) -> None:
    ignore = IgnoreFile.parse(f"# first\n{pattern}\nb\n", "x")
    assert [line for line, _ in ignore.problems] == [2]
    assert ignore.ignores("b")


def test_pruning() -> None:
    def prunes(patterns: list[str], directory: str) -> bool:
        return IgnoreFile.of(patterns).prunes(directory)

    assert prunes(["a"], "a")
    assert prunes(["a"], "a/b")
    assert not prunes(["a"], "b")
    assert prunes(["a", "!b/c"], "a")
    assert prunes(["*", "!b"], "a")
    assert not prunes(["a", "!a/b"], "a")
    assert prunes(["a", "!a/b"], "a/c")
    assert not prunes(["a", "!**/b"], "a")
    assert not prunes(["a", "!*/b"], "a")
    assert prunes(["a", "!x/**/b"], "a")
    assert not prunes(["a", "!a/**/b"], "a/c")
    assert not prunes(["a", "!a/b/c/d"], "a/b")


segments = st.text(alphabet="ab.^!-", min_size=1, max_size=2).filter(lambda it: it not in ("..",))
paths = st.lists(segments, min_size=1, max_size=4).map("/".join).filter(lambda it: clean(it) == it)
patterns = st.lists(
    st.one_of(
        st.text(alphabet="ab/*?[]\\!.^-", min_size=1, max_size=7),
        st.lists(st.sampled_from(["a", "b", "*", "**", "?", "!", "/", "a*"]), min_size=1).map(
            "".join
        ),
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(patterns, paths, paths)
def test_nothing_is_taken_from_a_pruned_directory(
    texts: list[str], directory: str, inside: str
) -> None:
    ignore = IgnoreFile.of(texts)
    if ignore.prunes(directory):
        assert ignore.ignores(f"{directory}/{inside}")


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*", "ab", True),
        ("*", "a/b", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]", "b", True),
        ("[c-a]", "b", False),
        ("[^c-a]", "b", True),
        ("[\\]]", "]", True),
        ("a.c", "abc", False),
        ("**", "a", True),
        ("**", "a/b", False),
        ("\\*", "*", True),
    ],
)
def test_path_pattern(pattern: str, path: str, expected: bool) -> None:
    assert (path_pattern(pattern).fullmatch(path) is not None) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "matching"),
    [
        ("*a" * 8 + "b", "a" * 70, "a" * 70 + "b"),
        ("**/a" * 9 + "/b", "/".join("a" * 40), "/".join("a" * 40 + "b")),
        ("**a" * 40 + "b", "/".join("a" * 99), "/".join("a" * 99) + "b"),
    ],
)
def test_many_wildcards_take_no_exponential_time(pattern: str, path: str, matching: str) -> None:
    start = time.perf_counter()
    assert not IgnoreFile.of([pattern]).ignores(path)
    assert IgnoreFile.of([pattern]).ignores(matching)
    assert not path_pattern(pattern).fullmatch(path)
    assert time.perf_counter() - start < 1


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(st.sampled_from([STAR, DEEP, REST, "[^/]", "a", "/", "[a\\n]"]), max_size=7),
    st.text(alphabet="ab/\n", max_size=8),
)
def test_wildcards_match_as_their_regular_expression(parts: list[str], path: str) -> None:
    assert Wildcards(parts).match(path) is bool(re.fullmatch("".join(parts), path))


@given(
    st.text(alphabet="ab*?", max_size=10).map(lambda text: text.replace("**", "*")),
    st.text(alphabet="ab\n", max_size=10),
)
def test_path_pattern_gives_back_nothing_that_it_needs(pattern: str, name: str) -> None:
    plain = pattern.replace("*", "[^/]*").replace("?", "[^/]")
    assert bool(path_pattern(pattern).fullmatch(name)) is bool(re.fullmatch(plain, name))


@given(st.text(alphabet="a/.", max_size=12))
def test_clean_is_idempotent(path: str) -> None:
    once = clean(path)
    assert clean(once) == once
    assert once == "/" or not once.endswith("/")
