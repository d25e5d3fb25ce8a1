"""What a file says: instructions, arguments, flags, heredocs, directives, places."""

from __future__ import annotations

import pytest

from dockstrata.source import Source
from dockstrata.syntax.nodes import Document, Instruction
from dockstrata.syntax.parse import parse


def read(text: str) -> Document:
    return parse(Source("Dockerfile", text))


def last(text: str) -> Instruction:
    """The last instruction of a file that begins with a FROM."""
    return read(f"FROM a\n{text}").instructions[-1]


def arguments(text: str) -> list[str]:
    return list(last(text).arguments)


class TestLines:
    def test_continuation_leaves_out_comments_and_empty_lines(self) -> None:
        node = last("RUN a \\\n# no\n\n  # nor this \\\n  && b\nRUN c\n".removesuffix("RUN c\n"))
        assert node.line == "RUN a   && b"
        assert (node.start_line, node.end_line) == (2, 6)
        assert node.empty_continuations == (4,)
        assert [node.source.text[place] for _at, place in node.pieces] == ["R", " "]

    @pytest.mark.parametrize(
        ("end", "goes_on"),
        [("\\", True), ("\\ \t", True), ("\\\\", False), ("\\\\\\", False), ("`", False)],
    )
    def test_what_continues(self, end: str, goes_on: bool) -> None:
        found = read(f"FROM a\nRUN b {end}\nRUN c\n").instructions
        assert len(found) == (2 if goes_on else 3)

    def test_backtick(self) -> None:
        document = read("# escape=`\nFROM a\nCOPY x C:\\\nRUN b `\n  c\n")
        assert document.escape == "`"
        assert [node.line for node in document.instructions[1:]] == ["COPY x C:\\", "RUN b   c"]

    def test_last_instruction_may_be_cut_off(self) -> None:
        assert last("RUN a \\").line == "RUN a "
        assert last("RUN a \\\n\n\n").end_line == 4
        assert last("RUN a \\\n\n\n").text == "RUN a \\"

    def test_line_ends(self) -> None:
        document = read("\ufeffFROM a\r\nRUN b \\\r\n  c\r\n\r\nRUN d")
        assert [node.line for node in document.instructions] == ["FROM a", "RUN b   c", "RUN d"]
        assert [node.text for node in document.instructions][1] == "RUN b \\\r\n  c"
        assert document.instructions[0].span.start == 1

    def test_only_newlines_end_lines(self) -> None:
        assert last("RUN a\x0bb\x0cc\x85d\u2028e\rf").line == "RUN a\x0bb\x0cc\x85d\u2028e\rf"

    def test_comments(self) -> None:
        document = read("# one\nFROM a\n  # two \nRUN b \\\n# three\n c\n")
        assert [(c.line, c.text) for c in document.comments] == [(1, "# one"), (3, "# two ")]

    @pytest.mark.parametrize("parts", [[b"\xc3", b"\x9f"], [b"\xe2", b"\x82", b"\xac"]])
    def test_a_line_break_within_a_character(self, parts: list[bytes]) -> None:
        data = b"FROM a\nRUN \xff" + b"\\\n".join(parts) + b"b \\\n c\n"
        node = parse(Source.from_bytes("Dockerfile", data)).instructions[-1]
        assert node.line == f"RUN \udcff{b''.join(parts).decode()}b  c"
        for char in "RUbc":
            assert node.source.text[node.offset(node.line.index(char))] == char


class TestKeywords:
    @pytest.mark.parametrize("word", ["run", "Run", "RUN"])
    def test_case(self, word: str) -> None:
        node = last(f"{word} a")
        assert (node.keyword, node.written) == ("RUN", word)

    def test_go_folds_case_otherwise_than_python(self) -> None:
        assert last("\u017fHELL a").keyword == "\u017fHELL"
        assert last("WORKD\u0130R a").keyword == "WORKDIR"
        assert last("HEALTHCHEC\u212a NONE").keyword == "HEALTHCHECK"

    def test_no_arguments(self) -> None:
        assert last("RUN").arguments == ()
        assert last("RUN \t").arguments == ()

    def test_unknown(self) -> None:
        node = last("WAT a b")
        assert node.arguments == ("",)
        assert node.fault is not None


