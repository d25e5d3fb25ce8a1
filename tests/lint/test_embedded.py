"""Findings and fixes of Dockerfiles in Python literals stand where the Python file has them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dockstrata.checker import Checker, Options
from dockstrata.embedded import Embedded, lint_python
from dockstrata.errors import DockstrataError
from dockstrata.finding import Finding, Severity, apply_edits
from dockstrata.load.python_edit import differences, written
from dockstrata.load.python_literals import PythonDockerfile
from dockstrata.load.python_strings import string_expressions
from dockstrata.registry import make_registry
from dockstrata.rule import Context, Related, Span, rule, safe
from dockstrata.source import Source


@rule(code="XX1", name="old", severity=Severity.STYLE, changes_meaning=True)
def old(context: Context) -> Iterator[Finding]:
    """Each ``OLD`` is to be ``{new}`` and a quote."""
    text, at = context.source.text, -1
    while (at := text.find("OLD", at + 1)) >= 0:
        span = Span(at, at + 3)
        yield context.finding(span, "old", fix=safe(context.edit(span, '{new}"')))


@rule(code="XX2", name="steps", severity=Severity.INFO)
def steps(context: Context) -> Iterator[Finding]:
    first = context.document.instructions[0]
    for node in context.instructions("RUN"):
        related = Related(node.source.path, first.start_line, "the image")
        yield context.finding(node, f"runs '{node.rest}'", related=[related])


@rule(code="XX3", name="bye", severity=Severity.STYLE, changes_meaning=True)
def bye(context: Context) -> Iterator[Finding]:
    """Lines of ``BYE`` are to go, ``DOUBLE`` becomes two."""
    for node in context.document.instructions:
        line = context.source.line_span(node.start_line)
        if "BYE" in node.line:
            yield context.finding(node, "bye", fix=safe(context.edit(line, "")))
        if "DOUBLE" in node.line:
            twice = node.text.replace("DOUBLE", "a") + "\n" + node.text.replace("DOUBLE", "b")
            yield context.finding(node, "double", fix=safe(context.edit(node.span, twice)))


CHECKER = Checker(make_registry((old, steps, bye)), Options())


def lint(code: str, fix: bool = False) -> Embedded:
    return lint_python(Source("a.py", code), CHECKER, fix=fix, unsafe=False)


def shown(result: Embedded) -> list[str]:
    return [
        f"{f.location.line}:{f.location.column}-{f.location.end_line}:{f.location.end_column} "
        f"{f.code} {f.message}"
        for f in result.findings
    ]


@pytest.mark.parametrize(
    ("code", "places"),
    [
        ('x = """\nFROM a\nRUN b\n"""\n', ["3:1-3:6 XX2 runs 'b'"]),
        ('x = """\\\nFROM a\nRUN b"""\n', ["3:1-3:6 XX2 runs 'b'"]),
        ('x = "FROM a\\nRUN b\\n"\n', ["1:14-1:19 XX2 runs 'b'"]),
        ('é = "FROM a\\nRUN \\u00e9\\n"\n', ["1:14-1:24 XX2 runs 'é'"]),
        ('x = ("FROM a\\n"\n     "RUN b "\n     "c\\n")\n', ["2:7-3:8 XX2 runs 'b c'"]),
        ('x = dedent("""\n    FROM a\n    RUN b\n    """)\n', ["3:5-3:10 XX2 runs 'b'"]),
        ('x = cleandoc("""FROM a\n    RUN b\n""")\n', ["2:5-2:10 XX2 runs 'b'"]),
        ('x = r"""\nFROM a\nRUN b \\\n  c\n"""\n', ["3:1-4:4 XX2 runs 'b   c'"]),
        ('x = """\nFROM a\nRUN b \\\\\n  c\n"""\n', ["3:1-4:4 XX2 runs 'b   c'"]),
        ('x = """\nFROM a\nRUN b \\\n  c\n"""\n', ["3:1-4:4 XX2 runs 'b   c'"]),
        ('x = """\r\nFROM a\r\nRUN b\r\n"""\r\n', ["3:1-3:6 XX2 runs 'b'"]),
        ('\ufeffx = "FROM a\\nRUN b"\n', ["1:15-1:20 XX2 runs 'b'"]),
        ('x = "\\n".join(["FROM a", "RUN b"])\n', ["1:27-1:32 XX2 runs 'b'"]),
        (
            'x = ["FROM a\\nRUN b", "FROM c\\nRUN d"]\n',
            ["1:15-1:20 XX2 runs 'b'", "1:32-1:37 XX2 runs 'd'"],
        ),
        (
            "x = 'FROM a\\nUNKNOWN b'\n# dockstrata: dockerfile\ny = 'FROM a\\nUNKNOWN b'\n",
            ["3:14-3:23 DS001 unknown instruction: UNKNOWN"],
        ),
    ],
)
def test_places(code: str, places: list[str]) -> None:
    assert shown(lint(code)) == places


def test_related_places() -> None:
    (finding,) = lint('\n\nx = ("FROM a\\n"\n"RUN b")\n').findings
    assert finding.related == (Related("a.py", 3, "the image"),)


def test_ignore_comments_inside() -> None:
    code = 'x = """\nFROM a\n# dockstrata ignore=XX2 why\nRUN b\nRUN c\n"""\n'
    assert shown(lint(code)) == ["5:1-5:6 XX2 runs 'c'"]


