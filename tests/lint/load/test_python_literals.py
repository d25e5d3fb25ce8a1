"""Which strings of a Python file are Dockerfiles, and where their characters stand."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockstrata.errors import DockstrataError
from dockstrata.load.discover import discover
from dockstrata.load.python_literals import find_dockerfiles, may_have_dockerfile
from dockstrata.load.python_strings import string_expressions
from dockstrata.source import Source


def texts(code: str) -> list[str]:
    """The Dockerfiles of a Python file."""
    return [found.value.text for found in find_dockerfiles(Source("a.py", code)).found]


DOCKERFILE = "FROM alpine:3\nRUN a\n"


@pytest.mark.parametrize(
    "expression",
    [
        '"FROM alpine:3\\nRUN a\\n"',
        "'FROM alpine:3\\nRUN a\\n'",
        '"""FROM alpine:3\nRUN a\n"""',
        "'''FROM alpine:3\nRUN a\n'''",
        '"""\\\nFROM alpine:3\nRUN a\n"""',
        'r"""FROM alpine:3\nRUN a\n"""',
        'b"FROM alpine:3\\nRUN a\\n"',
        'Rb"""FROM alpine:3\nRUN a\n"""',
        'u"FROM alpine:3\\nRUN a\\n"',
        '"FROM alp\\x69ne:3\\nRUN \\u0061\\N{LINE FEED}"',
        '"FROM alpine:3\\n" "RUN a\\n"',
        "(\"FROM alpine:3\\n\"\n    # why\n    'RUN a\\n')",
        '"FROM alpine:3\\n" + "RUN " + "a\\n"',
        '"\\n".join(["FROM alpine:3", "RUN a", ""])',
        '"\\n".join(("FROM alpine:3", "RUN a", "")).encode("ascii")',
        'dedent("""\\\n    FROM alpine:3\n    RUN a\n    """)',
        'textwrap.dedent("    FROM alpine:3\\n    RUN a\\n")',
        'textwrap.dedent("""\n    FROM alpine:3\n    RUN a\n    """).lstrip()',
        'inspect.cleandoc("""\n    FROM alpine:3\n    RUN a\n    """) + "\\n"',
        'cleandoc("""FROM alpine:3\n    RUN a\n    """) + "\\n"',
        '"x\\n FROM alpine:3\\nRUN a\\n".lstrip("x\\n ")',
        '"FROM alpine:3\\nRUN %s\\n" % "a"',
        '"FROM alpine:3\\nRUN {}\\n".format("a")',
        'f"FROM alpine:3\\nRUN {chr(97)}\\n"',
    ],
)
def test_kinds_of_literals(expression: str) -> None:
    code = f"import inspect, textwrap\nx = {expression}\n"
    (text,) = texts(code)
    if "pyexpr" in text:
        text = text.replace("pyexpr1x", "a")
    assert text == DOCKERFILE
    from inspect import cleandoc

    said = eval(expression, {**globals(), "cleandoc": cleandoc, "dedent": textwrap.dedent,
                             "inspect": __import__("inspect")})  # fmt: skip
    assert (said.decode() if isinstance(said, bytes) else said) == DOCKERFILE


@pytest.mark.parametrize(
    "code",
    [
        'q = "SELECT a\\nFROM users\\nWHERE x"',
        'q = "FROM users\\n"',
        'q = "FROM users AS u\\nWHERE x = 1\\n"',
        'q = f"FROM {table}\\nWHERE {x}\\n"',
        'q = f"FROM {table}\\n{where}\\n"',
        'q = """FROM users u\nADD COLUMN x\n"""',
        '"""FROM alpine\nRUN a docstring shows\n"""',
        'def f():\n    """FROM alpine\n    RUN a\n    """\n',
        'p = "From here\\nRun there\\n"',
        'p = "from os import path\\nrun it\\n"',
        'p = "FROM the beginning\\nRUN to the end\\n"',
        'p = "FROM x\\nRUN a\\nThen this.\\n"',
        'p = "FROM %s\\nRUN a\\n"',
        'p = "FROM {{ image }}\\nRUN a\\n"',
        'p = "RUN a\\nFROM alpine\\n"',
        'p = "FROM alpine"',
        'p = b"FROM alpine\\nRUN \\xff\\n"',
        'x: "FROM alpine\\nRUN a" = 1',
        "from x import y\nraise A from b\nRUN = 1\n",
        "",
    ],
)
def test_other_strings_are_none(code: str) -> None:
    found = find_dockerfiles(Source("a.py", code))
    assert (found.found, found.skipped) == ((), ())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('# dockstrata: dockerfile\nA = "FROM alpine"\n', ["FROM alpine"]),
        ('#dockstrata:dockerfile (why)\nA = "nonsense"\n', ["nonsense"]),
        ('f(\n    # dockstrata: dockerfile\n    "FROM a",\n    "x",\n)\n', ["FROM a"]),
        ('# dockstrata: dockerfile\nf("name", """FROM alpine\n""")\n', ["FROM alpine\n"]),
        ('# dockstrata: dockerfile\n"""FROM alpine"""\n', ["FROM alpine"]),
        ('# dockstrata: dockerfile\n\nA = "FROM alpine"\n', []),
        ("# dockstrata: dockerfile\nA = 1\n", []),
    ],
)
def test_a_comment_decides(code: str, expected: list[str]) -> None:
    assert texts(code) == expected


def test_lower_case_only_where_it_is_no_prose() -> None:
    assert texts('a = "from alpine\\nrun a\\n"') == ["from alpine\nrun a\n"]
    assert texts('a = "from alpine\\nRUN a\\n"') == ["from alpine\nRUN a\n"]
    assert texts('a = "from alpine\\ncopy a\\n"') == []


def test_directives_comments_and_arguments_go_before() -> None:
    text = "# syntax=docker/dockerfile:1\n\n# c\nARG V=1\nFROM alpine:$V\nRUN a\n"
    assert texts(f'a = """{text}"""') == [text]


def test_an_expression_for_an_instruction_is_told() -> None:
    found = find_dockerfiles(Source("a.py", '\na = f"FROM x\\n{more}\\nRUN b\\n"\n'))
    assert found.found == ()
    assert [(s.path, s.reason, s.message) for s in found.skipped] == [
        ("a.py", "expression", "the Dockerfile at line 2 has an expression for an instruction")
    ]


def test_expressions_by_name_of_their_source() -> None:
    (found,) = find_dockerfiles(
        Source("a.py", 'a = f"FROM {image}:{tag}\\nRUN {image!r:>{width}}\\nRUN {image}" + more\n')
    ).found
    assert found.value.text == "FROM pyexpr1x:pyexpr2x\nRUN pyexpr3x\nRUN pyexpr1xpyexpr4x"
    assert dict(found.value.names) == {
        "pyexpr1x": "{image}",
        "pyexpr2x": "{tag}",
        "pyexpr3x": "{image!r:>{width}}",
        "pyexpr4x": "{more}",
    }


def test_a_dockerfile_inside_an_expression_of_a_string() -> None:
    code = "a = f\"\"\"x {build('''FROM alpine\nRUN a''')} y\"\"\""
    assert texts(code) == ["FROM alpine\nRUN a"]
    assert texts('a = "x" + build("FROM alpine\\nRUN a")') == ["FROM alpine\nRUN a"]


class TestUnreadable:
    def test_no_python(self) -> None:
        with pytest.raises(DockstrataError) as error:
            texts('x = 1\ny = = 2\nz = "FROM a\\nRUN b"\n')
        assert str(error.value) == "a.py:2: cannot be read as Python: invalid syntax"

    def test_no_python_and_no_dockerfile(self) -> None:
        assert texts("def (:\n") == []

    def test_no_utf8(self) -> None:
        source = Source.from_bytes("a.py", b'x = 1\ny = "\xff"\nz = "FROM a\\nRUN b"\n')
        with pytest.raises(DockstrataError, match=r"a\.py:2: is not UTF-8"):
            find_dockerfiles(source)

    def test_another_encoding(self) -> None:
        code = b'#!/usr/bin/python\n# -*- coding: latin-1 -*-\ny = "\xe9"\nz = "FROM a\\nRUN b"\n'
        (skip,) = find_dockerfiles(Source.from_bytes("a.py", code)).skipped
        assert skip.message == "declares the encoding latin-1; UTF-8 alone is read"
        assert texts(code.replace(b"\xe9", b"e").decode()) == ["FROM a\nRUN b"]


PLACES = st.sampled_from(
    ["a", "é", "\U0001f600", "\n", "\t", "{", "}", "%", "'", '"', "\\", "\0", "\r", " ", "\x7f"]
)
VALUES = st.text(st.one_of(PLACES, st.characters()), max_size=12)


def python_of(value: str, kind: str) -> str:
    """Some spelling of a value."""
    if kind == "repr":
        return repr(value)
    if kind == "escapes":
        return '"' + "".join(f"\\U{ord(char):08x}" for char in value) + '"'
    if kind == "triple":
        return (
            '"""'
            + value.replace("\\", "\\\\")
            .replace('"', '\\"')
            .replace("\r", "\\r")
            .replace("\0", "\\0")
            .encode("utf-8", "backslashreplace")
            .decode()
            + '"""'
        )
    return " ".join(repr(char) for char in value) or "''"


