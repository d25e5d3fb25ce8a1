"""Builds that compose files describe (compose specification, "Build" and "Merge")."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockstrata.load.discover import tidy
from dockstrata.load.interpolate import interpolate, read_env
from dockstrata.load.secrets import Secret, secret_from
from dockstrata.load.wiring import (
    Build,
    Problem,
    UnknownValueError,
    is_remote,
    locate,
    named_contexts,
    read_file,
)

if TYPE_CHECKING:
    from yaml.nodes import Node  # type: ignore[import-untyped]

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_BASE_NAME = re.compile(r"(?:docker-)?compose\.ya?ml", re.IGNORECASE)
_OVERRIDE_NAME = re.compile(r"(?:docker-)?compose\.override\.ya?ml", re.IGNORECASE)
_DEPTH = 20


@dataclass(frozen=True, slots=True)
class _Spec:
    """What a service's ``build`` says so far; values are as written, before interpolation.

    ``base`` is the file that ``context`` is relative to; a string for ``build`` alone is a context.
    """

    base: str
    line: int
    context: str | None = None
    dockerfile: str | None = None
    inline: bool = False
    target: str | None = None
    args: tuple[tuple[str, str | None], ...] = ()
    contexts: tuple[tuple[str, str | None], ...] = ()
    platforms: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()  # id for the build, name at the file's top
    ssh: tuple[tuple[str, str | None], ...] = ()

    def over(self, below: _Spec) -> _Spec:
        """This one laid over another: mappings are merged, lists appended, the rest replaced."""
        return replace(
            self,
            base=self.base if self.context is not None else below.base,
            context=self.context if self.context is not None else below.context,
            dockerfile=self.dockerfile if self.dockerfile is not None else below.dockerfile,
            inline=self.inline or (below.inline and self.dockerfile is None),
            target=self.target if self.target is not None else below.target,
            args=tuple({**dict(below.args), **dict(self.args)}.items()),
            contexts=tuple({**dict(below.contexts), **dict(self.contexts)}.items()),
            platforms=tuple(dict.fromkeys(below.platforms + self.platforms)),
            tags=tuple(dict.fromkeys(below.tags + self.tags)),
            secrets=tuple({**dict(below.secrets), **dict(self.secrets)}.items()),
            ssh=tuple({**dict(below.ssh), **dict(self.ssh)}.items()),
        )

    @property
    def partial(self) -> bool:
        """Whether it only makes sense over another file's."""
        return self.context is None and self.dockerfile is None and not self.inline


@dataclass(frozen=True, slots=True)
class _Service:
    line: int
    build: _Spec | None
    image: str | None
    platform: str | None
    extends: tuple[str | None, str] | None

    def over(self, below: _Service) -> _Service:
        build = self.build or below.build
        if self.build and below.build:
            build = self.build.over(below.build)
        return _Service(
            self.line,
            build,
            self.image or below.image,
            self.platform or below.platform,
            self.extends or below.extends,
        )


_Services = Mapping[str, _Service]


