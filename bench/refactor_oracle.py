"""A second, tiny evaluator of Dockerfiles that shares no code with dockstrata's.

It knows concrete values alone: what the build arguments are and what a root image sets is given,
and what comes out is the list of steps and the configuration that BuildKit would compile. It reads
the subset of the language that ``refactor_fuzz.py`` writes. Source: BuildKit's Dockerfile
reference, and its compiler's rules for ARG, ENV, WORKDIR, COPY and the image configuration.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PLATFORM = {
    "TARGETPLATFORM": "linux/amd64",
    "BUILDPLATFORM": "linux/s390x",
    "TARGETOS": "linux",
    "TARGETARCH": "amd64",
}
_HEREDOC = re.compile(r"<<(-?)(['\"]?)(\w+)\2")
_NAME = re.compile(r"\w+")


class CannotBuildError(Exception):
    """The Dockerfile would not build with these values."""


@dataclass
class Node:
    """One instruction, as text: keyword, the joined rest, heredocs and its lines (from 1)."""

    keyword: str
    rest: str
    heredocs: list[tuple[str, bool, bool, str]] = field(default_factory=list)
    """Name, whether quoted, whether ``<<-``, and the body as written."""
    first: int = 0
    last: int = 0


def parse(text: str) -> tuple[list[Node], str]:
    """The instructions of a Dockerfile, and its escape character."""
    lines = text.split("\n")
    escape = "\\"
    for line in lines:
        if found := re.match(r"#\s*(\w+)\s*=\s*(\S+)", line):
            if found[1].lower() == "escape":
                escape = found[2]
        else:
            break
    nodes: list[Node] = []
    at = 0
    while at < len(lines):
        line = lines[at].rstrip("\r")
        if not line.strip() or line.lstrip().startswith("#"):
            at += 1
            continue
        first, joined = at, ""
        while True:
            bare = line.rstrip(" \t")
            if bare.endswith(escape):
                joined += bare[:-1]
                at += 1
                while at < len(lines) and (
                    not lines[at].strip() or lines[at].lstrip().startswith("#")
                ):
                    at += 1
                if at == len(lines):
                    break
                line = lines[at].rstrip("\r")
                continue
            joined += line
            break
        keyword, _, rest = joined.strip().partition(" ")
        node = Node(keyword.upper(), rest.strip(), first=first + 1)
        if node.keyword in ("RUN", "COPY", "ADD"):
            for dash, quote, name in _HEREDOC.findall(node.rest):
                body = ""
                at += 1
                while (lines[at].lstrip("\t") if dash else lines[at]).rstrip("\r") != name:
                    body += lines[at] + "\n"
                    at += 1
                node.heredocs.append((name, bool(quote), bool(dash), body))
        at += 1
        node.last = at
        nodes.append(node)
    return nodes, escape


# Words.


def expand(text: str, env: Mapping[str, str], escape: str, quotes: bool = True) -> str:
    """Variables replaced, quotes and escapes removed."""
    out, at, inside = "", 0, ""
    while at < len(text):
        char = text[at]
        if quotes and char in "\"'" and inside in ("", char):
            inside = "" if inside else char
            at += 1
        elif inside == "'":
            out += char
            at += 1
        elif char == escape and at + 1 < len(text):
            out += (
                text[at + 1] if not inside or text[at + 1] in f'"${escape}' else text[at : at + 2]
            )
            at += 2
        elif char == "$":
            value, at = _variable(text, at + 1, env, escape)
            out += value
        else:
            out += char
            at += 1
    return out


def _variable(text: str, at: int, env: Mapping[str, str], escape: str) -> tuple[str, int]:
    if text[at : at + 1] != "{":
        found = _NAME.match(text, at)
        return ("$", at) if found is None else (env.get(found[0], ""), found.end())
    end, depth = at + 1, 1
    while depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    inner = text[at + 1 : end - 1]
    found = _NAME.match(inner)
    assert found is not None, text
    name, operation = found[0], inner[found.end() :]
    if not operation:
        return env.get(name, ""), end
    word = expand(operation.lstrip(":")[1:], env, escape)
    there = bool(env.get(name)) if operation[0] == ":" else name in env
    kind = operation.lstrip(":")[0]
    if kind == "-":
        return (env[name] if there else word), end
    assert kind == "+", text
    return (word if there else ""), end


def words(text: str, escape: str) -> list[str]:
    """Cut at blanks outside quotes; quotes and escapes stay."""
    found, current, inside, at = [], "", "", 0
    while at < len(text):
        char = text[at]
        if char == escape and inside != "'" and at + 1 < len(text):
            current += text[at : at + 2]
            at += 2
            continue
        if char in "\"'" and inside in ("", char):
            inside = "" if inside else char
        if char in " \t" and not inside:
            if current:
                found.append(current)
            current = ""
        else:
            current += char
        at += 1
    return [*found, current] if current else found


def take_flags(text: str) -> tuple[list[tuple[str, str]], str]:
    flags = []
    while found := re.match(r"--([\w-]+)(?:=(\S*))?(?:\s+|$)", text):
        flags.append((found[1], "true" if found[2] is None else found[2]))
        text = text[found.end() :]
    return flags, text


# Images.


@dataclass(frozen=True)
class Image:
    """What a build comes to. ``steps`` begin with the root image."""

    steps: tuple[object, ...]
    env: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    ports: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    cmd: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    health: object = None
    signal: str | None = None
    author: str | None = None
    user: str = ""
    workdir: str = ""
    shell: tuple[str, ...] | None = None
    onbuild: tuple[str, ...] = ()
    any_cmd: bool = False
    depth: int = 1

    def outcome(self) -> dict[str, object]:
        """Everything that must not change: all but the depth."""
        shown = {name: getattr(self, name) for name in self.__dataclass_fields__}
        del shown["depth"]
        shown["labels"] = tuple(sorted(self.labels))
        return shown


@dataclass
class State:
    """A stage under way; ``env`` is what a RUN sees, build arguments among it."""

    image: Image
    env: dict[str, str]
    cmd_here: bool = False


@dataclass(frozen=True)
class Setting:
    """What a build is given: arguments, root images, images of the set, and a context's files."""

    given: Mapping[str, str]
    root: Callable[[str], Image]
    built: Callable[[str], Image | None]
    context: str
    dockerfile: str