@settings(deadline=None)
@given(VALUES, st.sampled_from(["repr", "escapes", "triple", "each"]), st.booleans(), st.booleans())
def test_values_and_places(value: str, kind: str, bom: bool, crlf: bool) -> None:
    code = f"é = 1\n\f\nx = [\n {python_of(value, kind)}]\n"
    if crlf:
        code = code.replace("\n", "\r\n")
    (found,) = string_expressions(Source("a.py", "\ufeff" * bom + code))
    assert found.value.text == ast.literal_eval(code[code.index("[") :])[0] == value
    end = found.start
    for char, place in zip(found.value.text, found.value.places, strict=True):
        said = ("\ufeff" * bom + code)[place.start : place.end]
        assert end <= place.start < place.end <= found.end
        end = place.end
        if said[0] != "\\" and said not in ("\r\n", "\r"):
            assert said == char


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@pytest.mark.parametrize("prefix", ["", "r", "b", "rb", "f", "rf"])
@pytest.mark.parametrize(
    "body",
    ["\\z", "\\{", "{{}}", "\\x41", "\\u0041", "\\101", "\\777", "\\\\", "\\\n", "\\'", "\r\n"],
)
def test_prefixes(prefix: str, body: str) -> None:
    code = f'{prefix}"""{body}"""'
    if prefix == "f" and body == "\\{":
        return  # no Python
    try:
        expected = eval(compile(code, "a.py", "eval", dont_inherit=True))
    except SyntaxError:
        return
    found = string_expressions(Source("a.py", f"x = {code}\n"))
    if "b" in prefix:
        assert [f.value.text.encode() for f in found] == ([expected] if expected.isascii() else [])
    else:
        assert [f.value.text for f in found] == [expected]