def compose_builds(paths: Sequence[str]) -> tuple[list[Build], list[Problem]]:
    """The builds of compose files, in the order of the files; broken files become problems.

    ``compose.override.yaml`` is laid over ``compose.yaml`` beside it. In any other file a service
    whose ``build`` names neither context nor Dockerfile is laid over its namesake there, too.
    """
    reader = _Reader()
    builds: list[Build] = []
    folders: dict[str, list[str]] = {}
    for path in paths:
        folders.setdefault(os.path.dirname(path), []).append(path)
    for files in folders.values():
        base: dict[str, _Service] = {}
        bases = sorted(path for path in files if _BASE_NAME.fullmatch(os.path.basename(path)))
        overrides = sorted(p for p in files if _OVERRIDE_NAME.fullmatch(os.path.basename(p)))
        for path in bases:
            base.update(reader.services(path))
        for path in overrides:
            for name, service in reader.services(path).items():
                base[name] = service.over(base[name]) if name in base else service
        first = bases[0] if bases else (overrides or files)[0]
        builds += reader.builds(first, base)
        for path in files:
            if path not in bases and path not in overrides:
                services = dict(reader.services(path))
                for name, service in services.items():
                    if service.build and service.build.partial and name in base:
                        services[name] = service.over(base[name])
                builds += reader.builds(path, services)
    return builds, reader.problems


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._services: dict[str, _Services] = {}
        self._env: dict[str, dict[str, str]] = {}
        self._secrets: dict[str, tuple[str | None, str | None]] = {}  # file, variable

    def services(self, path: str) -> _Services:
        if path not in self._services:
            self._services[path] = self._read(path)
        return self._services[path]

    def _read(self, path: str) -> _Services:
        text = read_file(path)
        if isinstance(text, Problem):
            self.problems.append(text)
            return {}
        if "build" not in text:
            return _NO_SERVICES  # most compose files only run images: spare the parser
        import yaml  # type: ignore[import-untyped]

        services: dict[str, _Service] = {}
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for document in yaml.compose_all(text, Loader=loader):
                top = _entries(document)
                section = top.get("services")
                for name, node in _entries(section).items():
                    services[name] = _service(path, node, _line(section, name, node))
                for name, node in _entries(top.get("secrets")).items():
                    said = _entries(node)
                    where = _text(said.get("file")), _text(said.get("environment"))
                    self._secrets[os.path.dirname(path) + "/" + name] = where
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            message = getattr(error, "problem", None) or str(error).split("\n")[0]
            line = mark.line + 1 if mark else 1
            self.problems.append(Problem(path, line, f"is not YAML: {message}"))
        except RecursionError:
            self.problems.append(Problem(path, 1, "is nested too deep"))
        return services

    def builds(self, path: str, services: _Services) -> Iterator[Build]:
        for name, service in services.items():
            extended = self._extended(path, service, 0)
            if extended.build is None or extended.build.inline:
                continue
            origin = path if service.build is None else service.build.base
            try:
                yield from self._build(path, name, extended)
            except UnknownValueError as error:
                message = (
                    f"service '{name}': what it builds depends on '{error}', which has no value"
                )
                self.problems.append(Problem(origin, service.line, message, "unknown-value"))

    def _extended(self, path: str, service: _Service, depth: int) -> _Service:
        if service.extends is None or depth > _DEPTH:
            return service
        file, name = service.extends
        other = path
        if file is not None:
            try:
                other = tidy(os.path.join(os.path.dirname(path), interpolate(file, self.env(path))))
            except UnknownValueError:
                return service
        below = self.services(other).get(name) if other == path or os.path.isfile(other) else None
        if below is None or below is service:
            return service
        below = self._extended(other, below, depth + 1)
        return service.over(replace(below, extends=None))

    def env(self, path: str) -> dict[str, str]:
        folder = os.path.dirname(path)
        if folder not in self._env:
            file = os.path.join(folder, ".env")
            text = read_file(file) if os.path.isfile(file) else ""
            self._env[folder] = read_env(text) if isinstance(text, str) else {}
        return self._env[folder]

    def _build(self, path: str, name: str, service: _Service) -> Iterator[Build]:
        spec, env = service.build, self.env(path)
        assert spec is not None
        context = interpolate(spec.context or ".", env)
        dockerfile = interpolate(spec.dockerfile or "Dockerfile", env)
        if is_remote(context):
            return
        found = locate(spec.base, context or ".", dockerfile or "Dockerfile")
        if found is None:
            return
        base, folder, file = found
        contexts = {
            key: value for key, raw in spec.contexts if (value := _known(raw, env)) is not None
        }
        platforms = [it for raw in spec.platforms if (it := _known(raw, env))]
        if not platforms and (platform := _known(service.platform, env)):
            platforms = [platform]
        tags = [service.image, *spec.tags] if service.image else list(spec.tags)
        yield Build(
            dockerfile=file,
            context=folder,
            target=interpolate(spec.target, env) or None if spec.target else None,
            args=tuple((key, _known(raw, env)) for key, raw in spec.args),
            platforms=tuple(platforms),
            contexts=named_contexts(contexts, base),
            tags=tuple(dict.fromkeys(it for raw in tags if (it := _known(raw, env)))),
            origin=path,
            line=spec.line,
            service=name,
            secrets=tuple(self._secret(path, base, item, env) for item in spec.secrets),
            ssh=tuple(
                f"{key}={value}" if (value := _known(raw, env)) else key for key, raw in spec.ssh
            ),
        )

    def _secret(
        self, path: str, base: str, names: tuple[str, str], env: Mapping[str, str]
    ) -> Secret:
        """A secret as the top of the compose files of one folder tells it."""
        name, source = names
        file, variable = self._secrets.get(f"{os.path.dirname(path)}/{source}", (None, None))
        return secret_from(name, _known(file, env) or "", _known(variable, env) or "", base)


_NO_SERVICES: _Services = {}