class TestExpressions:
    def test_nothing_is_said_of_them(self) -> None:
        code = 'x = f"""FROM {image}\nRUN {b}\nRUN c\nLABEL a={b} OLD=1\n"""\n'
        assert shown(lint(code)) == ["3:1-3:6 XX2 runs 'c'", "4:13-4:16 XX1 old"]

    def test_fixed_beside_them(self) -> None:
        code = 'x = f"""FROM {image}\nRUN a{b}OLD OLD={{{c}}}\nRUN OLD\n"""\n'
        result = lint(code, fix=True)
        assert result.source.text == (
            'x = f"""FROM {image}\nRUN a{b}{{new}}" {{new}}"={{{c}}}\nRUN {{new}}"\n"""\n'
        )

    def test_never_fixed_across(self) -> None:
        code = 'x = f"""FROM {image}\nLABEL BYE={b}\nRUN DOUBLE{c}\nLABEL BYE=1\n"""\n'
        result = lint(code, fix=True)
        assert result.source.text == code.replace("LABEL BYE=1\n", "")

    def test_messages_name_them(self) -> None:
        @rule(code="XX4", name="says", severity=Severity.INFO)
        def says(context: Context) -> Iterator[Finding]:
            node = context.document.instructions[0]
            yield context.finding(node.keyword_span, f"of {node.arguments[0]}")

        checker = Checker(make_registry((says,)), Options())
        source = Source("a.py", 'x = f"FROM {image}\\nRUN a"\n')
        (finding,) = lint_python(source, checker, fix=False, unsafe=False).findings
        assert finding.message == "of {image}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"FROM a\\nRUN OLD\\n"', '"FROM a\\nRUN {new}\\"\\n"'),
        ("'FROM a\\nRUN OLD\\n'", "'FROM a\\nRUN {new}\"\\n'"),
        ('"""FROM a\nRUN OLD\n"""', '"""FROM a\nRUN {new}"\n"""'),
        ('"""FROM a\nRUN OLD"""', '"""FROM a\nRUN {new}\\""""'),
        ('r"""FROM a\nRUN OLD\n"""', 'r"""FROM a\nRUN {new}"\n"""'),
        ('"FROM %s\\nRUN OLD\\n" % x', '"FROM %s\\nRUN {new}\\"\\n" % x'),
        ('"FROM {}\\nRUN OLD\\n".format(x)', '"FROM {}\\nRUN {{new}}\\"\\n".format(x)'),
        ('"FROM a\\nRUN DOUBLE\\n"', '"FROM a\\nRUN a\\nRUN b\\n"'),
        ('"FROM a\\n" "RUN BYE\\n" "RUN c"', '"FROM a\\n" "" "RUN c"'),
        ('"FROM a\\n" + "RUN DOUBLE"', '"FROM a\\n" + "RUN a\\nRUN b"'),
        ('"""FROM a\r\nRUN DOUBLE\r\n"""', '"""FROM a\r\nRUN a\r\nRUN b\r\n"""'),
        (
            'dedent("""\n    FROM a\n    RUN DOUBLE\n\n    RUN BYE\n    """)',
            'dedent("""\n    FROM a\n    RUN a\n    RUN b\n\n    """)',
        ),
        (
            'cleandoc("""\n    FROM a\n    RUN DOUBLE""")',
            'cleandoc("""\n    FROM a\n    RUN a\n    RUN b""")',
        ),
        (
            'dedent("    FROM a\\n    RUN DOUBLE\\n")',
            'dedent("    FROM a\\n    RUN a\\n    RUN b\\n")',
        ),
        (
            '"\\n".join(["FROM a", "RUN DOUBLE"])',
            '"\\n".join(["FROM a", "RUN a\\nRUN b"])',
        ),
    ],
)
def test_fixed_in_place(before: str, after: str) -> None:
    around = "é = 1\nx = f({}, 'FROM b')  # RUN OLD\ny = '''RUN OLD'''\n"
    result = lint(around.format(before), fix=True)
    assert result.source.text == around.format(after)
    assert not result.dropped


