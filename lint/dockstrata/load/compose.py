"""Builds that compose files describe (compose specification, "Build" and "Merge")."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockstrata.load.compose_nodes import entries, items, laid_bare, line_of, pairs, scalar
from dockstrata.load.discover import tidy
from dockstrata.load.interpolate import interpolate, read_env, variables_in
from dockstrata.load.secrets import Secret, secret_from, ssh_from
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
    bare: frozenset[str] = frozenset()

    def over(self, below: _Spec) -> _Spec:
        """This one laid over another: mappings are merged, lists appended, the rest replaced."""
        nothing = _Spec(below.base, below.line)
        gone = {
            _FIELDS[name]: getattr(nothing, _FIELDS[name]) for name in self.bare & _FIELDS.keys()
        }
        below = replace(below, **gone)
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
            bare=self.bare | below.bare,
        )

    @property
    def partial(self) -> bool:
        """Whether it only makes sense over another file's."""
        return self.context is None and self.dockerfile is None and not self.inline


_FIELDS = {
    "context": "context",
    "dockerfile": "dockerfile",
    "dockerfile_inline": "inline",
    "target": "target",
    "args": "args",
    "additional_contexts": "contexts",
    "platforms": "platforms",
    "tags": "tags",
    "secrets": "secrets",
    "ssh": "ssh",
}


@dataclass(frozen=True, slots=True)
class _Service:
    line: int
    build: _Spec | None
    image: str | None
    platform: str | None
    extends: tuple[str | None, str] | None
    bare: frozenset[str] = frozenset()

    def over(self, below: _Service) -> _Service:
        build = self.build
        if below.build and "build" not in self.bare:
            build = self.build.over(below.build) if self.build else below.build
        return _Service(
            self.line,
            build,
            self.image if "image" in self.bare else self.image or below.image,
            self.platform if "platform" in self.bare else self.platform or below.platform,
            self.extends or below.extends,
            self.bare | below.bare,
        )


_Services = Mapping[str, _Service]
_WORTH = re.compile(r"\b(?:build|extends|include)\b")


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
        bases = sorted(path for path in files if _BASE_NAME.fullmatch(os.path.basename(path)))
        overrides = sorted(p for p in files if _OVERRIDE_NAME.fullmatch(os.path.basename(p)))
        for path in bases if overrides else ():
            reader.services(path, whole=True)
        base = reader.laid(bases) if bases else {}
        base = reader.laid(overrides, base) if overrides else base
        first = bases[0] if bases else (overrides or files)[0]
        builds += reader.builds(first, base)
        for path in files:
            if path not in bases and path not in overrides:
                services = dict(reader.services(path))
                for name, service in services.items():
                    if service.build and service.build.partial and name in base:
                        services[name] = service.over(base[name])
                builds += reader.builds(path, services)
    known = {os.path.realpath(path) for path in paths}
    for path in paths:
        builds += reader.included(path, known)
    return builds, reader.problems


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._services: dict[str, _Services] = {}
        self._env: dict[str, dict[str, str]] = {}
        self._names: dict[str, str] = {}
        self._includes: dict[str, list[tuple[list[str], str | None]]] = {}
        self._secrets: dict[str, tuple[str | None, str | None]] = {}  # file, variable

    def services(self, path: str, whole: bool = False) -> _Services:
        """What a file says; nothing of one that only runs images, if it need not be ``whole``."""
        if path not in self._services:
            self._services[path] = self._read(path, whole)
        return self._services[path]

    def laid(self, paths: Sequence[str], below: _Services = {}) -> _Services:  # noqa: B006
        """Files laid over one another and over ``below``."""
        found = dict(below)
        for path in paths:
            for name, service in self.services(path).items():
                found[name] = service.over(found[name]) if name in found else service
        return found

    def included(self, path: str, known: set[str], depth: int = 0) -> Iterator[Build]:
        """The builds of files that ``include`` names and that are not ``known``."""
        for files, folder in self._includes.get(path, ()) if depth < _DEPTH else ():
            found: list[str] = []
            for file in files:
                with suppress(UnknownValueError):
                    name = interpolate(file, self.env(path))
                    found.append(tidy(os.path.join(os.path.dirname(path), name)))
            found = [it for it in found if os.path.realpath(it) not in known and os.path.isfile(it)]
            if not found:
                continue
            known.update(map(os.path.realpath, found))
            where = os.path.dirname(found[0])
            if folder is not None:
                where = tidy(os.path.join(os.path.dirname(path), folder))
            # The project that includes them has the last word.
            self._env[where] = {**self._env_of(where), **self.env(path)}
            services = self.laid(found)
            if folder is not None:
                services = {name: _moved(it, where) for name, it in services.items()}
            yield from self.builds(found[0], services)
            for file in found:
                yield from self.included(file, known, depth + 1)

    def _read(self, path: str, whole: bool) -> _Services:
        text = read_file(path)
        if isinstance(text, Problem):
            self.problems.append(text)
            return {}
        if not whole and not _WORTH.search(text):
            return {}  # most compose files only run images: spare the parser
        import yaml  # type: ignore[import-untyped]

        services: dict[str, _Service] = {}
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for document in yaml.compose_all(text, Loader=loader):
                top = entries(document)
                section = top.get("services")
                for name, node in entries(section).items():
                    services[name] = _service(path, node, line_of(section, name, node))
                if project := scalar(top.get("name")):
                    self._names[path] = project
                self._includes[path] = list(_includes(top.get("include")))
                for name, node in entries(top.get("secrets")).items():
                    said = entries(node)
                    where = scalar(said.get("file")), scalar(said.get("environment"))
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
            if extended.build is None:
                continue
            origin = path if service.build is None else service.build.base
            if extended.build.inline:
                message = f"the Dockerfile of service '{name}' is left out: it is inside this file"
                self.problems.append(Problem(origin, service.line, message, "inline"))
                continue
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
        return self._env_of(os.path.dirname(path))

    def _env_of(self, folder: str) -> dict[str, str]:
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
        project = _known(self._names.get(path), env)
        image = service.image or (f"{project}-{name}" if project else None)
        tags = [image, *spec.tags] if image else list(spec.tags)
        args = tuple((key, _known(raw, env)) for key, raw in spec.args)
        known = {key for key, value in args if value is not None}
        yield Build(
            dockerfile=file,
            context=folder,
            target=interpolate(spec.target, env) or None if spec.target else None,
            args=args,
            platforms=tuple(platforms),
            contexts=named_contexts(contexts, base),
            tags=tuple(dict.fromkeys(it for raw in tags if (it := _known(raw, env)))),
            origin=path,
            line=spec.line,
            service=name,
            secrets=tuple(self._secret(path, base, item, env) for item in spec.secrets),
            ssh=tuple(
                ssh_from(f"{key}={value}", base) if (value := _known(raw, env)) else key
                for key, raw in spec.ssh
            ),
            variables=variables_in(raw for key, raw in spec.args if raw and key in known),
        )

    def _secret(
        self, path: str, base: str, names: tuple[str, str], env: Mapping[str, str]
    ) -> Secret:
        """A secret as the top of the compose files of one folder tells it."""
        name, source = names
        file, variable = self._secrets.get(f"{os.path.dirname(path)}/{source}", (None, None))
        return secret_from(name, _known(file, env) or "", _known(variable, env) or "", base)