def _known(raw: str | None, env: Mapping[str, str]) -> str | None:
    if raw is None:
        return None
    try:
        return interpolate(raw, env)
    except UnknownValueError:
        return None


def _service(path: str, node: Node, line: int) -> _Service:
    fields = _entries(node)
    build: _Spec | None = None
    if (where := fields.get("build")) is not None:
        build = _spec(path, where, _line(node, "build", where))
    extends: tuple[str | None, str] | None = None
    if (other := fields.get("extends")) is not None:
        said = _entries(other)
        name = _text(said.get("service")) if said else _text(other)
        extends = (_text(said.get("file")), name) if name else None
    image, platform = _text(fields.get("image")), _text(fields.get("platform"))
    return _Service(line, build, image, platform, extends)


def _spec(path: str, node: Node, line: int) -> _Spec | None:
    if (context := _text(node)) is not None:
        return _Spec(path, line, context=context)
    fields = _entries(node)
    if not fields:
        return None
    return _Spec(
        path,
        line,
        context=_text(fields.get("context")),
        dockerfile=_text(fields.get("dockerfile")),
        inline="dockerfile_inline" in fields,
        target=_text(fields.get("target")),
        args=tuple(_pairs(fields.get("args"))),
        contexts=tuple(_pairs(fields.get("additional_contexts"))),
        platforms=tuple(_items(fields.get("platforms"))),
        tags=tuple(_items(fields.get("tags"))),
        secrets=tuple(_secrets(fields.get("secrets"))),
        ssh=tuple(_pairs(fields.get("ssh"))),
    )


def _secrets(node: Node | None) -> Iterator[tuple[str, str]]:
    """Each secret's id and source: ``[name]`` or ``[{source: name, target: id}]``."""
    from yaml.nodes import SequenceNode

    for item in node.value if isinstance(node, SequenceNode) else ():
        said = _entries(item)
        source = _text(said.get("source")) if said else _text(item)
        if source:
            yield _text(said.get("target")) or source, source


# Nodes are read without building Python objects: no tag is acted upon, aliases cost nothing.


def _entries(node: Node | None, depth: int = 0) -> dict[str, Node]:
    """The entries of a mapping, merge keys (``<<``) included; empty for any other node."""
    from yaml.nodes import MappingNode, ScalarNode, SequenceNode

    found: dict[str, Node] = {}
    if not isinstance(node, MappingNode) or depth > _DEPTH:
        return found
    own: dict[str, Node] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            continue
        if key.value == "<<" and not key.style:
            merged: list[Node] = value.value if isinstance(value, SequenceNode) else [value]
            for other in reversed(merged):
                found.update(_entries(other, depth + 1))
        elif not value.tag.endswith("!reset"):
            own[key.value] = value
    return {**found, **own}


def _line(mapping: Node, name: str, value: Node) -> int:
    """The line (from 1) of a key; of its value where the key came by a merge."""
    for key, _ in mapping.value:
        if key.value == name:
            return int(key.start_mark.line) + 1
    return int(value.start_mark.line) + 1


def _items(node: Node | None) -> Iterator[str]:
    from yaml.nodes import SequenceNode

    if isinstance(node, SequenceNode):
        for item in node.value:
            if (text := _text(item)) is not None:
                yield text
    elif (text := _text(node)) is not None:
        yield text


def _pairs(node: Node | None) -> Iterator[tuple[str, str | None]]:
    """``{NAME: value}`` or ``[NAME=value, NAME]``; None is a value of the environment."""
    from yaml.nodes import MappingNode

    if isinstance(node, MappingNode):
        for name, value in _entries(node).items():
            yield name, _text(value)
    else:
        for item in _items(node):
            name, equals, value = item.partition("=")
            yield name.strip(), value if equals else None


def _text(node: Node | None) -> str | None:
    """A scalar as compose hands it on (Go prints numbers: ``3.10`` is ``3.1``); None for null."""
    from yaml.nodes import ScalarNode

    if not isinstance(node, ScalarNode):
        return None
    value: str = node.value
    if node.style or node.tag == "tag:yaml.org,2002:str":
        return value
    if value in ("", "~", "null", "Null", "NULL"):
        return None
    if value in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return value.lower()
    if _INTEGER.fullmatch(value):
        return str(int(value.replace("_", "")))
    if _FLOAT.fullmatch(value):
        return _number(value)
    return value


def _number(text: str) -> str:
    """A decimal number in Go's shortest form, as far as versions need it: no trailing zeros."""
    number = float(text.replace("_", ""))
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
