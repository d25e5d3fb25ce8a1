"""Random bake files in HCL and JSON, with the compose file and the Dockerfiles beside them.

Reproducible by seed. Most are what people write, some are spoilt: a name that is not there, a
loop, a wrong type, a character too many or too few.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from random import Random

from hcl_generator import WORDS, Expressions

_DOCKERFILES = ("Dockerfile", "web.Dockerfile", "app/Dockerfile", "app/web.Dockerfile")
_FOLDERS = ("db", "src")
_CONTEXTS = (".", ".", "app", "./db", "db/../app", "cwd://app", "", "https://example.com/a.git")
_PLACES = (
    "Dockerfile",
    "Dockerfile",
    "web.Dockerfile",
    "../db/Dockerfile",
    "cwd://db/Dockerfile",
    "",
)
_NAMED = ("docker-image://alpine:3.20", "./src", "src", "target:{}", "target:{}", "cwd://db", "")
_NAMED += ("oci-layout://src", "https://example.com/x.git", "target:nobody")
_PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7", "local", "linux/amd64")
_SECRETS = ("id=a,src=src/key", "id=b,env=HOME", "type=file,id=a,src=src/key", "type=env,id=PATH")
_SECRETS += ("id=c,type=env,src=HOME", "id=HOME", "")
_ODD = ("id=x,src=src/none", "x", "type=foo,id=x,src=src/key")
_SSH = ("default", "default", "")
_SPOILS = (
    "{",
    "}",
    '"',
    "(",
    ")",
    "[",
    "]",
    ",",
    "=",
    "\n",
    "$",
    "nothing",
    " ",
    "#",
    "/*",
    "null",
)


def write_set(folder: str, seed: int) -> str:
    """Writes a folder with bake files; gives the folder."""
    random = Random(seed)
    for path in (*_DOCKERFILES, "db/Dockerfile", "src/key"):
        _put(folder, path, "FROM scratch\n")
    maker = _Maker(random)
    texts: dict[str, str] = {}
    first = random.choice(
        ("docker-bake.hcl", "docker-bake.hcl", "docker-bake.hcl", "docker-bake.json")
    )
    names = [first]
    if random.random() < 0.2:
        names.append(random.choice(("docker-bake.override.hcl", "docker-bake.override.json")))
    if random.random() < 0.1:
        names.append("docker-bake.ci.hcl")
    if random.random() < 0.05:
        names.append("docker-bake.json")
    for name in dict.fromkeys(names):
        is_json = name.endswith(".json")
        texts[name] = maker.json_file() if is_json else maker.hcl_file()
    if random.random() < 0.12:
        name = random.choice(("compose.yaml", "docker-compose.yml", "compose.yml"))
        _put(folder, name, maker.compose())
    if random.random() < 0.15:
        name = random.choice(list(texts))
        texts[name] = _spoilt(random, texts[name])
    for name, text in texts.items():
        _put(folder, name, text)
    return folder


def _put(folder: str, path: str, text: str) -> None:
    place = os.path.join(folder, path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w", encoding="utf-8") as file:
        file.write(text)


def _spoilt(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    if random.random() < 0.5:
        return text[:at] + random.choice(_SPOILS) + text[at:]
    return text[:at] + text[at + random.randrange(1, 4) :]


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.expressions = Expressions(random, {})
        self.targets: list[str] = []
        self.number = 0

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    def new(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def value(self, kind: str, depth: int = 1) -> str:
        if self.chance(0.5):
            return self.expressions.plain(kind, 3)
        return self.expressions.safe(kind, depth)

    # HCL

    def hcl_file(self) -> str:
        blocks = [self.variable() for _ in range(self.random.randrange(5))]
        blocks += [self.function() for _ in range(self.random.randrange(3))]
        blocks += [self.target() for _ in range(self.random.randrange(1, 5))]
        if self.chance(0.6):
            blocks.append(self.group())
        if self.chance(0.1):
            self.random.shuffle(blocks)
        comment = self.random.choice(("", "# c\n", "// c\n", "/* c\n */\n"))
        return comment + self.random.choice(("\n", "\n\n")).join(blocks) + "\n"

    def block(self, kind: str, name: str, attributes: Mapping[str, str]) -> str:
        label = f'"{name}"' if self.chance(0.97) else name
        lines = [f"  {key} = {text}" for key, text in attributes.items()]
        if len(lines) == 1 and "\n" not in lines[0] and self.chance(0.5):
            return f"{kind} {label} {{ {lines[0].strip()} }}"
        ends = ("", "", "", " # c", " // c", " /* c */")
        shown = [line + ("" if "<<" in line else self.random.choice(ends)) for line in lines]
        return "\n".join([f"{kind} {label} {{", *shown, "}"])

    def variable(self) -> str:
        kind = self.random.choice("sssnblm")
        name = self.new("V")
        if self.chance(0.1) and self.expressions.names.get(kind):
            name = self.random.choice(self.expressions.names[kind])
        default = self.value(kind)
        said: dict[str, str] = {"default": default}
        if self.chance(0.15):
            said["type"] = {
                "s": "string",
                "n": "number",
                "b": "bool",
                "l": self.random.choice(("list(string)", "set(string)", "tuple([string])")),
                "m": self.random.choice(("map(string)", "object({ a = string })", "any")),
            }[kind]
            if self.chance(0.1):
                said["type"] = self.random.choice(("string", "list(number)", "nothing", "number"))
        if self.chance(0.05):
            said["default"] = "null"
        if self.chance(0.04):
            del said["default"]
        if self.chance(0.05):
            said["description"] = '"what it is for"'
        self.expressions.names.setdefault(kind, []).append(name)
        if self.chance(0.1):
            return f"{name} = {default}"
        return self.block("variable", name, said)

    def function(self) -> str:
        name, count = self.new("f"), self.random.randrange(3)
        names = ["p", "q"][:count]
        rest = self.chance(0.3)
        inner = Expressions(self.random, {**self.expressions.names, "s": [*names, *names, "V1"]})
        inner.names["l"] = [*inner.names.get("l", []), *(["r"] if rest else [])]
        said = {"params": f"[{', '.join(names)}]"}
        if rest:
            said["variadic_params"] = "r"
        said["result"] = inner.safe(self.random.choice("ssl"), 1)
        self.expressions.own.append(f"{name} {count} {'rest' if rest else 'none'}")
        return self.block("function", name, said)

    def target(self) -> str:
        name = self.new(self.random.choice(("t", "app-", "_p", "x-")))
        if self.targets and self.chance(0.08):
            name = self.random.choice(self.targets)
        said = self.attributes(self.text)
        if self.chance(0.15):
            said = {**self.matrix(name), **said}
        elif self.chance(0.1):
            said["args"] = f"{{\n    A = {self.expressions.heredoc()}\n    B = 1\n  }}"
        self.targets.append(name)
        self.expressions.targets.append(name)
        return self.block("target", name, said)

    def text(self, plain: str) -> str:
        """A string as it is, or made by an expression."""
        if self.chance(0.85):
            return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return self.expressions.safe("s", 1)

    def attributes(self, text: Callable[[str], str]) -> dict[str, str]:
        choose, value = self.random.choice, self.value
        said: dict[str, str] = {}

        def say(part: float, name: str, make: Callable[[], str]) -> None:
            if self.chance(part):
                said[name] = "null" if self.chance(0.02) else make()

        say(0.5, "context", lambda: text(choose(_CONTEXTS)))
        say(0.3, "dockerfile", lambda: text(choose(_PLACES)))
        say(0.04, "dockerfile-inline", lambda: text("FROM scratch"))
        say(0.3, "target", lambda: value("s"))
        say(0.6, "args", self.arguments)
        say(0.5, "tags", lambda: value("l") if self.chance(0.5) else self.tags())
        say(0.25, "platforms", lambda: self.listed(_PLATFORMS))
        say(0.3, "contexts", self.contexts)
        say(0.2, "secret", lambda: self.secrets())
        say(0.1, "ssh", lambda: self.listed(_SSH))
        say(0.4, "inherits", lambda: self.listed((*self.targets, *self.targets, "nobody")[:6]))
        say(0.1, "labels", lambda: value("m"))
        say(0.05, "no-cache", lambda: value("b"))
        say(0.03, "call", lambda: text(choose(("build", "check"))))
        say(0.03, "description", lambda: value("s"))
        say(0.03, "nothing", lambda: value("*"))
        say(0.03, "output", lambda: '["type=docker"]')
        order = list(said)
        self.random.shuffle(order)
        return {name: said[name] for name in order}

    def arguments(self) -> str:
        if self.chance(0.3):
            return self.value("m")
        keys = ("A", "B", '"C"', "D", '"${"E"}"', '(upper("f"))')
        pairs = []
        for key in self.random.sample(keys, self.random.randrange(4)):
            shown = "null" if self.chance(0.08) else self.value(self.random.choice("sssnb"))
            pairs.append(f"{key} {self.random.choice('===:')} {shown}")
        return self.expressions.enclosed("{", pairs, "}")

    def tags(self) -> str:
        names = (*WORDS, "acme/app:1", "acme/app", "registry.example.com/a/b:2")
        items = [self.text(self.random.choice(names)) for _ in range(self.random.randrange(4))]
        return self.expressions.enclosed("[", items, "]")

    def listed(self, items: tuple[str, ...]) -> str:
        found = [self.random.choice(items) for _ in range(self.random.randrange(1, 3))]
        return (
            "[" + ", ".join(f'"{it}"' for it in found if it != "nobody" or self.chance(0.1)) + "]"
        )

    def contexts(self) -> str:
        pairs = []
        for key in self.random.sample(("x", '"a/b"', '"img:1"', "y"), self.random.randrange(1, 4)):
            value = self.random.choice(_NAMED[:-1] if self.chance(0.97) else _NAMED)
            other = self.random.choice(self.targets) if self.targets else "t1"
            pairs.append(f'{key} = "{value.format(other)}"')
        return self.expressions.enclosed("{", pairs, "}")

    def secrets(self) -> str:
        found = [
            self.random.choice(_SECRETS if self.chance(0.95) else _ODD)
            for _ in range(self.random.randrange(1, 3))
        ]
        shown = [f'"{it}"' for it in found]
        if self.chance(0.2):
            shown.append('{ id = "o", src = "src/key" }')
        if self.chance(0.1):
            shown.append('{ type = "env", id = "HOME" }')
        return "[" + ", ".join(shown) + "]"

    def matrix(self, name: str) -> dict[str, str]:
        axes = {"one": ["x", "y.z", "1"][: self.random.randrange(1, 4)]}
        shown = [f"{key} = [{', '.join(map(json.dumps, them))}]" for key, them in axes.items()]
        template = f"{name}-${{sanitize(one)}}"
        if self.chance(0.5):
            shown.append('two = [{ n = "a", on = true }, { n = "b", on = false }]')
            template += "-${two.n}" if self.chance(0.9) else ""
        said = {"matrix": self.expressions.enclosed("{", shown, "}"), "name": f'"{template}"'}
        if self.chance(0.5):
            said["target"] = self.random.choice(("one", '"${one}-x"', "upper(one)"))
        if len(shown) > 1 and self.chance(0.5):
            said["args"] = self.random.choice(
                ("two.on ? { ON = 1 } : {}", "{ N = two.n, ON = two.on }")
            )
        return said

    def group(self) -> str:
        name = self.random.choice(("default", "default", "all", "g"))
        return self.block(
            "group", name, {"targets": self.listed((*self.targets, *self.targets, "g"))}
        )

    # JSON

    def json_file(self) -> str:
        document: dict[str, object] = {}
        if self.chance(0.7):
            document["variable"] = {
                self.json_name(): {"default": self.json_value("s")} for _ in "ab"
            }
        document["target"] = {self.json_target(): self.json_body() for _ in "abc"}
        if self.chance(0.5):
            document["group"] = {"default": {"targets": self.random.sample(self.targets, 1)}}
        if self.chance(0.1):
            document[self.json_name()] = self.json_value("s")
        return json.dumps(document, indent=self.random.choice((None, 2)), ensure_ascii=False)

    def json_name(self) -> str:
        name = self.new("V")
        self.expressions.names.setdefault("s", []).append(name)
        return name

    def json_target(self) -> str:
        name = self.new("t")
        if self.targets and self.chance(0.2):
            name = self.random.choice(self.targets)
        self.targets.append(name)
        self.expressions.targets.append(name)
        return name

    def json_value(self, kind: str) -> object:
        if self.chance(0.5):
            return "${" + self.expressions.safe(kind, 2) + "}"
        if kind == "l":
            return [self.json_value("s") for _ in range(self.random.randrange(3))]
        if kind == "m":
            return {key: self.json_value("s") for key in self.random.sample("ABC", 2)}
        return self.random.choice((*WORDS, 1, 2.5, True, "a%{ if true }b%{ endif }", r"a\nb"))

    def json_body(self) -> dict[str, object]:
        choose = self.random.choice
        makers: dict[str, Callable[[], object]] = {
            "context": lambda: choose(_CONTEXTS),
            "dockerfile": lambda: choose(_PLACES),
            "args": lambda: self.json_value("m"),
            "tags": lambda: self.json_value("l"),
            "target": lambda: self.json_value("s"),
            "platforms": lambda: [choose(_PLATFORMS)],
            "contexts": lambda: {"x": choose(_NAMED[:3])},
            "secret": lambda: [choose(_SECRETS)],
            "inherits": lambda: [choose(self.targets)],
            "labels": lambda: self.json_value("m"),
        }
        return {name: make() for name, make in makers.items() if self.chance(0.35)}

    def compose(self) -> str:
        lines = ["services:"]
        for name in dict.fromkeys((*self.random.sample(self.targets, 1), "web", "d.b")):
            lines += [f"  {name}:", f"    build: {self.random.choice(('.', 'app', './db'))}"]
            if self.chance(0.5):
                lines[-1] = "    build:"
                lines += [
                    "      context: app",
                    f"      dockerfile: {self.random.choice(_PLACES[1:3])}",
                ]
                lines += ["      args:", f"        A: {self.random.choice(('one', '1', '$$x'))}"]
                if self.chance(0.5):
                    lines += ["      target: prod", "      additional_contexts: {src: ./src}"]
            if self.chance(0.5):
                lines.append(f"    image: acme/{name}:1")
            if self.chance(0.2):
                lines.append("    platform: linux/amd64")
        return "\n".join(lines) + "\n"
