"""Random Dockerfiles that love edges, and mutations of real ones. Reproducible by seed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

KEYWORDS = (
    *("FROM", "RUN", "CMD", "LABEL", "MAINTAINER", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT"),
    *("VOLUME", "USER", "WORKDIR", "ARG", "ONBUILD", "STOPSIGNAL", "HEALTHCHECK", "SHELL"),
    *(
        "from",
        "Run",
        "eNV",
        "FORM",
        "RUNN",
        "#RUN",
        "é",
        "F\u00a0ROM",
        "\x1cRUN",
        "\u017fhell",
        "\u0131\u0149",
    ),
)
SPACES = (" ",) * 12 + (
    *("  ", "\t", " \t ", "\v", "\f", "\r", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0"),
    *("\u1680", "\u2003", "\u200b", "\u2028", "\u3000", "\ufeff", "", "\x00"[:0]),
)
ATOMS = (
    *("a", "b", "foo", "=", "=", ",", ":", ".", "/", "-", "--", "*", "?", "[", "]", "{", "}"),
    *("'", '"', "''", '""', "\\", "\\\\", "\\\\\\", "`", "``", "\\'", '\\"', "\\ ", "` ", '`"'),
    *("$", "$a", "${a}", "${a:-b}", "${", "${a", "$$", "$1", "\\$a", "${a#b}", "${a/b/c}"),
    *("<", "<<", "<<<", "<<E", "<<-E", '<<"E"', "<<'E'", "3<<E", "<<E F", "<<\\E", "<<$a"),
    *("é", "ß", "日本", "😀", "\xa0", "\x85", "\u2003", "\ufeff", "\x1c", "\x1f", "\x7f", "\x0b"),
    *(
        "#",
        "# a",
        "&&",
        "||",
        ";",
        "|",
        "\t",
        "  ",
        "\r",
        "\x0c",
        "0",
        "9",
        "٣",
        "Ⅷ",
        "ª",
        "\x01",
        "\0",
    ),
)
LINE_ENDS = ("\n",) * 20 + ("\r\n", "\r\n", "\r\r\n", " \n", "\t\n", "\n\n", "\v\n", "\xa0\n")
DELIMITERS = (
    *("${a:-E}", "${a+E}", "$a$b", "E$"),
    *("E", "EOF", "E_1", "é", "a.b", "E-", "1", "$a", "\ufeffE", "EOF EOF"),
)
FILLERS = (
    *("", "", " ", "\t", "\xa0", "\r", "\x1c", "\v", "# c", "  # c", "\t# c \\", "#", "\xa0# c"),
    *("\x1c# c", "# escape=`", "# syntax=a", "\ufeff# c", "\ufeff", "\\", " \\ ", "\\\\"),
)
DIRECTIVES = (
    *("# escape=`", "#escape=\\", "# ESCAPE = ` ", "# escape=x", "# escape=", "# escape=``"),
    *("# syntax=docker/dockerfile:1", "#syntax=a=b", "# Syntax=x", "# check=skip=all", "# foo=bar"),
    *(
        "# syntax =  x y ",
        "#\xa0syntax=x",
        "#\fsyntax=x",
        "#\vescape=`",
        "## escape=`",
        "#!/bin/sh",
    ),
    *("// syntax=x", "#1a=b", "#a-b=c", "# escape=`\\", "#", "# a", "", "  # escape=`", "# check="),
    *(
        "# syntax=\xa0",
        "#syntax=\x1c",
        "# escape\n=`",
        "\ufeff# escape=`",
        "#\u017fyntax=x",
        "# e\u017fcape=`",
    ),
)
FLAGS = (
    *(
        "--a",
        "--a=b",
        "--mount=type=cache,target=/x",
        "--from=b",
        "--",
        "---",
        "--=",
        "-a",
        "--é=ü",
    ),
    *("--a='b c'", '--a="b c"', "--a=b\\ c", "--a='b", '--a="b\\"c"', "--a=\\", "--a=`b", "--\xa0"),
    *(
        "--a=\x85b",
        "--a=日",
        "--a='\\'",
        "--'a'",
        '--""',
        "--a= b",
        "''",
        "\\--a",
        "--a\x1cb",
        "--a=\r",
    ),
)
JSON = (
    *('["a"]', '["a","b"]', "[]", "[ ]", '["a",]', "['a']", '["a" "b"]', '["a"', '"a"]', '[["a"]]'),
    *(
        '["a",1]',
        "[null]",
        "[true]",
        '[{"a":1}]',
        '["\\u00e9"]',
        '["\\ud800"]',
        '["\\ud83d\\ude00"]',
    ),
    *(
        '["\\x"]',
        '["a\tb"]',
        '["é"]',
        '["a"]]',
        '["a"] x',
        '["a"]\xa0',
        '\t[ "a" , "b" ] \r',
        "[1e5]",
    ),
    *(
        "[NaN]",
        "[-1]",
        "[01]",
        "[1.]",
        '["a"]#',
        '[""]',
        '["\\/\\b"]',
        "[nul",
        '["\\u12"]',
        '["a\\"]',
    ),
    *(
        "[1,2",
        '["\x7f"]',
        '["\x01"]',
        '["a"\v]',
        '["a"\f]',
        '["a",\xa0"b"]',
        "{}",
        '"a"',
        "null",
        "[,]",
    ),
    *("[-]", "[Infinity]", "[-Infinity]", "[1E+2]", "[1e400]", "[.5]", "[+1]", "[00]", "[-0]"),
    *(
        '["\\uD800\\u0041"]',
        '["\\udc00"]',
        '["\u2028"]',
        '[{"a"}]',
        "[{a:1}]",
        '[{"a":1,}]',
        "[tru e]",
    ),
)
FIRST = ("FROM a\n",) * 6 + (
    "FROM a AS b\n",
    "ARG V=1\nFROM a:$V\n",
    "",
    "",
    "\n",
    "\r\n",
    "# c\nFROM a\n",
)


def generate(random: Random) -> str:
    """One Dockerfile."""
    escape = "\\"
    parts: list[str] = []
    if random.random() < 0.05:
        parts.append(random.choice(("\ufeff", "\ufeff\ufeff", " \ufeff", "\n\ufeff")))
    for _ in range(random.choice((0, 0, 0, 1, 1, 2, 3))):
        line = random.choice(DIRECTIVES)
        parts += (line, random.choice(LINE_ENDS))
        if "`" in line:
            escape = "`"
    parts.append(random.choice(FIRST))
    for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 6))):
        if random.random() < 0.15:
            parts += (random.choice(FILLERS), random.choice(LINE_ENDS))
        if random.random() < 0.03:
            parts += (random.choice(DIRECTIVES), random.choice(LINE_ENDS))
        parts.append(instruction(random, escape))
        if random.random() < 0.95:
            parts.append(random.choice(LINE_ENDS))
    text = "".join(parts)
    if random.random() < 0.004:
        text = _lengthen(random, text)
    if random.random() < 0.15:
        text = text.rstrip("\n")
    if random.random() < 0.1:
        text = text.replace("\n", "\r\n")
    return text


def instruction(random: Random, escape: str) -> str:
    """One instruction with its continuation lines and heredoc bodies, no final newline."""
    keyword = random.choice(KEYWORDS)
    lead = random.choice(SPACES) if random.random() < 0.1 else ""
    parts = [lead, keyword]
    if keyword.upper() == "ONBUILD" or random.random() < 0.03:
        parts += (random.choice(SPACES), random.choice(KEYWORDS))
    if random.random() < 0.04:
        return "".join(parts)
    parts.append(random.choice(SPACES))
    while random.random() < 0.3:
        parts += (random.choice(FLAGS), random.choice(SPACES))
    kind = random.random()
    bodies: list[str] = []
    if kind < 0.15:
        parts.append(random.choice(JSON))
    elif kind < 0.35:
        parts.append(_pairs(random))
    elif kind < 0.5:
        for _ in range(random.choice((1, 1, 2, 3))):
            opener, body = _heredoc(random)
            parts += (opener, random.choice(SPACES))
            bodies.append(body)
    else:
        for _ in range(random.randrange(6)):
            parts += (_word(random), random.choice(SPACES))
    if random.random() < 0.3:
        parts = _continued(random, parts, escape)
    return "".join(parts) + "".join(bodies)


def _word(random: Random) -> str:
    return "".join(random.choice(ATOMS) for _ in range(random.choice((1, 1, 1, 2, 3, 5))))


def _pairs(random: Random) -> str:
    parts: list[str] = []
    for _ in range(random.choice((1, 1, 2, 3))):
        parts += (
            random.choice(("a", "b", "", _word(random))),
            random.choice(("=", "=", "=", "", " ")),
        )
        quote = random.choice(("", "", '"', "'"))
        parts += (
            quote,
            _word(random),
            random.choice(("", " ", "\\ ")),
            quote,
            random.choice(SPACES),
        )
    return "".join(parts)


def _heredoc(random: Random) -> tuple[str, str]:
    name = random.choice(DELIMITERS)
    quote = random.choice(("", "", "", "'", '"'))
    dash = random.choice(("", "", "-"))
    opener = (
        f"{random.choice(('', '', '3', '0', '99999999999999999999'))}<<{dash}{quote}{name}{quote}"
    )
    if random.random() < 0.1:
        opener += _word(random)
    lines = [random.choice(FILLERS + ATOMS) for _ in range(random.randrange(4))]
    if random.random() < 0.92:
        indent = random.choice(("", "", "\t", " ")) if dash else random.choice(("", "", "", "\t"))
        lines.append(indent + name + random.choice(("", "", "", "", "", " ", "\r")))
    return opener, "".join(random.choice(("\n", "\n", "\n", "\r\n")) + line for line in lines)


def _continued(random: Random, parts: list[str], escape: str) -> list[str]:
    """``parts`` with line breaks put in at random places."""
    result: list[str] = []
    for part in parts:
        result.append(part)
        if random.random() < 0.4:
            mark = random.choice((escape,) * 8 + (escape * 2, escape * 3, "`", "\\", ""))
            result += (
                random.choice(("", " ", "  ")),
                mark,
                random.choice(("", "", "", " ", "\t", "\xa0")),
            )
            result.append(random.choice(LINE_ENDS))
            while random.random() < 0.25:
                result += (random.choice(FILLERS), random.choice(LINE_ENDS))
    return result


def _lengthen(random: Random, text: str) -> str:
    """``text`` with one place stretched to the longest line BuildKit reads, give or take."""
    at = random.randrange(len(text) + 1)
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    size = len(text[start : end if end >= 0 else len(text)].encode())
    filler = random.choice(("x", "x", " ", "é", "\\", "a ", "=", '"'))
    count = (65535 + random.randrange(-3, 4) - size) // len(filler.encode())
    return text[:at] + filler * max(count, 0) + text[at:]


def mutate(random: Random, texts: Sequence[bytes]) -> bytes:
    """One of ``texts`` with a few bytes, pieces or lines changed."""
    data = bytearray(random.choice(texts))
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        kind = random.randrange(10)
        at = random.randrange(len(data) + 1)
        end = min(len(data), at + random.choice((1, 1, 2, 5, 20)))
        if kind == 0:
            del data[at:end]
        elif kind == 1:
            data[at:at] = data[at:end]
        elif kind in (2, 3):
            data[at:at] = random.choice(ATOMS + SPACES + LINE_ENDS).encode()
        elif kind == 4:
            data[at:end] = random.choice(ATOMS + JSON + FLAGS).encode()
        elif kind == 5:
            lines = bytes(data).split(b"\n")
            first, second = random.randrange(len(lines)), random.randrange(len(lines))
            lines[first], lines[second] = lines[second], lines[first]
            data = bytearray(b"\n".join(lines))
        elif kind == 6:
            lines = bytes(data).split(b"\n")
            piece = random.choice(FILLERS + DIRECTIVES) if random.random() < 0.6 else "\\"
            lines.insert(random.randrange(len(lines) + 1), piece.encode())
            data = bytearray(b"\n".join(lines))
        elif kind == 7:
            lines = bytes(data).split(b"\n")
            del lines[random.randrange(len(lines))]
            data = bytearray(b"\n".join(lines))
        elif kind == 8:
            lines = bytes(data).split(b"\n")
            lines.insert(random.randrange(len(lines) + 1), instruction(random, "\\").encode())
            data = bytearray(b"\n".join(lines))
        else:
            end_of_line = data.find(b"\n", at)
            if end_of_line >= 0:
                data[end_of_line:end_of_line] = random.choice((b" \\", b"\\", b"\r", b" \\ ", b"`"))
    return bytes(data)
