"""Compose files edited in place: services are told where the bases of their images come from.

A base becomes a service that is built and never started (``scale: 0``); a service on it names it
in ``additional_contexts``. Sources: the compose specification, "Build"; Docker Compose resolves
``service:NAME`` since 2.33.1. A profile on the base's service would hide it from the others before
the fix of docker/compose#14223. Only lines are added: see :mod:`dockstrata.rewrite.yaml_text`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dockstrata.finding import Edit, apply_edits
from dockstrata.load.compose import compose_builds
from dockstrata.load.secrets import agent_id, mounted, ssh_seen_from
from dockstrata.load.wiring import Build, is_remote
from dockstrata.meaning.library import BuildKey, Library
from dockstrata.rewrite.compose_needs import Needs
from dockstrata.rewrite.yaml_text import NotEditableError, YamlText, entry, plain, scalar
from dockstrata.source import Source, encode

COMMENT = "# A base image of other services: built before them, never started (dockstrata)."
SERVICE = "service:"


@dataclass(slots=True)
class ComposeChanges:
    """New texts of compose files by path, and what could not be added where, in sentences."""

    texts: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)


def compose_changes(after: Library, files: Iterable[str]) -> ComposeChanges:
    """The compose files among ``files`` that must be told of bases. Nothing is written.

    ``after`` is the set as it will be.
    """
    needs = Needs(after)
    changes = ComposeChanges()
    by_file: dict[str, list[Build]] = {}
    known = {os.path.realpath(path): path for path in after.documents}
    for build in compose_builds(sorted(files))[0]:
        path = known.get(os.path.realpath(build.dockerfile))
        if path is not None:
            build = replace(build, dockerfile=path)
            by_file.setdefault(build.origin, []).append(build)
    for file, services in sorted(by_file.items()):
        if any(list(needs.of(build)) for build in services):
            _change(file, services, needs, changes)
    return changes


def _change(file: str, services: Sequence[Build], needs: Needs, changes: ComposeChanges) -> None:
    import yaml  # type: ignore[import-untyped]

    try:
        with open(file, "rb") as handle:
            text = Source.from_bytes(file, handle.read()).text
        document = YamlText(file, text)
        edited = _File(document, needs).edited(services)
    except (OSError, yaml.YAMLError, NotEditableError, UnicodeError) as error:
        changes.notes.append((file, str(error).splitlines()[0]))
        return
    if edited != text:
        encode(edited)
        changes.texts[file] = edited


class _File:
    """One compose file while lines are added to it."""

    def __init__(self, document: YamlText, needs: Needs) -> None:
        self.document, self.needs = document, needs
        at = entry(document.root, "services")
        if at is None or document.is_alias(*at) or not at[1].value or at[1].flow_style:
            raise NotEditableError("its services are not written line by line")
        self.key, self.services = at
        first = self.services.value[0][0]
        self.column = int(first.start_mark.column)
        inner = self.services.value[0][1]
        deeper = inner.start_mark.column if inner.start_mark.line > first.start_mark.line else 0
        self.step = max(deeper - self.column, 2)
        self.names: dict[BuildKey, str] = {}
        self.edits: list[Edit] = []
        self.expected = plain(document.root)

    def edited(self, services: Sequence[Build]) -> str:
        taken = {key.value for key, _ in self.services.value}
        for build in services:
            at = entry(self.services, build.service)
            # A service that only a profile turns on cannot be named by others.
            if at is not None and entry(at[1], "profiles") is None:
                for needed in self.needs.made_by(build):
                    self.names.setdefault(needed, build.service)
        missing = [(build, self._missing(build)) for build in services]
        new = [it for it in self._closure(services) if it not in self.names]
        for needed in new:
            name = self.needs.reference(needed).rpartition("/")[2].partition(":")[0]
            while name in taken:
                name = f"{name}-base"
            taken.add(name)
            self.names[needed] = name
        for build, found in missing:
            self._service(build, self._contexts(found))
        lines = [line for it in new for line in self._base(it, services)]
        if lines:
            document = self.document
            line_end = document.text.find("\n", document.end(self.key))
            follows = document.text[line_end + 1 :].lstrip(" \t\r")
            lines += [] if follows.startswith("\n") else [""]
            self.edits.append(document.lines_after(document.end(self.key), lines))
        text = apply_edits(self.document.text, self.edits)
        self._prove(text)
        return text

    def _prove(self, text: str) -> None:
        """What is read from the new text is what was there and what was to be added."""
        if plain(YamlText(self.document.path, text).root) != self.expected:
            raise NotEditableError(
                "it could not be proved that the change adds just what it should"
            )

    def _missing(self, service: Build) -> list[tuple[str, BuildKey]]:
        """What a service's build needs and is not told."""
        there = dict(service.contexts)
        return [it for it in self.needs.of(service, self.names) if it[0] not in there]

    def _closure(self, services: Sequence[Build], through_images: bool = True) -> list[BuildKey]:
        """All bases, and images on them, that must be built first, each after its own.

        Without ``through_images`` only bases on bases: they are given what the service is given.
        """
        order: dict[BuildKey, None] = {}
        met: set[BuildKey] = set()

        def add(found: Iterable[tuple[str, BuildKey]]) -> None:
            for _, needed in found:
                if needed not in met and (through_images or self.needs.is_base(needed)):
                    met.add(needed)
                    add(self.needs.of(self.needs.build(needed), self.names))
                    order[needed] = None

        for service in services:
            add(self._missing(service))
        return list(order)

    def _contexts(self, needed: Iterable[tuple[str, BuildKey]]) -> list[tuple[str, str]]:
        return [(name, SERVICE + self.names[it]) for name, it in needed]

    def _model(self, name: str) -> dict[str, object]:
        """A service of what is expected to be read."""
        assert isinstance(self.expected, dict)
        services = self.expected["services"]
        assert isinstance(services, dict)
        service = services.setdefault(name, {})
        assert isinstance(service, dict)
        return service

    def _service(self, build: Build, contexts: Sequence[tuple[str, str]]) -> None:
        """A service that is there gets more contexts."""
        if not contexts:
            return
        document, name = self.document, build.service
        at = entry(self.services, name)
        own = entry(at[1], "build") if at is not None and not document.is_alias(*at) else None
        if own is None or document.is_alias(*own):
            raise NotEditableError(f"the build of service '{name}' is written elsewhere")
        key, value = own
        model = self._model(name)
        if isinstance(model["build"], str):
            self.edits += self._from_text(at[1].flow_style if at else False, key, value, contexts)
            model["build"] = {"context": model["build"], "additional_contexts": dict(contexts)}
            return
        assert isinstance(model["build"], dict)
        there = entry(value, "additional_contexts")
        if there is None:
            if _comes_by_merge(model["build"], "additional_contexts"):
                raise NotEditableError(f"service '{name}' shares its additional_contexts")
            model["build"]["additional_contexts"] = dict(contexts)
            if value.flow_style:
                item = f"additional_contexts: {{{', '.join(_pairs(contexts))}}}"
                self.edits.append(document.inside(value, item))
                return
            column = int(value.value[0][0].start_mark.column)
            lines = self._block(column, "additional_contexts", _pairs(contexts))
            self.edits.append(document.lines_after(document.tail(value, document.end(key)), lines))
            return
        self._more_contexts(name, *there, contexts)

    def _more_contexts(
        self, name: str, key: object, value: object, contexts: Sequence[tuple[str, str]]
    ) -> None:
        from yaml.nodes import (  # type: ignore[import-untyped]
            MappingNode,
            ScalarNode,
            SequenceNode,
        )

        assert isinstance(key, ScalarNode)
        document = self.document
        build = self._model(name)["build"]
        assert isinstance(build, dict)
        there = build["additional_contexts"]
        if isinstance(value, MappingNode) and isinstance(there, dict):
            there.update(contexts)
            items = list(_pairs(contexts))
        elif isinstance(value, SequenceNode) and isinstance(there, list):
            there += [f"{ref}={service}" for ref, service in contexts]
            items = [f'"{ref}={service}"' for ref, service in contexts]
        else:
            raise NotEditableError(f"the additional_contexts of service '{name}' hold nothing")
        if document.is_alias(key, value):
            raise NotEditableError(f"the additional_contexts of service '{name}' are elsewhere")
        if value.flow_style or not value.value:
            self.edits.append(document.inside(value, ", ".join(items)))
            return
        first = value.value[0][0] if isinstance(value, MappingNode) else value
        margin = " " * int(first.start_mark.column)
        dash = "" if isinstance(value, MappingNode) else "- "
        lines = [f"{margin}{dash}{item}" for item in items]
        self.edits.append(document.lines_after(document.tail(value, document.end(key)), lines))

    def _from_text(
        self, flow: bool, key: object, value: object, contexts: Sequence[tuple[str, str]]
    ) -> list[Edit]:
        """``build: folder`` written out; what stands behind it on its line stays there."""
        from yaml.nodes import ScalarNode

        assert isinstance(key, ScalarNode)
        assert isinstance(value, ScalarNode)
        document = self.document
        written = document.written(value)
        between = document.text[document.end(key) : document.start(value)]
        if "\n" in written or between.strip() != ":" or "\n" in between:
            raise NotEditableError("a build is written in a way that cannot be added to")
        if flow:
            item = f"{{context: {written}, additional_contexts: {{{', '.join(_pairs(contexts))}}}}}"
            return [document.replaced(document.start(value), document.end(value), item)]
        column = int(key.start_mark.column) + self.step
        margin = " " * column
        head = f":{document.newline}{margin}context: {written}"
        lines = self._block(column, "additional_contexts", _pairs(contexts))
        return [
            document.replaced(document.end(key), document.end(value), head),
            document.lines_after(document.end(value), lines),
        ]

    def _block(self, column: int, name: str, items: Iterable[str]) -> list[str]:
        inner = " " * (column + self.step)
        return [f"{' ' * column}{name}:", *(inner + item for item in items)]

    def _base(self, needed: BuildKey, services: Sequence[Build]) -> Iterator[str]:
        """The lines of the service of a base, or of an image on one that no service builds."""
        build, folder = self.needs.build(needed), os.path.dirname(self.document.path)
        name, margin = self.names[needed], " " * self.column
        context = _relative(build.context, folder)
        dockerfile = _relative(build.dockerfile, build.context)
        model: dict[str, object] = {"context": context}
        lines = [f"context: {scalar(context)}"]
        if dockerfile != "Dockerfile":
            lines.append(f"dockerfile: {scalar(dockerfile)}")
            model["dockerfile"] = dockerfile
        if needed.target is not None:
            lines.append(f"target: {scalar(needed.target)}")
            model["target"] = needed.target
        arguments = dict(self._arguments(build, needed, services))
        if arguments:
            model["args"] = {name: value for name, (value, _) in arguments.items()}
            lines += self._block(
                0, "args", (f"{k}: {w}".rstrip() for k, (_, w) in arguments.items())
            )
        above = [it for it in services if needed in self._closure([it])]
        if secrets := list(self._secrets(build, above)):
            model["secrets"] = [value for value, _ in secrets]
            lines += self._block(0, "secrets", (f"- {written}" for _, written in secrets))
        if agents := list(self._agents(build, above)):
            model["ssh"] = agents
            lines += self._block(0, "ssh", (f"- {scalar(agent)}" for agent in agents))
        if build.platforms:
            model["platforms"] = list(build.platforms)
            lines += self._block(0, "platforms", (f"- {scalar(it)}" for it in build.platforms))
        contexts = self._contexts(self.needs.of(build, self.names))
        told = {name for name, _ in contexts}
        contexts += [
            (name, value if is_remote(value) else _relative(value, folder))
            for name, value in build.contexts
            if name not in told
        ]
        if contexts:
            model["additional_contexts"] = dict(contexts)
            lines += self._block(0, "additional_contexts", _pairs(contexts))
        self._model(name).update(scale="0", build=model)
        one, two = margin + " " * self.step, margin + " " * self.step * 2
        yield margin + COMMENT
        yield f"{margin}{scalar(name)}:"
        yield f"{one}scale: 0"
        yield f"{one}build:"
        yield from (two + line for line in lines)

    def _arguments(
        self, build: Build, needed: BuildKey, services: Sequence[Build]
    ) -> Iterator[tuple[str, tuple[str, str]]]:
        """A base's arguments: read, and as written by a service on it, variables and all."""
        written: dict[str, tuple[str, str]] = {}
        for service in services:
            below = self._closure([service], through_images=False)
            at = entry(self.services, service.service)
            own = entry(at[1], "build") if at is not None else None
            args = entry(own[1], "args") if own is not None else None
            if needed in below and args is not None:
                written = {**dict(self._written(args[1])), **written}
        for name, value in build.args:
            default = ("", "") if value is None else (value.replace("$", "$$"), scalar(value))
            yield name, written.get(name, default)

    def _written(self, node: object) -> Iterator[tuple[str, tuple[str, str]]]:
        from yaml.nodes import MappingNode, ScalarNode, SequenceNode

        if isinstance(node, MappingNode):
            for key, value in node.value:
                if isinstance(value, ScalarNode) and "\n" not in self.document.written(value):
                    yield key.value, (value.value, self.document.written(value))
        elif isinstance(node, SequenceNode):
            for item in node.value:
                name, equals, value = str(item.value).partition("=")
                if equals:
                    # Compose expands variables in quotes, too.
                    quoted = scalar(value).replace("$$", "$")
                    yield name.strip(), (value, quoted)

    def _agents(self, build: Build, above: Sequence[Build]) -> Iterator[str]:
        """The agents that a base mounts, of those that the services on it are given."""
        asked = mounted(self.needs.library.documents[build.dockerfile]).ssh
        given = dict.fromkeys(agent for service in above for agent in service.ssh)
        folder = os.path.dirname(self.document.path)
        for agent in given:
            if agent_id(agent) in asked:
                yield ssh_seen_from(agent, folder)

    def _secrets(self, build: Build, above: Sequence[Build]) -> Iterator[tuple[object, str]]:
        """References to the secrets at the file's top that hold what a base mounts, of those that
        the services on it are given."""
        at = entry(self.document.root, "secrets")
        folder = os.path.dirname(self.document.path)
        asked = mounted(self.needs.library.documents[build.dockerfile]).secrets
        given = {secret.id: secret for service in above for secret in service.secrets}
        for secret in (given[name] for name in asked if name in given):
            for key, value in at[1].value if at is not None else ():
                said = plain(value)
                file = said.get("file") if isinstance(said, dict) else None
                variable = said.get("environment") if isinstance(said, dict) else None
                same = file and os.path.realpath(os.path.join(folder, str(file)))
                if (secret.file and same == os.path.realpath(secret.file)) or (
                    secret.variable and variable == secret.variable
                ):
                    if key.value == secret.id:
                        yield key.value, scalar(key.value)
                    else:
                        pair = {"source": key.value, "target": secret.id}
                        shown = f"source: {scalar(key.value)}, target: {scalar(secret.id)}"
                        yield pair, f"{{{shown}}}"
                    break


def _comes_by_merge(build: Mapping[str, object], name: str) -> bool:
    merged = build.get("<<")
    parts = merged if isinstance(merged, list) else [merged]
    return any(isinstance(part, dict) and name in part for part in parts)


def _pairs(contexts: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f'"{reference}": "{service}"' for reference, service in contexts)


def _relative(path: str, start: str) -> str:
    return os.path.relpath(path or ".", start or ".").replace(os.sep, "/")
