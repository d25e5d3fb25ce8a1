"""The shell that an instruction holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstrata.syntax.shell import parse_script


@pytest.mark.parametrize(
    ("script", "commands"),
    [
        ("a `# all of it` b c && d", [("a", "b", "c"), ("d",)]),
        ("a `b # in part` c", [("a", "`b          `", "c"), ("b",)]),
        ('a "`# quoted`" b; c', [("a", " " * 10, "b"), ("c",)]),
        ("a `#` b", [("a", "b")]),
        ("`# before` a", [("a",)]),
        ("a && `# between` && b", [("a",), (":",), ("b",)]),
    ],
)
def test_comments_that_a_backquote_ends(script: str, commands: list[tuple[str, ...]]) -> None:
    found = parse_script(script)
    assert not found.broken
    assert [tuple(word.value for word in command.words) for command in found.commands] == commands
    for command in found.commands:
        name = command.words[0].value
        assert name == ":" or script[command.start :].startswith(name.lstrip('"')[:1])


def test_an_open_backquote_stays_broken() -> None:
    assert parse_script("a ` b # c").broken


@given(st.text(alphabet="`#ab \n;'\"", max_size=14))
def test_places_are_inside_the_script(script: str) -> None:
    for command in parse_script(script).commands:
        assert 0 <= command.start <= command.end <= len(script)