@dataclass
class Stage:
    name: str
    image: Image
    state: State
    bare: bool = True
    """Nothing but FROM: another name, which those that stand on it do not count."""


def canonical(reference: str) -> str:
    if reference == "scratch":
        return reference
    first, slash, _ = reference.partition("/")
    if not slash:
        reference = f"library/{reference}"
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        reference = f"docker.io/{reference}"
    return reference if ":" in reference.rsplit("/", 1)[-1] else f"{reference}:latest"


def evaluate(text: str, setting: Setting) -> list[Stage]:
    """Every stage of a Dockerfile. Raises :class:`CannotBuildError`."""
    nodes, escape = parse(text)
    return _Evaluator(nodes, escape, setting).run()


class _Evaluator:
    def __init__(self, nodes: list[Node], escape: str, setting: Setting) -> None:
        self.nodes, self.escape, self.setting = nodes, escape, setting
        self.top: dict[str, str] = dict(PLATFORM)
        self.stages: list[Stage] = []

    def run(self) -> list[Stage]:
        for node in self.nodes:
            if not self.stages and node.keyword == "ARG":
                for word in words(node.rest, self.escape):
                    name, equals, value = word.partition("=")
                    if name in self.setting.given:
                        self.top[name] = self.setting.given[name]
                    elif equals:
                        self.top[name] = expand(value, self.top, self.escape)
            elif node.keyword == "FROM":
                self.open(node)
            else:
                self.do(node)
        return self.stages

    def stage(self, name: str) -> Stage | None:
        return next((s for s in reversed(self.stages) if s.name == name.lower()), None)

    def open(self, node: Node) -> None:
        flags, rest = take_flags(node.rest)
        parts = rest.split()
        name = parts[2].lower() if len(parts) == 3 else ""
        reference = expand(parts[0], self.top, self.escape)
        if not reference:
            raise CannotBuildError("blank base name")
        platform = expand(dict(flags).get("platform", "linux/amd64"), self.top, self.escape)
        onbuild: tuple[str, ...] = ()
        below = self.stage(reference)
        if below is not None:
            image = below.image
            env = {**below.state.env, **dict(image.env)}
        elif (built := self.setting.built(canonical(reference))) is not None:
            image, env = built, dict(built.env)
        else:
            image = self.setting.root(reference)
            image = replace(image, steps=((canonical(reference), platform),))
            env = dict(image.env)
            if "PATH" not in env:
                env["PATH"] = DEFAULT_PATH
                image = replace(image, env=(*image.env, ("PATH", DEFAULT_PATH)))
        onbuild, depth = image.onbuild, image.depth + int(below is None or not below.bare)
        image = replace(image, onbuild=(), depth=depth)
        self.stages.append(Stage(name, image, State(image, env)))
        for trigger in onbuild:
            keyword, _, text = trigger.partition(" ")
            self.do(Node(keyword.upper(), text.strip()))

    def do(self, node: Node) -> None:
        stage = self.stages[-1]
        stage.bare = False
        state = stage.state
        image = getattr(self, f"do_{node.keyword.lower()}")(state, node)
        stage.image = state.image = image

    # Environment.

    def do_arg(self, state: State, node: Node) -> Image:
        for word in words(node.rest, self.escape):
            name, equals, value = word.partition("=")
            if name in self.setting.given:
                found: str | None = self.setting.given[name]
            elif equals:
                found = expand(value, state.env, self.escape)
            else:
                found = self.top.get(name)
            if found is not None:
                state.env[name] = found
        return state.image

    def do_env(self, state: State, node: Node) -> Image:
        before, env = dict(state.env), dict(state.image.env)
        for name, value in self.pairs(node.rest, before):
            env[name] = state.env[name] = value
        return replace(state.image, env=tuple(env.items()))

    def pairs(self, text: str, env: Mapping[str, str]) -> list[tuple[str, str]]:
        parts = words(text, self.escape)
        if "=" not in parts[0]:
            return [(parts[0], expand(text[len(parts[0]) :].strip(), env, self.escape))]
        found = []
        for part in parts:
            name, _, value = part.partition("=")
            found.append((expand(name, env, self.escape), expand(value, env, self.escape)))
        return found

    def do_user(self, state: State, node: Node) -> Image:
        return replace(state.image, user=expand(node.rest, state.env, self.escape))

    def do_shell(self, state: State, node: Node) -> Image:
        return replace(state.image, shell=tuple(json.loads(node.rest)))

    # Steps.

    def do_workdir(self, state: State, node: Node) -> Image:
        path = expand(node.rest, state.env, self.escape)
        if not path.startswith("/"):
            path = posixpath.normpath(posixpath.join(state.image.workdir or "/", path))
        image = replace(state.image, workdir=path)
        if path == "/":
            return image
        step = ("WORKDIR", posixpath.normpath(path), state.image.user)
        return replace(image, steps=(*image.steps, step))

    def command(self, node: Node, image: Image) -> tuple[str, ...]:
        if node.rest.startswith("["):
            return tuple(json.loads(node.rest))
        return (*(image.shell or ("/bin/sh", "-c")), node.rest)

    def run_step(self, state: State, node: Node) -> tuple[object, ...]:
        image = state.image
        flags, text = take_flags(node.rest)
        shell = image.shell or ("/bin/sh", "-c")
        file: object = None
        if text.startswith("["):
            argv: tuple[str, ...] = tuple(json.loads(text))
        elif node.heredocs and _HEREDOC.fullmatch(text):
            name, _, dash, body = node.heredocs[0]
            body = re.sub(r"(?m)^\t+", "", body) if dash else body
            if body.startswith("#!"):
                argv, file = (*shell, f"/dev/pipes/{name}"), (name, body)
            else:
                argv = (*shell, body)
        else:
            for name, _, _, body in node.heredocs:
                text += "\n" + body + name
            argv = (*shell, text)
        mounts = tuple(self.mount(state, value) for name, value in flags if name == "mount")
        others = tuple(flag for flag in flags if flag[0] != "mount")
        env = tuple(sorted(state.env.items()))
        return ("RUN", argv, file, env, image.user, image.workdir or "/", mounts, others)

    def do_run(self, state: State, node: Node) -> Image:
        return replace(state.image, steps=(*state.image.steps, self.run_step(state, node)))

    def mount(self, state: State, value: str) -> tuple[object, ...]:
        options = dict(
            part.partition("=")[::2] for part in expand(value, state.env, self.escape).split(",")
        )
        options.setdefault("type", "bind")
        origin: object = None
        if options["type"] == "bind" and "from" not in options:
            origin = self.files(options.get("source", "."))
        elif "from" in options:
            stage = self.stage(options.pop("from"))
            origin = stage.image.steps if stage is not None else value
        return (*sorted(options.items()), origin)

    def do_copy(self, state: State, node: Node) -> Image:
        flags, text = take_flags(node.rest)
        parts = json.loads(text) if text.startswith("[") else words(text, self.escape)
        *sources, target = [expand(part, state.env, self.escape) for part in parts]
        options = {
            name: expand(value, state.env, self.escape) for name, value in flags if name != "from"
        }
        origin = dict(flags).get("from") if node.keyword == "COPY" else None
        items: list[object] = []
        if origin is not None:
            stage = self.stages[int(origin)] if origin.isdigit() else self.stage(origin)
            if stage is self.stages[-1]:
                raise CannotBuildError("a stage copies from itself")
            where: object = stage.image.steps if stage is not None else canonical(origin)
            items = [(where, posixpath.normpath("/" + source)) for source in sources]
        else:
            documents = iter(node.heredocs)
            for part, source in zip(parts, sources, strict=False):
                if _HEREDOC.fullmatch(part):
                    items.append(self.document(state, next(documents)))
                elif "://" in source:
                    items.append(source)
                else:
                    items.append(self.files(source))
        step = (
            node.keyword,
            tuple(items),
            self.target(state, target),
            tuple(sorted(options.items())),
        )
        return replace(state.image, steps=(*state.image.steps, step))

    do_add = do_copy

    def document(self, state: State, heredoc: tuple[str, bool, bool, str]) -> tuple[str, str]:
        name, quoted, dash, body = heredoc
        body = re.sub(r"(?m)^\t+", "", body) if dash else body
        return name, body if quoted else expand(body, state.env, "\\", quotes=False)

    def target(self, state: State, path: str) -> str:
        if path in ("", "."):
            path = "./"
        tail = "/" if path.endswith("/") else "/." if path.endswith("/.") else ""
        full = posixpath.normpath(posixpath.join("/", state.image.workdir or "/", path))
        return full.rstrip("/") + tail if tail else full

    def files(self, source: str) -> tuple[str, ...]:
        """Path, name and content of everything that a path of the build context names."""
        context = self.setting.context
        ignored = _ignored(context, self.setting.dockerfile)
        path = posixpath.normpath("/" + source)[1:]
        found: list[str] = ["/" + path]
        full = Path(context, path)
        if full.is_dir():
            members = sorted(member for member in full.rglob("*") if member.is_file())
        else:
            members = [full] if full.is_file() else []
        for member in members:
            relative = member.relative_to(context).as_posix()
            if not any(re.fullmatch(pattern, relative) for pattern in ignored):
                inside = member.relative_to(full).as_posix() if full.is_dir() else member.name
                digest = hashlib.sha256(member.read_bytes()).hexdigest()
                found.append(f"{inside}:{digest}:{os.access(member, os.X_OK)}")
        if len(found) == 1:
            found.append(f"missing in {os.path.realpath(context)}")
        return tuple(found)

    # Configuration.

    def do_label(self, state: State, node: Node) -> Image:
        labels = dict(state.image.labels) | dict(self.pairs(node.rest, state.env))
        return replace(state.image, labels=tuple(labels.items()))

    def do_expose(self, state: State, node: Node) -> Image:
        ports = {
            p if "/" in p else f"{p}/tcp" for p in expand(node.rest, state.env, self.escape).split()
        }
        return replace(state.image, ports=state.image.ports | ports)

    def do_volume(self, state: State, node: Node) -> Image:
        paths = json.loads(node.rest) if node.rest.startswith("[") else node.rest.split()
        found = {expand(path, state.env, self.escape) for path in paths}
        return replace(state.image, volumes=state.image.volumes | found)

    def do_cmd(self, state: State, node: Node) -> Image:
        state.cmd_here = True
        return replace(state.image, cmd=self.command(node, state.image), any_cmd=True)

    def do_entrypoint(self, state: State, node: Node) -> Image:
        cmd = state.image.cmd if state.cmd_here else ()
        return replace(state.image, entrypoint=self.command(node, state.image), cmd=cmd)

    def do_healthcheck(self, state: State, node: Node) -> Image:
        return replace(state.image, health=node.rest)

    def do_stopsignal(self, state: State, node: Node) -> Image:
        return replace(state.image, signal=expand(node.rest, state.env, self.escape))

    def do_maintainer(self, state: State, node: Node) -> Image:
        return replace(state.image, author=node.rest)

    def do_onbuild(self, state: State, node: Node) -> Image:
        return replace(state.image, onbuild=(*state.image.onbuild, node.rest))


def _ignored(context: str, dockerfile: str) -> list[str]:
    """Patterns that leave files out, as regular expressions; ``*`` stays within one name."""
    for path in (f"{dockerfile}.dockerignore", os.path.join(context, ".dockerignore")):
        if os.path.exists(path):
            patterns = Path(path).read_text().split()
            return [re.escape(pattern).replace(r"\*", "[^/]*") for pattern in patterns]
    return []