class TestArguments:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("RUN a  b ", ["a  b"]),
            ('RUN ["a", "b"]', ["a", "b"]),
            ('RUN ["a",]', ['["a",]']),
            ('RUN ["a"] b', ['["a"] b']),
            ("RUN ['a']", ["['a']"]),
            ("RUN [1e400]", ["[1e400]"]),
            ("RUN [NaN]", ["[NaN]"]),
            ('CMD ["\\u00e9\\ud800"]', ["\u00e9\ufffd"]),
            ("COPY a  b\tc", ["a", "b", "c"]),
            ('COPY ["a b", "c"]', ["a b", "c"]),
            ('VOLUME "a b"', ['"a', 'b"']),
            ("EXPOSE 80 \u00a0 81", ["80", "\u00a0", "81"]),
            ("EXPOSE 80\x1c81", ["80\x1c81"]),
            ("USER a b", ["a b"]),
            ("ENV a b  c", ["a", "b  c", ""]),
            ("ENV a=b c='d e' f=\"g h\" i=j\\ k", ["a", "b", "=", "c", "'d e'", "="]),
            ("LABEL a=", ["a", "", "="]),
            ("ARG a b=c 'd e'=f", ["a", "b=c", "'d e'=f"]),
            ("HEALTHCHECK --interval=1s CMD a b", ["CMD", "a b"]),
            ('HEALTHCHECK CMD ["a", "b"]', ["CMD", "a", "b"]),
            ("HEALTHCHECK none", ["none"]),
        ],
    )
    def test_split(self, text: str, expected: list[str]) -> None:
        assert arguments(text)[: max(len(expected), 1)] == expected

    def test_pairs(self) -> None:
        assert last("ENV a=b c='d e' e=").pairs() == [("a", "b"), ("c", "'d e'"), ("e", "")]

    @pytest.mark.parametrize(
        ("text", "flags", "rest"),
        [
            ("RUN --a --b=c d", ["--a", "--b=c"], "d"),
            ("RUN --a='b c' d", ["--a=b c"], "d"),
            ('RUN --a="b\\"c" d', ['--a=b"c'], "d"),
            ("RUN --a=b\\ c d", ["--a=b c"], "d"),
            ("RUN --a -- --b c", ["--a"], "--b c"),
            ("RUN a --b", [], "a --b"),
            ("RUN --a", ["--a"], ""),
            ("RUN --a=\u00e9 b", ["--a=\u00c3\u00a9"], "b"),
        ],
    )
    def test_flags(self, text: str, flags: list[str], rest: str) -> None:
        node = last(text)
        assert (list(node.flags), node.rest) == (flags, rest)

    def test_flag_values(self) -> None:
        node = last("RUN --mount=a --network=none --mount=b --x c")
        assert node.flag("network") == "none"
        assert node.flag("x") == ""
        assert node.flag("y") is None
        assert node.all_flags("mount") == ["a", "b"]

    def test_trigger(self) -> None:
        node = last("ONBUILD --a \\\n  COPY --from=b c \\\n d")
        assert node.trigger is not None
        inner = node.trigger
        assert (inner.keyword, inner.flags, inner.arguments) == ("COPY", ("--from=b",), ("c", "d"))
        assert node.source.text[inner.offset(0) :].startswith("COPY")
        assert inner.find("d") == node.find("d", node.line.index("c"))


class TestHeredocs:
    def test_several(self) -> None:
        node = last("COPY <<A 3<<-'B' /x\n$a\nA\n\tb\n\tB\nRUN c\n".removesuffix("RUN c\n"))
        found = [(h.name, h.descriptor, h.expand, h.chomp, h.content) for h in node.heredocs]
        assert found == [("A", 0, True, False, "$a\n"), ("B", 3, False, True, "\tb\n")]
        assert node.heredocs[1].body == "b\n"
        assert (node.start_line, node.end_line) == (2, 6)
        assert node.head_span.end == node.span.start + len("COPY <<A 3<<-'B' /x")

    @pytest.mark.parametrize(
        ("opener", "name"),
        [
            ("<<E", "E"),
            ("<< E", "E"),
            ("<<\t'E F'", "E F"),
            ("<<E\\ F", "E F"),
            ("<<a'b'c", "abc"),
            ("<<$a", "$a"),
            ("<<${a}", "${a}"),
            ("<<\ufeffE", "E"),
        ],
    )
    def test_names(self, opener: str, name: str) -> None:
        node = last(f"RUN cat {opener}\nx\n{name}\n")
        assert [h.name for h in node.heredocs] == [name]
        assert node.heredocs[0].content == "x\n"

    @pytest.mark.parametrize(
        "line",
        [
            *(
                "RUN <<<E",
                "RUN a<<E",
                'RUN "<<E"',
                "RUN \\<<E",
                "RUN <<- E",
                "RUN << <<E",
                "RUN <<",
            ),
            *('RUN ["<<E"]', "CMD <<E", "ENV a=<<E", "RUN <<E '", "ONBUILD ONBUILD RUN <<E"),
        ],
    )
    def test_none(self, line: str) -> None:
        assert read(f"FROM a\n{line}\nUSER b\n").instructions[1].heredocs == ()

    def test_trigger(self) -> None:
        assert last("ONBUILD RUN <<E\nx\nE\n").heredocs[0].content == "x\n"

    def test_content_is_as_written(self) -> None:
        assert last("RUN <<E\n# a \\\n\n\tb\r\nE\r\n").heredocs[0].content == "# a \\\n\n\tb\r\n"