def test_only_what_may_have_one_is_read() -> None:
    assert not may_have_dockerfile("from a import b\nraise X from y\nx = 'RUN a'\n")
    assert may_have_dockerfile("x = 'FROM a\\nRUN b'")
    code = (
        "import sys; from dockstrata.load.python_literals import find_dockerfiles as find;"
        "from dockstrata.source import Source; find(Source('a.py', 'from a import b'));"
        "import dockstrata.cli.lint_session, dockstrata.runner, dockstrata.embedded;"
        "print('libcst' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_discovery(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    monkeypatch.chdir(folder)
    files = {
        "Dockerfile": "FROM a\n",
        "app.py": "",
        "dockerfile_tools.py": "from a import b\n",
        "Dockerfile.py": "FROM python\n",
        "test_dockerfile.py": "",
        ".venv/x.py": "",
        "ignored/y.py": "",
        ".gitignore": "ignored/\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        with io.open(folder / name, "w", encoding="utf-8") as file:  # noqa: UP020
            file.write(text)
    (folder / "link.py").symlink_to("app.py")
    plain = discover(["."])
    assert plain.files == ("Dockerfile", "Dockerfile.py")
    assert plain.python == ()
    found = discover(["."], python=True)
    assert found.files == plain.files
    assert found.python == ("app.py", "dockerfile_tools.py", "test_dockerfile.py")
    named = discover(["ignored/y.py", "app.py", "link.py", "dockerfile_tools.py"])
    assert named.files == ()
    assert named.python == ("dockerfile_tools.py", "ignored/y.py", "link.py")
