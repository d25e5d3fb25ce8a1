"""Random shell words, and random ignore files with paths that nearly match them.

Reproducible by seed. What is generated is made of edges: every operator, quotes and escapes that do
not end, and characters on which Go and Python disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random


def _each(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NAMES = ("a", "b", "c", "é", "A_1", "1", "12", "٣", "@", "*", "#", "?", "-", "$", "!", "0", "_", "")
VALUES = (
    *("", "", "value", "abcabc", "/usr/local/lib", "a*b?c", "ab\nab\nb", " one  two ", "b", "*"),
    *('"$a"', "$0-$1-$$", "${0}x", "$a²", "x/y}z", "\\", "a\\*b", "été", "\u2003é\x1c", "?", "'"),
)
OPERATORS = (":-", "-", ":+", "+", ":?", "?", "#", "##", "%", "%%", "/", "//", ":", ":=", "=", " ")
PLAIN = (
    *"aabbcAé٣²ⅷªx019_.:=,;()[]{}|^~@!-+",
    *(" ", "  ", "\t", "\n", "\r", "\v", "\x1c", "\x85", "\xa0", "\u2003", "\u200b", "\ufeff"),
    *("\0", "\udcff", "😀", "<", "<<", "<<- ", "<< \n"),
)
PATTERN = (*"abclu/b", *_each(r"* * ** ? \* \? \\ \/ \} \a \ . [a]"))
BROKEN = _each("${ } $ \" ' ${} ${: ${{ ${a ${a: ${a:- ${a/ ${a//b/ /")
TEMPLATES = _each(r"$$ \$0 '$0' '${0}' '$a' '${0' '$0²' '$00' '$$$0' '$²' '${0²}'")


def word(random: Random) -> tuple[object, ...]:
    """A text, its escape character, an environment, and four of the lexer's options."""
    escape = "`" if random.random() < 0.25 else "\\"
    text = _text(random, escape, 0)
    if random.random() < 0.25:
        text = _changed(random, text)
    if random.random() < 0.01:
        text = "\ufeff" + text
    if random.random() < 0.002:
        text = "${a:-" * random.randrange(45, 70) + text + "}" * random.randrange(40, 70)
    environment = {name: random.choice(VALUES) for name in NAMES if name and random.random() < 0.7}
    rare = random.random() < 0.3
    return text, escape, environment, *(rare and random.random() < 0.5 for _ in range(4))


def _text(random: Random, escape: str, depth: int) -> str:
    pieces = random.choice((0, 1, 1, 2, 3, 5)) if depth else random.choice((1, 1, 2, 3, 5, 8))
    return "".join(_piece(random, escape, depth) for _ in range(pieces))


def _piece(random: Random, escape: str, depth: int) -> str:
    chance = random.random()
    if chance < 0.4 or depth > 3:
        return random.choice(PLAIN)
    if chance < 0.5:
        return "$" + random.choice(NAMES)
    if chance < 0.55:
        return "${" + random.choice(NAMES) + "}"
    if chance < 0.75:
        return _substitution(random, escape, depth + 1)
    if chance < 0.82:
        return f'"{_text(random, escape, depth + 1)}"'
    if chance < 0.87:
        return f"'{_text(random, escape, depth + 2)}'"
    if chance < 0.96:
        return escape + random.choice((*"$'\"{}/*?ab \n", escape, "\\", "é", ""))
    return random.choice(BROKEN)


def _substitution(random: Random, escape: str, depth: int) -> str:
    operator = random.choice(OPERATORS)
    start = "${" + random.choice(NAMES) + operator
    if operator in ("/", "//"):
        put = random.choice(TEMPLATES) if random.random() < 0.3 else ""
        return f"{start}{_pattern(random, escape, depth)}/{put}{_text(random, escape, depth)}}}"
    if operator[0] in "#%":
        return f"{start}{_pattern(random, escape, depth)}}}"
    return f"{start}{_text(random, escape, depth)}}}"


def _pattern(random: Random, escape: str, depth: int) -> str:
    return "".join(
        random.choice(PATTERN) if random.random() < 0.85 else _piece(random, escape, depth + 1)
        for _ in range(random.choice((0, 1, 1, 2, 3, 4)))
    )