def test_what_a_literal_cannot_say_is_told() -> None:
    code = "x = 1\n# dockstrata: dockerfile\ny = r'FROM OLD'\n"
    assert lint(code, fix=True).source.text == code.replace("OLD", '{new}"')
    result = lint(code.replace("'", '"'), fix=True)
    assert result.before is None
    assert not result.applied
    assert [(d.code, d.line, d.reason) for d in result.dropped] == [
        ("XX1", 3, "the Python literal cannot say it")
    ]
    assert [finding.fix for finding in result.findings] == [None]


def test_counts_and_what_is_left() -> None:
    result = lint('x = "FROM a\\nRUN OLD"\ny = "FROM a\\nRUN b"\n', fix=True)
    assert result.dockerfiles == 2
    assert result.applied == {"XX1": 1}
    assert result.before is not None
    assert shown(result) == ["1:14-1:25 XX2 runs '{new}\"'", "2:14-2:19 XX2 runs 'b'"]


def test_edits_of_a_finding_are_the_files() -> None:
    code = 'x = dedent("""\n    FROM a\n    RUN OLD\n    """)\n'
    (finding, _) = sorted(lint(code).findings, key=lambda finding: finding.code)
    assert finding.fix is not None
    assert apply_edits(code, finding.fix.edits) == code.replace("OLD", '{new}"')


def test_no_python() -> None:
    with pytest.raises(DockstrataError, match=r"^a\.py:1: cannot be read as Python"):
        lint('x = = "FROM a\\nRUN b"\n')


WORDS = st.sampled_from(
    ["a", "RUN b", "\n", "\n", "\n\n", " ", "    ", "'", '"', '"""', "\\", "\\\n", "{", "}", "%",
     "é", "\t", "\r", "\0", "\x0c", "\u2028", "\U0001f600", "\\n", "#"]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=8).map("".join)
KINDS = ("single", "double", "triple", "raw", "bytes", "format", "percent", "each", "sum",
         "lines", "dedent", "cleandoc", "strip", "fstring", "continued")  # fmt: skip