def _known(raw: str | None, env: Mapping[str, str]) -> str | None:
    if raw is None:
        return None
    try:
        return interpolate(raw, env)
    except UnknownValueError:
        return None


def _service(path: str, node: Node, line: int) -> _Service:
    fields = entries(node)
    build: _Spec | None = None
    if (where := fields.get("build")) is not None:
        build = _spec(path, where, line_of(node, "build", where))
    extends: tuple[str | None, str] | None = None
    if (other := fields.get("extends")) is not None:
        said = entries(other)
        name = scalar(said.get("service")) if said else scalar(other)
        extends = (scalar(said.get("file")), name) if name else None
    image, platform = scalar(fields.get("image")), scalar(fields.get("platform"))
    return _Service(line, build, image, platform, extends, laid_bare(node))


def _moved(service: _Service, folder: str) -> _Service:
    """A service whose paths are relative to a project directory of its own."""
    if service.build is None:
        return service
    return replace(service, build=replace(service.build, base=os.path.join(folder, "compose.yaml")))


def _includes(node: Node | None) -> Iterator[tuple[list[str], str | None]]:
    """What ``include`` names: each entry's files, the last on top, and their folder."""
    from yaml.nodes import MappingNode, SequenceNode

    for item in node.value if isinstance(node, SequenceNode) else ():
        said = entries(item) if isinstance(item, MappingNode) else {"path": item}
        yield list(items(said.get("path"))), scalar(said.get("project_directory"))


def _spec(path: str, node: Node, line: int) -> _Spec | None:
    if (context := scalar(node)) is not None:
        return _Spec(path, line, context=context)
    fields = entries(node)
    if not fields:
        return None
    return _Spec(
        path,
        line,
        context=scalar(fields.get("context")),
        dockerfile=scalar(fields.get("dockerfile")),
        inline="dockerfile_inline" in fields,
        target=scalar(fields.get("target")),
        args=tuple(pairs(fields.get("args"))),
        contexts=tuple(pairs(fields.get("additional_contexts"))),
        platforms=tuple(items(fields.get("platforms"))),
        tags=tuple(items(fields.get("tags"))),
        secrets=tuple(_secrets(fields.get("secrets"))),
        ssh=tuple(pairs(fields.get("ssh"))),
        bare=laid_bare(node),
    )


def _secrets(node: Node | None) -> Iterator[tuple[str, str]]:
    """Each secret's id and source: ``[name]`` or ``[{source: name, target: id}]``."""
    from yaml.nodes import SequenceNode

    for item in node.value if isinstance(node, SequenceNode) else ():
        said = entries(item)
        source = scalar(said.get("source")) if said else scalar(item)
        if source:
            yield scalar(said.get("target")) or source, source