def _changed(random: Random, text: str) -> str:
    """``text`` with a character left out, put in or doubled."""
    if not text:
        return text
    place = random.randrange(len(text))
    middle = random.choice(("", random.choice("${}\"'\\`/:#%"), text[place] * 2))
    return text[:place] + middle + text[place + 1 :]


ELEMENTS = (
    *_each(r"a b ab .a a.b é a-b #a !a $a (a) + {a,b} * * ** ** ? a* *a *.b .* **a a** a**b ???"),
    *_each(r"[ab] [a-c]* [^a] [a- [] [b-a] [\]a] [\d] [\w-z] [a^] ] a] [[a] [*] [!a] [a/]"),
    *_each(r"\* \a \d \#a \!a \ \\ ^a a|b"),
    *(".", "..", "", "a b", "x\n", " "),
)
BEFORE = (
    *([""] * 8),
    *_each("! ! ! / ./ ../ // !/ # !! ./! /!"),
    *(" ", "! ", "\t", "/ ", "!/ ", "\x1c"),
)
BEHIND = (*([""] * 6), *_each("/ /. /.. // /** /*"), " ", "\r", "\xa0", "\x1f", "\v", " /")
SEGMENTS = (
    *_each(r"a b ab c .a a.b d 1 é a-b #a !a $a ^a * [ab] ] \ a] a|b {a,b} (a) + abc z _ ... ~"),
    *("a b", "x\n", "\x1c", " a", "a "),
)


_LINES = _each("# #a ! !! / . !. !/ !// /! ./!")


def ignored(random: Random) -> Iterator[tuple[str, str]]:
    """Ignore files without end, each with several paths."""
    while True:
        lines = [_line(random) for _ in range(random.choice((1, 1, 2, 2, 3, 4, 6)))]
        text = random.choice(("\n", "\n", "\n", "\r\n")).join(lines)
        text = ("\ufeff" if random.random() < 0.1 else "") + text
        for _ in range(8):
            yield text, _path(random, random.choice(lines))


def _line(random: Random) -> str:
    if random.random() < 0.08:
        return random.choice((*_LINES, "", " ", " # a", "! ", "\ufeffa"))
    count = random.choice((1, 1, 2, 2, 3, 4))
    middle = "/".join(_element(random) for _ in range(count))
    return random.choice(BEFORE) + middle + random.choice(BEHIND)


def _element(random: Random) -> str:
    # A pattern that is refused hides the rest of its file.
    while True:
        element = random.choice(ELEMENTS)
        if random.random() < 0.15 or element not in ("[a-", "[]", "[b-a]", "\\"):
            return element


def _path(random: Random, line: str) -> str:
    """A clean path: what ``line`` could match, a parent or a child of that, or any."""
    segments = [] if random.random() < 0.2 else [*filter(None, line.strip(" !/\t\r").split("/"))]
    path: list[str] = []
    for segment in segments:
        if segment in ("**", ".", ".."):
            path += (random.choice(SEGMENTS) for _ in range(random.choice((0, 1, 2))))
        elif random.random() < 0.9:
            path.append(_match(random, segment))
    change = random.random()
    if change < 0.25 or not path:
        path += (random.choice(SEGMENTS) for _ in range(random.choice((1, 1, 2))))
    elif change < 0.4:
        path = path[:-1]
    elif change < 0.5:
        path[random.randrange(len(path))] = random.choice(SEGMENTS)
    clean = [segment for segment in path if segment.strip("/") not in ("", ".", "..")]
    return "/".join(clean) or random.choice(SEGMENTS)


def _match(random: Random, segment: str) -> str:
    """A name much like what ``segment`` matches."""
    name, position = "", 0
    while position < len(segment):
        char = segment[position]
        position += 1
        if char == "*":
            name += random.choice(("", "a", "b", ".b", "ab"))
        elif char == "?":
            name += random.choice("ab.é")
        elif char == "[" and (end := segment.find("]", position + 1)) >= 0:
            name += random.choice("abcdz^]*1w\\")
            position = end + 1
        elif char != "\\" or random.random() < 0.2:
            name += char
    return name