def spelled(text: str, kind: str) -> str:
    """An expression that says a text, as some people would write it."""
    triple = (
        text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\0", "\\0")
    )
    if kind == "single":
        return "'" + repr('"' + text)[2:-1].replace("\\'", "'").replace("'", "\\'") + "'"
    if kind == "double":
        return '"' + repr("'" + text)[2:-1].replace('\\"', '"').replace('"', '\\"') + '"'
    if kind == "triple":
        return f'"""{triple}"""'
    if kind == "raw":
        return f"r'''{text}'''"
    if kind == "bytes":
        return repr(text.encode("ascii", "ignore"))
    if kind == "format":
        return '"""' + triple.replace("{", "{{").replace("}", "}}") + '""".format(1)'
    if kind == "percent":
        return repr(text.replace("%", "%%")) + " % ()"
    if kind == "each":
        return "(" + "\n ".join(repr(char) for char in text or "a") + ")"
    if kind == "sum":
        return " + ".join(repr(line) for line in text.splitlines(keepends=True)) or "''"
    if kind == "lines":
        return "'\\n'.join([" + ", ".join(repr(line) for line in text.split("\n")) + "])"
    if kind == "dedent":
        return 'dedent("""\\\n' + textwrap.indent(triple, "    ") + '""")'
    if kind == "cleandoc":
        return 'cleandoc("""\n' + textwrap.indent(triple, "  ") + '\n  """)'
    if kind == "strip":
        return f'"""\n{triple}\n\n""".strip()'
    if kind == "continued":
        return '"""\\\n' + triple.replace(" ", " \\\n") + '"""'
    return 'f"""' + triple.replace("{", "{{").replace("}", "}}") + '"""'


def said(expression: str) -> str:
    value = eval(expression, {"dedent": textwrap.dedent, "cleandoc": inspect.cleandoc})
    return value.decode() if isinstance(value, bytes) else value


@settings(deadline=None, max_examples=400)
@given(TEXTS, TEXTS, st.sampled_from(KINDS), st.booleans())
@example("a\nb\n", "a\nc\nb\n", "dedent", False)
@example("a\n\nb", "a\nc\n\nb", "cleandoc", False)
@example("a\n", "a\nb\n", "dedent", False)
def test_a_written_literal_says_the_fixed_text(
    before: str, after: str, kind: str, crlf: bool
) -> None:
    expression = spelled(before, kind)
    head, tail = "é = ['FROM',\n  ", "]  # 'é'\n"
    code = head + expression + tail
    if crlf:
        code = code.replace("\n", "\r\n")
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        assume(False)
    source = Source("a.py", code)
    expressions = string_expressions(source)
    if not expressions[1:]:
        assert kind == "cleandoc"  # it expands tabs
        return
    _, found = expressions
    start, end = code.index("\n") + 3, len(code) - len(tail) - crlf
    before = said(code[start:end])
    assert found.value.text == before
    if kind == "bytes":
        after = after.encode("ascii", "ignore").decode()
    edits = written(source, PythonDockerfile(found.value, found.start, found.end), after)
    if edits is None:
        hard = kind in ("raw", "dedent", "cleandoc", "strip", "lines") or not before
        assert hard, f"{expression} cannot say {after!r}"
        return
    new = apply_edits(code, edits)
    assert new[:start] == code[:start]
    assert new[len(new) - (len(code) - end) :] == code[end:]
    expected = after
    assert said(new[start : len(new) - (len(code) - end)]) == expected


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_differences(before: str, after: str) -> None:
    assert apply_edits(before, differences(before, after, "a.py")) == after


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(["RUN OLD", "RUN DOUBLE", "RUN BYE", "", "# c", "RUN x"]), max_size=6),
    st.sampled_from([kind for kind in KINDS if kind not in ("each", "lines", "bytes")]),
)
def test_fixing_a_file_fixes_the_dockerfile(lines: list[str], kind: str) -> None:
    text = "\n".join(["FROM a", *lines, "RUN z"])
    code = f"x = {spelled(text, kind)}\ny = 'OLD'\n"
    result = lint(code, fix=True)
    assert not result.dropped
    inner = ast.parse(result.source.text).body[0]
    assert isinstance(inner, ast.Assign)
    expected = text.replace("RUN BYE\n", "").replace("OLD", '{new}"')
    expected = expected.replace("RUN DOUBLE", "RUN a\nRUN b")
    assert said(ast.unparse(inner.value)) == expected
    assert result.source.text.endswith("\ny = 'OLD'\n")
