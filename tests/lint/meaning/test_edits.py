"""Edits that must not change what an image means, and edits that must (design's table)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies.dockerfiles import CONFIG_ONLY, IMAGES, File, Line, StageText, files

from dockstrata.meaning.evaluate import Evaluation, evaluate
from dockstrata.source import Source
from dockstrata.syntax.parse import parse


class Digests(NamedTuple):
    chain: str
    meaning: str
    config: str


def evaluated(text: str) -> Evaluation:
    document = parse(Source("Dockerfile", text))
    assert document.faults == (), (document.faults, text)
    return evaluate(document)


def digests(text: str) -> list[Digests]:
    """What each stage of a Dockerfile means."""
    return [
        Digests(stage.chain, stage.meaning, stage.config_digest())
        for stage in evaluated(text).stages
    ]


def test_the_strategy_makes_what_buildkit_accepts() -> None:
    @given(files())
    def check(file: File) -> None:
        assert all(stage.problem is None for stage in evaluated(file.text()).stages), file.text()

    check()


# Edits that must not change anything.


@given(files(), st.data())
def test_comments_and_blank_lines(file: File, data: st.DataObject) -> None:
    noise = st.lists(st.sampled_from(["", "  ", "# a comment", "\t# RUN rm -rf /"]), max_size=2)
    lines: list[str] = []
    for stage in ("\n".join(line.text() for line in file.top), *(s.text() for s in file.stages)):
        inside = ""
        for line in filter(None, stage.split("\n")):
            if not inside:
                lines += data.draw(noise)
            lines.append(line)
            inside = _heredoc_after(inside, line)
    assert digests("\n".join(lines) + "\n") == digests(file.text())


def _heredoc_after(inside: str, line: str) -> str:
    """The last delimiter of the heredocs that are open behind ``line``."""
    if inside:
        return "" if line == inside else inside
    words = [word.lstrip("<-'").rstrip("'") for word in line.split() if word.startswith("<<")]
    return words[-1] if words else ""


@given(files(), st.sampled_from([str.lower, str.title]))
def test_case_of_instructions(file: File, change: object) -> None:
    assert callable(change)
    edited = replace(
        file,
        top=tuple(replace(line, keyword=change(line.keyword)) for line in file.top),
        stages=tuple(
            replace(
                stage,
                lines=tuple(replace(line, keyword=change(line.keyword)) for line in stage.lines),
            )
            for stage in file.stages
        ),
    )
    text = edited.text().replace("FROM ", change("FROM") + " ").replace(" AS ", " as ")
    assert digests(text) == digests(file.text())


@given(files(), st.sampled_from(['"', "'"]))
def test_quoting_of_env(file: File, quote: str) -> None:
    def quoted(line: Line) -> Line:
        if line.keyword != "ENV" or (quote == "'" and "$" in line.rest):
            return line
        pairs = (pair.split("=", 1) for pair in line.rest.split(" "))
        return Line("ENV", " ".join(f"{name}={quote}{value}{quote}" for name, value in pairs))

    assert digests(_each_line(file, quoted).text()) == digests(file.text())


@given(files())
def test_env_in_its_old_form(file: File) -> None:
    def old(line: Line) -> Line:
        if line.keyword != "ENV" or " " in line.rest:
            return line
        return Line("ENV", line.rest.replace("=", "  ", 1))

    assert digests(_each_line(file, old).text()) == digests(file.text())


def _each_line(file: File, change: object) -> File:
    assert callable(change)
    return replace(
        file,
        stages=tuple(
            replace(stage, lines=tuple(change(line) for line in stage.lines))
            for stage in file.stages
        ),
    )


@given(files(), st.sampled_from(["builder-{}", "BUILD{}", "x.y_{}"]))
def test_stage_names(file: File, form: str) -> None:
    names = {stage.name: form.format(index) for index, stage in enumerate(file.stages)}
    stages = []
    for stage in file.stages:
        lines = []
        for line in stage.lines:
            rest = line.rest
            for old, new in names.items():
                rest = rest.replace(f"from={old} ", f"from={new} ")
                rest = rest.replace(f"from={old},", f"from={new},")
            lines.append(replace(line, rest=rest))
        image = names.get(stage.image, stage.image).lower()  # BuildKit finds lower case alone
        stages.append(StageText(image, names[stage.name], tuple(lines)))
    edited = replace(file, stages=tuple(stages)).text()
    assert digests(edited) == digests(file.text())


@given(files())
def test_image_references_spelled_in_full(file: File) -> None:
    stages = tuple(
        replace(stage, image=IMAGES.get(stage.image, stage.image)) for stage in file.stages
    )
    assert digests(replace(file, stages=stages).text()) == digests(file.text())


@given(files())
def test_shell_form_and_the_same_exec_form(file: File) -> None:
    shells: dict[str, list[str]] = {}
    stages = []
    for stage in file.stages:
        shell = shells.get(stage.image, ["/bin/sh", "-c"])
        lines = []
        for line in stage.lines:
            if line.keyword == "SHELL":
                shell = json.loads(line.rest)
            if line.keyword == "RUN" and not line.body and line.rest[0] not in "[-":
                line = Line("RUN", json.dumps([*shell, line.rest]))
            lines.append(line)
        shells[stage.name] = shell
        stages.append(replace(stage, lines=tuple(lines)))
    assert digests(replace(file, stages=tuple(stages)).text()) == digests(file.text())


@given(files(), st.data())
def test_configuration_moved(file: File, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(file.stages) - 1))
    lines = list(file.stages[index].lines)
    moved = [
        at
        for at, line in enumerate(lines)
        if line.keyword in CONFIG_ONLY
        and "$" not in line.rest
        and sum(other.keyword == line.keyword for other in lines) == 1
    ]
    assume(moved)
    line = lines.pop(data.draw(st.sampled_from(moved)))
    lines.insert(data.draw(st.integers(0, len(lines))), line)
    assert digests(file.with_lines(index, lines).text()) == digests(file.text())


@given(files(), st.data())
def test_env_lines_merged(file: File, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(file.stages) - 1))
    lines = list(file.stages[index].lines)
    at = data.draw(st.integers(0, len(lines)))
    first, second = Line("ENV", "P=1 Q=$A"), Line("ENV", "R=2 S='3 4'")
    apart, merged = list(lines), list(lines)
    apart[at:at] = [first, second]
    merged[at:at] = [Line("ENV", f"{first.rest} {second.rest}")]
    assert digests(file.with_lines(index, merged).text()) == digests(
        file.with_lines(index, apart).text()
    )


@given(files(), st.sampled_from(["./{}", "/{}", "././{}"]))
def test_spelling_of_a_context_path(file: File, form: str) -> None:
    def spelled(line: Line) -> Line:
        if line.keyword != "COPY" or line.rest[0] in "-<":
            return line
        return replace(line, rest=form.format(line.rest))

    assert digests(_each_line(file, spelled).text()) == digests(file.text())


@given(files(), st.data())
def test_unused_stage_removed(file: File, data: st.DataObject) -> None:
    unused = StageText("debian:12", "unused", (Line("RUN", "true"), Line("ENV", "A=9")))
    at = data.draw(st.integers(0, len(file.stages)))
    text = file.text()
    assume("--from=0" not in text)
    stages = list(file.stages)
    stages.insert(at, unused)
    found = digests(replace(file, stages=tuple(stages)).text())
    del found[at]
    assert found == digests(text)


# Edits that must change something.


def _with_run_behind(file: File, index: int, at: int, lines: list[Line]) -> str:
    """``lines`` at ``at`` of a stage, and a RUN that sees them at its end."""
    found = list(file.stages[index].lines)
    found[at:at] = lines
    found.append(Line("RUN", "see"))
    return file.with_lines(index, found).text()


@st.composite
def places(draw: st.DrawFn) -> tuple[File, int, int]:
    file = draw(files())
    index = draw(st.integers(0, len(file.stages) - 1))
    return file, index, draw(st.integers(0, len(file.stages[index].lines)))


def _compared(place: tuple[File, int, int], one: list[Line], other: list[Line]) -> Digests:
    """Which digests of the edited stage are equal."""
    file, index, at = place
    first = digests(_with_run_behind(file, index, at, one))[index]
    second = digests(_with_run_behind(file, index, at, other))[index]
    return Digests(*(a == b for a, b in zip(first, second, strict=True)))  # type: ignore[arg-type]


@given(places())
def test_white_space_in_run(place: tuple[File, int, int]) -> None:
    same = _compared(place, [Line("RUN", "a b")], [Line("RUN", "a  b")])
    assert same == (False, False, True)


@given(places())
def test_order_of_env_counts_in_the_chain_alone(place: tuple[File, int, int]) -> None:
    one, other = Line("ENV", "P=1"), Line("ENV", "Q=1")
    same = _compared(place, [one, other], [other, one])
    assert same == (False, True, False)  # the configuration keeps ENV in order


@given(places())
def test_default_of_an_argument(place: tuple[File, int, int]) -> None:
    same = _compared(place, [Line("ARG", "P=1")], [Line("ARG", "P=2")])
    assert same == (False, False, True)


@given(places())
def test_unused_argument_with_a_value(place: tuple[File, int, int]) -> None:
    assert _compared(place, [Line("ARG", "P=1")], []) == (False, False, True)


@given(places())
def test_user(place: tuple[File, int, int]) -> None:
    run = Line("RUN", "make")
    assert _compared(place, [Line("USER", "one"), run], [Line("USER", "two"), run])[:2] == (
        False,
        False,
    )


@given(places())
def test_shell(place: tuple[File, int, int]) -> None:
    run = Line("RUN", "make")
    one, other = Line("SHELL", '["/bin/ash"]'), Line("SHELL", '["/bin/zsh"]')
    assert _compared(place, [one, run], [other, run])[:2] == (False, False)


@given(places())
def test_workdir_repeated(place: tuple[File, int, int]) -> None:
    line = Line("WORKDIR", "/p")
    assert _compared(place, [line], [line, line])[:2] == (False, False)


@given(places())
def test_copy_split(place: tuple[File, int, int]) -> None:
    one = [Line("COPY", "p q /r/")]
    other = [Line("COPY", "p /r/"), Line("COPY", "q /r/")]
    assert _compared(place, one, other)[:2] == (False, False)


@given(places())
def test_copy_to_add(place: tuple[File, int, int]) -> None:
    assert _compared(place, [Line("COPY", "p /r/")], [Line("ADD", "p /r/")])[:2] == (False, False)


@given(places())
def test_runs_joined(place: tuple[File, int, int]) -> None:
    one = [Line("RUN", "p"), Line("RUN", "q")]
    assert _compared(place, one, [Line("RUN", "p && q")])[:2] == (False, False)


# Every row of the table, in its smallest form. Head is BuildKit's build definition.

D = "FROM debian:12\n"
EQUAL = (True, True)
HEAD_EQUAL = (True, False)
HEAD_DIFFERS = (False, None)

TABLE = [
    ("comment", D + "RUN a\n", "# c\n" + D + "# c\nRUN a\n", EQUAL),
    ("comment inside", D + "RUN a \\\n b\n", D + "RUN a \\\n# c\n b\n", EQUAL),
    ("blank lines", D + "RUN a\n", D + "\n\nRUN a\n\n", EQUAL),
    ("instruction case", D + "RUN a\n", D.lower() + "run a\n", EQUAL),
    ("ENV quoting", D + "ENV a=1\nRUN a\n", D + "ENV a='1'\nRUN a\n", EQUAL),
    ("exec form", D + "RUN a b\n", D + 'RUN ["/bin/sh", "-c", "a b"]\n', EQUAL),
    ("full name", D + "RUN a\n", "FROM docker.io/library/debian:12\nRUN a\n", EQUAL),
    ("index.docker.io", D + "RUN a\n", "FROM index.docker.io/library/debian:12\nRUN a\n", EQUAL),
    ("latest", "FROM debian\nRUN a\n", "FROM debian:latest\nRUN a\n", EQUAL),
    ("stage renamed", "FROM debian:12 AS a\nRUN a\n", "FROM debian:12 AS b\nRUN a\n", EQUAL),
    ("unused stage", D + "RUN a\n", "FROM alpine AS x\nRUN y\n" + D + "RUN a\n", EQUAL),
    ("LABEL moved", D + "LABEL a=1\nRUN a\n", D + "RUN a\nLABEL a=1\n", EQUAL),
    ("EXPOSE moved", D + "EXPOSE 80\nRUN a\n", D + "RUN a\nEXPOSE 80\n", EQUAL),
    ("CMD moved", D + 'CMD ["a"]\nRUN a\n', D + 'RUN a\nCMD ["a"]\n', EQUAL),
    ("ENV merged", D + "ENV a=1\nENV b=2\nRUN a\n", D + "ENV a=1 b=2\nRUN a\n", EQUAL),
    ("./", D + "COPY ./a /x\n", D + "COPY a /x\n", EQUAL),
    ("LABEL added", D + "RUN a\n", D + "LABEL a=1\nRUN a\n", HEAD_EQUAL),
    ("SHELL added", D + 'RUN ["a"]\n', D + 'SHELL ["/bin/ash"]\nRUN ["a"]\n', HEAD_EQUAL),
    ("MAINTAINER", D + "MAINTAINER a\n", D + "LABEL maintainer=a\n", HEAD_EQUAL),
    ("space in RUN", D + "RUN a b\n", D + "RUN a  b\n", HEAD_DIFFERS),
    ("indentation", D + "RUN a \\\n b\n", D + "RUN a \\\n  b\n", HEAD_DIFFERS),
    ("&& joining", D + "RUN a\nRUN b\n", D + "RUN a && b\n", HEAD_DIFFERS),
    ("WORKDIR repeated", D + "WORKDIR /a\n", D + "WORKDIR /a\nWORKDIR /a\n", HEAD_DIFFERS),
    ("USER root", D + "RUN a\n", D + "USER root\nRUN a\n", HEAD_DIFFERS),
    ("unused ARG", D + "RUN a\n", D + "ARG v=1\nRUN a\n", HEAD_DIFFERS),
    ("COPY split", D + "COPY a b /x/\n", D + "COPY a /x/\nCOPY b /x/\n", HEAD_DIFFERS),
    ("COPY to ADD", D + "COPY a /x\n", D + "ADD a /x\n", HEAD_DIFFERS),
    ("other tag", "FROM debian:12\nRUN a\n", "FROM debian:13\nRUN a\n", HEAD_DIFFERS),
    ("other platform", D, "FROM --platform=linux/arm64 debian:12\n", HEAD_DIFFERS),
]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "effect"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_table(one: str, other: str, effect: tuple[bool, bool | None]) -> None:
    first, second = digests(one)[-1], digests(other)[-1]
    head, config = effect
    assert (first.chain == second.chain) is head
    assert (first.meaning == second.meaning) is head
    if config is not None:
        assert (first.config == second.config) is config


def test_env_reordered_before_a_run() -> None:
    """The one row where our two digests part: BuildKit's cache key differs, no process sees it."""
    one = digests(D + "ENV a=1 b=2\nRUN a\n")[-1]
    other = digests(D + "ENV b=2 a=1\nRUN a\n")[-1]
    assert one.chain != other.chain
    assert one.meaning == other.meaning