class TestDirectives:
    def test_all(self) -> None:
        document = read("#syntax=a/b:1\n# Escape = ` \n#check=skip=all\nFROM a\n")
        found = [(d.name, d.value, d.line) for d in document.directives]
        assert found == [("syntax", "a/b:1", 1), ("escape", "`", 2), ("check", "skip=all", 3)]

    @pytest.mark.parametrize("before", ["# a", "", "#unknown=x", "FROM b", "#a-b=c"])
    def test_end_at_the_first_other_line(self, before: str) -> None:
        assert read(f"{before}\n# escape=`\nFROM a\n").escape == "\\"


class TestFaults:
    @pytest.mark.parametrize(
        ("text", "message", "line"),
        [
            ("", "file with no instructions", 1),
            ("# a\n\n", "file with no instructions", 2),
            ("# escape=x\nFROM a\n", "invalid escape token 'x' does not match ` or \\", 1),
            ("#syntax=a\n#syntax=b\nFROM a", "only one syntax parser directive can be used", 2),
            ("FROM a\nRUN <<E\nx\n", "unterminated heredoc", 2),
            ("FROM a\nENV a\n", "ENV must have two arguments", 2),
            (
                'FROM a\nLABEL a=b \\\n c"\n',
                'Syntax error - can\'t find = in "c\\"". Must be of the form: name=value',
                2,
            ),
            (
                "FROM a\nCMD [1]\n",
                "when using JSON array syntax, arrays must be comprised of strings only",
                2,
            ),
            (
                "FROM a\nRUN " + "x" * 65_532,
                "dockerfile line greater than max allowed size of 65535",
                2,
            ),
        ],
    )
    def test_unreadable(self, text: str, message: str, line: int) -> None:
        fault = read(text).faults[0]
        assert (fault.message, fault.line, fault.kind) == (message, line, "syntax")

    def test_longest_line(self) -> None:
        assert read("FROM a\nRUN " + "x" * 65_531).faults == ()
        assert read("FROM a\nRUN " + "x" * 65_531 + "\nRUN a").faults == ()

    def test_unreadable_comes_before_refused(self) -> None:
        document = read("FROM a\nWAT\nCMD [1]\n")
        assert [(f.line, f.kind) for f in document.faults] == [(3, "syntax"), (2, "instruction")]

    def test_outside_any_stage(self) -> None:
        fault = read("ARG a\nRUN b\nFROM c\n").faults[0]
        assert (fault.message, fault.line) == ("no build stage in current context", 2)

    def test_what_came_before_is_kept(self) -> None:
        assert len(read("FROM a\nRUN b\nRUN <<E\nx\n").instructions) == 3


def test_a_too_long_continuation_is_read_once_more_up_to_the_limit() -> None:
    """BuildKit asks its line reader again after the failure, and is given the line's beginning."""
    tail = "q" * 65536
    for text, message in (
        (f"FROM a\nRUN x \\\nCOPY a <<{tail}\n", "unterminated heredoc"),
        (f"FROM a\nCOPY a <<{tail}\n", "dockerfile line greater than max allowed size of 65535"),
        (f"FROM a\nRUN x \\\nCOPY a {tail}\n", "dockerfile line greater than max allowed size"),
    ):
        assert read(text).faults[0].message.startswith(message)
