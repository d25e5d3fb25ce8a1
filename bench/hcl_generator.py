"""Random HCL expressions of a wanted type, for bake files. Reproducible by seed.

Types are letters: ``s`` a string, ``n`` a number, ``b`` true or false, ``l`` a list of strings,
``m`` an object of strings. Now and then a value of another type comes, which bake converts or
refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

WORDS = ("a", "b", "web", "1.2.3", "v2.10-rc1", "linux/amd64", "x y", "é", "A_b", "", "0", "true")
ESCAPED = (r"\n", r"\t", r"\"", r"\\", "$${", "%%{", r"\u00e9", "$", "%", "{", "}", "~", "#", "//")
NUMBERS = (
    "0",
    "1",
    "2",
    "10",
    "3.5",
    "1.50",
    "0.1",
    "1e3",
    "2.5e-2",
    "007",
    "12345678901234567890",
)
PATTERNS = (r"\\d+", r"^v?(\\d+)\\.(\\d+)", "[a-z]", "(?P<x>[a-z])", r"\\.", "a|b", "b*", r"\\w+$")

# What a function takes and gives: the result, then the arguments; `+` repeats the last one.
FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "s": (
        *("upper s", "lower s", "title s", "trimspace s", "chomp s", "reverse s", "sanitize s"),
        *("basename s", "dirname s", "urlencode s", "base64encode s", "md5 s", "sha1 s"),
        *("sha256 s", "sha512 s", "trim s s", "trimprefix s s", "trimsuffix s s"),
        *("replace s s s", "substr s n n", "indent n s", "join s l+", "jsonencode *"),
        *("regex_replace s p s", "format f s", "coalesce s+", "lookup m k s", "element l n"),
        *("try s+", "uuidv5 u s", "formatdate d t", "timeadd t r", "base64decode e"),
        *("cidrhost c n", "cidrnetmask c", "cidrsubnet c n n", "regex p s", "index l n"),
        *("convert_s *", "max n+"),
    ),
    "n": (
        *("add n n", "subtract n n", "multiply n n", "divide n n", "modulo n n", "negate n"),
        *("absolute n", "ceil n", "floor n", "int n", "max n+", "min n+", "signum n", "strlen s"),
        *("length l", "parseint s n", "pow n n", "indexof l s", "coalesce n+", "convert_n n"),
        *("log n n", "length m", "try n+"),
    ),
    "b": (
        *("and b b", "or b b", "not b", "equal * *", "notequal * *", "greaterthan n n"),
        *("greaterthanorequalto n n", "lessthan n n", "lessthanorequalto n n", "contains l s"),
        *("can *", "hasindex l n", "sethaselement l s", "equal s s", "convert_b b"),
    ),
    "l": (
        *("split s s", "concat l+", "distinct l", "compact l", "sort l", "reverselist l"),
        *("flatten l", "slice l n n", "keys m", "values m", "coalescelist l+", "setunion l+"),
        *("setintersection l+", "setsubtract l l", "setsymmetricdifference l l", "range n"),
        *("formatlist f l", "regexall p s", "convert_l l", "cidrsubnets c n+", "range n n"),
        *("convert_t l", "try l+"),
    ),
    "m": ("merge m+", "zipmap l l", "convert_m m", "jsondecode j", "try m+", "merge m m"),
}
_CONVERSIONS = {
    "convert_s": "string",
    "convert_n": "number",
    "convert_b": "bool",
    "convert_l": "list(string)",
    "convert_t": "set(string)",
    "convert_m": "map(string)",
}
_OPERATORS = {
    "n": ("+", "-", "*", "/", "%"),
    "b": ("&&", "||", "==", "!=", "<", ">", "<=", ">="),
}
_FIXED: Mapping[str, tuple[str, ...]] = {
    "p": tuple(f'"{it}"' for it in PATTERNS),
    "f": ('"%s"', '"x-%s"', '"%q"', '"%v"', '"%5s|"', '"%-4s|"', '"%s%%"', '"%[1]s-%[1]s"', '"%d"'),
    "k": ('"a"', '"b"', '"x"'),
    "u": ('"dns"', '"url"', '"oid"', '"x"'),
    "d": ('"YYYY-MM-DD"', '"EEE, D MMM YY"', "\"hh:mm:ss ZZZ 'h'\"", '"H AA ZZZZZ"', '"Q"'),
    "t": ('"2024-02-29T23:59:58Z"', '"2023-01-02T03:04:05+02:00"', '"2024-02-30T00:00:00Z"', '"x"'),
    "r": ('"1h"', '"-90m30s"', '"1.5h"', '"x"'),
    "e": ('"YWI="', '"w6k="', '"%"'),
    "c": ('"10.0.0.0/8"', '"192.168.1.7/24"', '"fd00::/48"', '"10.0.0.0"'),
    "j": (r'"{\"a\": \"1\", \"b\": [2]}"', '"{}"', '"["', r'"{\"a\": 1.50}"'),
}


class Expressions:
    """``names`` are the variables there are, by their type; ``own`` the file's functions."""

    def __init__(self, random: Random, names: Mapping[str, Sequence[str]]) -> None:
        self.random = random
        self.names: dict[str, list[str]] = {kind: list(them) for kind, them in names.items()}
        self.own: list[str] = []
        self.targets: list[str] = []
        self.wild = random.random() < 0.1  # every type anywhere

    def pick(self, items: Sequence[str]) -> str:
        return self.random.choice(items)

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    def value(self, kind: str, depth: int = 0) -> str:
        """An expression of a type."""
        if kind in _FIXED:
            return self.pick(_FIXED[kind])
        if kind == "*" or (self.wild and self.chance(0.1)) or self.chance(0.004):
            kind = self.pick("snblm")
        if self.chance(0.004):
            return "null"
        if depth > 3 or self.chance(0.35):
            return self.plain(kind, depth)
        if self.chance(0.5):
            return self.call(kind, depth)
        return self.made(kind, depth)

    def safe(self, kind: str, depth: int = 0) -> str:
        """The same, mostly with a value of its own for where it has none."""
        found = self.value(kind, depth)
        if self.chance(0.1) or "(" not in found + found.replace("[", "("):
            return found
        other = {"s": '"none"', "n": "0", "b": "false", "l": '["none"]', "m": '{ a = "none" }'}
        return f"try({found}, {other.get(kind, '0')})"

    def plain(self, kind: str, depth: int) -> str:
        if self.names.get(kind) and self.chance(0.45):
            return self.pick(self.names[kind])
        if kind == "n":
            return self.pick(NUMBERS)
        if kind == "b":
            return self.pick(("true", "false"))
        if kind == "s":
            return self.text(depth)
        items = [self.text(4) for _ in range(self.random.randrange(4))]
        if kind == "l":
            return self.enclosed("[", items, "]")
        pairs = [f"{key} = {item}" for key, item in zip(("a", '"b"', "c"), items, strict=False)]
        return self.enclosed("{", pairs, "}")

    def enclosed(self, start: str, items: Sequence[str], end: str) -> str:
        glue = self.pick((", ", ", ", ",", ",\n  ", ", # c\n", " , /* c */ "))
        last = glue if items and self.chance(0.1) and "\n" not in glue else ""
        room = self.pick(("", "", " ", "\n"))
        return f"{start}{room}{glue.join(items)}{last}{room if last != ',' else ''}{end}"

    def text(self, depth: int) -> str:
        """A string in quotes, with templates in it."""
        out: list[str] = []
        for _ in range(self.random.randrange(1, 4)):
            chance = self.random.random()
            if chance < 0.6 or depth > 3:
                out.append(self.pick(WORDS))
            elif chance < 0.7:
                out.append(self.pick(ESCAPED))
            elif chance < 0.92:
                left, right = self.pick(("", "", "", "~")), self.pick(("", "", "", "~"))
                room = self.pick(("", "", " "))
                inner = self.value(self.pick("sssnb"), depth + 1)
                out.append(f"${{{left}{room}{inner}{room}{right}}}")
            elif chance < 0.96:
                out.append(self.branch(depth))
            else:
                out.append(self.repeated(depth))
        return '"' + "".join(out) + '"'

    def branch(self, depth: int) -> str:
        asked = self.value("b", depth + 1)
        trim = self.pick(("", "", "~"))
        no = f"%{{ else {trim}}} no " if self.chance(0.5) else ""
        return f"%{{ if {asked} {trim}}} yes {no}%{{{trim} endif }}"

    def repeated(self, depth: int) -> str:
        items = self.value("l", depth + 1)
        name = self.pick(("i", "x", "a"))
        shown = f"${{{name}}}" if self.chance(0.8) else self.pick(WORDS)
        return f"%{{ for {name} in {items} }}{shown},%{{ endfor }}"

    def call(self, kind: str, depth: int) -> str:
        if self.own and self.chance(0.25):
            return self.own_call(depth)
        name, *kinds = self.pick(FUNCTIONS[kind]).split()
        if kinds[-1].endswith("+"):
            kinds[-1] = kinds[-1][0]
            kinds += kinds[-1:] * self.random.randrange(3)
        if self.chance(0.01):
            kinds = kinds[:-1]
        arguments = [self.value(one, depth + 1) for one in kinds]
        if name in _CONVERSIONS:
            return f"convert({arguments[0] if arguments else 1}, {_CONVERSIONS[name]})"
        spread = kinds and kinds[-1] == "l" and self.chance(0.02)
        return f"{name}({', '.join(arguments)}{'...' if spread else ''})"

    def own_call(self, depth: int) -> str:
        name, count, rest = self.pick(self.own).split()
        more = self.random.randrange(3) if rest == "rest" else int(self.chance(0.02))
        given = [self.value("s", depth + 1) for _ in range(int(count) + more)]
        return f"{name}({', '.join(given)})"

    def made(self, kind: str, depth: int) -> str:
        """What operators, conditions, indexes and loops make."""
        chance = self.random.random()
        if chance < 0.25:
            # The type of an error in the branch that is not taken is HCL's own affair.
            other = kind if self.chance(0.99) else self.pick("snblm")
            sides = [self.value(kind, depth + 1), self.plain(other, 4)]
            self.random.shuffle(sides)
            yes, no = sides
            found = f"{self.value('b', depth + 1)} ? {yes} : {no}"
            return f"({found})" if depth else found
        if kind in _OPERATORS and chance < 0.7:
            operator = self.pick(_OPERATORS[kind])
            inner = "b" if operator in ("&&", "||") else "n"
            inner = self.pick("snb*") if operator in ("==", "!=") else inner
            sides = self.value(inner, depth + 1), self.value(inner, depth + 1)
            return f"({sides[0]} {operator} {sides[1]})"
        if kind == "n":
            return f"-{self.value('n', depth + 2)}"
        if kind == "b":
            return f"!{self.value('b', depth + 2)}"
        if kind == "s":
            return self.part(depth)
        return self.loop(kind, depth)

    def part(self, depth: int) -> str:
        """A string out of a collection, or of another target."""
        chance = self.random.random()
        if chance < 0.25 and self.targets:
            target = self.pick(self.targets)
            path = (
                "context",
                "args.A",
                "tags[0]",
                "target",
                "dockerfile",
                "platforms[0]",
                "nothing",
            )
            return f"target.{target}.{self.pick(path)}"
        if chance < 0.6:
            key = self.pick(("[0]", "[1]", ".0", ".*[0]"))
            return f"[{self.text(4)}, {self.value('s', depth + 1)}]{key}"
        key = self.pick((".a", '["a"]', ".b", ".*.a[0]"))
        return f"{{ a = {self.value('s', depth + 1)}, b = {self.text(4)} }}{key}"

    def loop(self, kind: str, depth: int) -> str:
        names = self.pick(("v", "k, v", "v"))
        over = self.value(self.pick("llm"), depth + 1)
        wanted = f' if v != "{self.pick(WORDS)}"' if self.chance(0.3) else ""
        shown = self.pick(("v", '"${v}-x"', "upper(v)", self.value("s", depth + 1)))
        if kind == "l":
            return f"[for {names} in {over} : {shown}{wanted}]"
        grouped = "..." if self.chance(0.05) else ""
        key = self.pick(("v", '"k-${v}"', "sanitize(v)"))
        return f"{{for {names} in {over} : {key} => {shown}{grouped}{wanted}}}"

    def heredoc(self) -> str:
        """A text over several lines; a line's end must follow."""
        dash = self.pick(("", "-", "-"))
        lines: list[str] = []
        for _ in range(self.random.randrange(4)):
            margin = " " * self.random.randrange(5) if dash else ""
            lines.append(margin + self.text(2)[1:-1].replace("\\", "\\\\"))
            if self.chance(0.15):
                lines.append(margin + f"%{{ if {self.value('b', 3)} {self.pick(('', '~'))}}}")
                lines.append(margin + "inside")
                lines.append(margin + f"%{{ endif {self.pick(('', '~'))}}}")
            if self.chance(0.1):
                lines.append(self.pick(("", "   ")))
        return "\n".join([f"<<{dash}EOT", *lines, " " * self.random.randrange(3) + "EOT"])
