"""Builds that bake files describe (docs "Bake file reference"), in HCL or JSON."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dockstrata.load.bake_file import BakeFile, Block, read_bake
from dockstrata.load.bake_target import Target, evaluated
from dockstrata.load.hcl import Scope, Value, evaluate, text
from dockstrata.load.secrets import given_secret, secret_fields, ssh_fields
from dockstrata.load.wiring import (
    Build,
    Problem,
    UnknownValueError,
    is_remote,
    locate,
    named_contexts,
)
from dockstrata.syntax.reference import parse_reference

_DEFAULT = re.compile(r"docker-bake(?:\.override)?\.(?:hcl|json)", re.IGNORECASE)
_DEPTH = 20
_OWN_PLATFORM = ("", "local")  # platforms: the builder's own, as without any
_HERE = "cwd://"  # the caller's folder, also where the bake file comes from elsewhere
_VARIABLES = {"BAKE_CMD_CONTEXT": '"."'}


@dataclass(frozen=True, slots=True)
class _Generated:
    """A target as it is built: one of a matrix, or the block itself."""

    block: str
    layers: tuple[tuple[Block, Mapping[str, Value]], ...]


def bake_builds(
    paths: Sequence[str], composed: Sequence[Build] = ()
) -> tuple[list[Build], list[Problem]]:
    """The builds of bake files; broken files become problems.

    ``docker-bake.json``, ``docker-bake.hcl`` and their overrides in one directory are one
    definition, in that order, laid over the services of the compose file beside them
    (``composed``). Any other file stands alone, or over these where it inherits from them.
    """
    problems: list[Problem] = []
    builds: list[Build] = []
    folders: dict[str, list[str]] = {}
    for path in paths:
        folders.setdefault(os.path.dirname(path), []).append(path)
    for folder, files in folders.items():
        usual = [path for path in sorted(files, key=_rank) if _is_usual(path)]
        read = {path: read_bake(path, problems) for path in files}
        together = [file for path in usual if (file := read[path]) is not None]
        services = [it for it in composed if os.path.dirname(it.origin) == folder]
        if together:
            builds += _Definition(BakeFile.merged(together), services, problems).builds()
        for path in files:
            file = read[path]
            if file is None or path in usual:
                continue
            over = file
            if together and not file.is_whole():
                over = BakeFile.merged([*together, file])
            builds += _Definition(over, services, problems).builds(file.targets)
    return builds, problems


def _is_usual(path: str) -> bool:
    return bool(_DEFAULT.fullmatch(os.path.basename(path)))


def _rank(path: str) -> tuple[bool, bool]:
    name = os.path.basename(path).lower()
    return ".override." in name, name.endswith(".hcl")


class _Definition:
    def __init__(self, file: BakeFile, services: Sequence[Build], problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        self.services = {build.service: build for build in services}
        attributes = {
            name: {key: it for block in blocks for key, it in block.body.items()}
            for name, blocks in file.targets.items()
        }
        variables = {**_VARIABLES, **file.variables}
        self.scope = Scope(variables, file.functions, targets=attributes)
        empty = dict.fromkeys(file.unset - variables.keys(), '""')
        self.unset = Scope({**variables, **empty}, file.functions, targets=attributes)
        self.targets = self._generated()

    def builds(self, only: Container[str] | None = None) -> Iterator[Build]:
        """A build for each target that is more than a pattern for others.

        What no other target builds is built by its pattern.
        """
        whole = {name: self._whole(name, 0) for name in self.targets}
        used = {parent for target in whole.values() for parent in target.inherits}
        named = {value for target in whole.values() for value in target.contexts.values()}
        patterns: list[Build] = []
        built: set[str] = set()
        for name, target in whole.items():
            generated = self.targets[name]
            if only is not None and generated.block not in only:
                continue
            if target.inline is not None or target.call not in (None, "build"):
                continue
            wanted = {name, generated.block} & self.file.grouped or f"target:{name}" in named
            says = name in self.services or self._says(generated)
            pattern = generated.block.startswith("_") or not says
            pattern = bool({name, generated.block} & used) and pattern and not wanted
            block = generated.layers[0][0]
            try:
                build = self._build(name, target, block)
            except UnknownValueError as error:
                message = f"target '{name}': its build depends on {error}, which is not known"
                if not pattern:
                    self.problems.append(Problem(block.path, block.line, message, "unknown-value"))
                continue
            if build is None:
                continue
            if pattern:
                patterns.append(build)
                continue
            built.add(build.dockerfile)
            yield build
        yield from (it for it in patterns if it.dockerfile not in built)

    def _says(self, generated: _Generated) -> bool:
        """Whether a target says itself which image it is.

        Where it lies may be no more than what several share, and tags alone are what a job in CI
        puts in (``docker-metadata-action``).
        """
        said = {key for block, _ in generated.layers for key in block.body}
        others = said - {"tags", "labels", "annotations", "description", "inherits"}
        return bool(said & {"target", "output", "matrix"} or ("tags" in said and others))

    def _generated(self) -> dict[str, _Generated]:
        """The targets, those of a matrix under the names that they are given."""
        found: dict[str, _Generated] = {}
        for name, blocks in self.file.targets.items():
            for block in blocks:
                try:
                    for local in _combinations(block.body.get("matrix"), self.unset):
                        own = name
                        if (said := block.body.get("name")) is not None:
                            own = text(evaluate(said, self.unset.with_local(local)))
                        layers = found[own].layers if own in found else ()
                        found[own] = _Generated(name, (*layers, (block, local)))
                except UnknownValueError as error:
                    message = f"target '{name}': its names depend on {error}, which is not known"
                    self.problems.append(Problem(block.path, block.line, message, "unknown-value"))
        return found

    def _whole(self, name: str, depth: int) -> Target:
        """A target with all that it inherits, over the service of its name."""
        service = self.services.get(name)
        own = _of_service(service) if service is not None else Target()
        generated = self.targets.get(name)
        if generated is None or depth > _DEPTH:
            return own
        for block, local in generated.layers:
            scopes = self.scope.with_local(local), self.unset.with_local(local)
            own = evaluated(block, *scopes).over(own)
        below = Target()
        for parent in own.inherits:
            below = self._whole(parent, depth + 1).over(below)
        whole = own.over(below)
        whole.inherits = own.inherits
        return whole

    def _build(self, name: str, target: Target, block: Block) -> Build | None:
        context = (target.required("context") or ".").removeprefix(_HERE) or "."
        dockerfile = target.required("dockerfile") or "Dockerfile"
        if dockerfile.startswith(_HERE):  # else it lies in the context
            dockerfile = os.path.relpath(dockerfile.removeprefix(_HERE), context)
        stage = target.required("target")
        if is_remote(context):
            return None
        found = locate(block.path, context, dockerfile)
        if found is None:
            return None
        base, folder, path = found
        contexts = {
            key: value.removeprefix(_HERE) or "." for key, value in target.contexts.items() if value
        }
        return Build(
            dockerfile=path,
            context=folder,
            target=stage or None,
            args=tuple(target.args.items()),
            platforms=tuple(
                dict.fromkeys(it for it in target.platforms or () if it not in _OWN_PLATFORM)
            ),
            contexts=named_contexts(contexts, base),
            tags=tuple(dict.fromkeys(it for it in target.tags or () if parse_reference(it).valid)),
            origin=block.path,
            line=block.line,
            service=name,
            secrets=tuple(
                secret
                for item in target.secrets
                if (
                    secret := secret_fields(item, base)
                    if isinstance(item, dict)
                    else given_secret(str(item), base)
                )
            ),
            ssh=tuple(
                ssh_fields(item) if isinstance(item, dict) else str(item) for item in target.ssh
            ),
        )


def _of_service(build: Build) -> Target:
    """A service as bake takes it; its paths are those of its compose file's folder."""
    folder = os.path.dirname(build.origin) or "."

    def seen(path: str) -> str:
        return path if is_remote(path) else os.path.relpath(path, folder)

    return Target(
        single={
            "context": seen(build.context),
            "dockerfile": os.path.relpath(build.dockerfile, build.context),
            **({"target": build.target} if build.target else {}),
        },
        args=dict(build.args),
        contexts={name: seen(value) for name, value in build.contexts},
        platforms=list(build.platforms) or None,
        tags=list(build.tags) or None,
    )


def _combinations(matrix: object, scope: Scope) -> list[dict[str, Value]]:
    if matrix is None:
        return [{}]
    axes = evaluate(matrix, scope)
    if not isinstance(axes, dict) or not all(isinstance(it, list) for it in axes.values()):
        raise UnknownValueError("its matrix")
    names = list(axes)
    values = [list(axis) for axis in axes.values() if isinstance(axis, list)]
    return [dict(zip(names, it, strict=True)) for it in itertools.product(*values)]
