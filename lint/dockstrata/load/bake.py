"""Builds that bake files describe (docs "Bake file reference"), in HCL or JSON."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dockstrata.load.bake_check import (
    faults,
    group_faults,
    is_target_name,
    platform_fault,
    refused,
    target_faults,
)
from dockstrata.load.bake_file import BakeFile, Block, Variable, read_bake
from dockstrata.load.bake_target import Target, attribute, evaluated, said_by
from dockstrata.load.hcl import Scope
from dockstrata.load.hcl_expression import Expression
from dockstrata.load.hcl_types import RefusedError, Value, converted, text
from dockstrata.load.secrets import (
    given_secret,
    secret_fields,
    seen_from,
    ssh_fields,
    ssh_from,
    ssh_seen_from,
)
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
_OWN_PLATFORM = ("", "local")  # platforms: the builder's own, as without any
_HERE = "cwd://"  # the caller's folder, also where the bake file comes from elsewhere
_VARIABLES: Mapping[str, Value] = {"BAKE_CMD_CONTEXT": _HERE, "BAKE_LOCAL_PLATFORM": ""}


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
            # With ``--file`` bake looks for no compose file.
            below = [] if over.is_whole() else services
            builds += _Definition(over, below, problems).builds(file.targets, path)
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
        attributes: dict[str, Callable[[str, Scope], Value]] = {}
        variables: dict[str, Expression | Value] = {
            **{name: _default(it) for name, it in file.variables.items()},
            **{name: _default(it) for name, it in file.attributes.items()},
            **_VARIABLES,
        }
        functions = {name: own for name, (own, _) in file.functions.items()}
        open_ones = {name for name, it in file.variables.items() if it.default is None}
        unknown = frozenset(open_ones - file.attributes.keys()) | {"BAKE_LOCAL_PLATFORM"}
        self.scope = Scope(variables, functions, attributes, unknown)
        self.unset = Scope(variables, functions, attributes)
        members = self._members()
        self.grouped = {name for names in members.values() for name in names}
        self.targets = self._generated()
        for name, generated in self.targets.items():
            attributes[name] = partial(said_by, generated.layers)
        problems += faults(file, self.unset, frozenset(_VARIABLES))
        problems += self._faults()
        there = {*self.targets, *self.services, *(it.block for it in self.targets.values())}
        problems += group_faults(file, members, there)

    def _members(self) -> dict[str, list[str]]:
        """What each group names; of blocks with one name the last counts."""
        found: dict[str, list[str]] = {}
        for name, blocks in self.file.groups.items():
            try:
                names = attribute(blocks[-1], "targets", self.unset)
            except (RefusedError, UnknownValueError):
                continue
            listed = names if isinstance(names, list) else []
            found[name] = [it for it in listed if isinstance(it, str)]
        return found

    def builds(
        self, only: Container[str] | None = None, origin: str | None = None
    ) -> Iterator[Build]:
        """A build for each target that is more than a pattern for others; ``only`` of these
        targets, as ``origin`` says them.

        What no other target builds is built by its pattern.
        """
        whole = {name: self._whole(name) for name in self.targets}
        used = {parent for target in whole.values() for parent in target.inherits}
        named = {value for target in whole.values() for value in target.contexts.values()}
        patterns: list[Build] = []
        built: set[str] = set()
        for name, target in whole.items():
            generated = self.targets[name]
            if only is not None and generated.block not in only:
                continue
            if target.call not in (None, "build"):
                continue
            wanted = {name, generated.block} & self.grouped or f"target:{name}" in named
            says = name in self.services or self._says(generated)
            pattern = generated.block.startswith("_") or not says
            pattern = bool({name, generated.block} & used) and pattern and not wanted
            blocks = [block for block, _ in generated.layers]
            block = next((it for it in blocks if it.path == origin), blocks[0])
            if target.inline is not None:
                message = f"the Dockerfile of target '{name}' is left out: it is inside this file"
                self.problems.append(block.place.problem(message, block.offset, "inline"))
                continue
            try:
                build = self._build(name, target, block)
            except UnknownValueError as error:
                message = f"target '{name}': its build depends on {error}, which is not known"
                if not pattern:
                    self.problems.append(
                        block.place.problem(message, block.offset, "unknown-value")
                    )
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
                names: set[str] = set()
                try:
                    for local in _combinations(block, self.unset):
                        own = _name(name, block, self.unset.with_local(local))
                        if own in names:
                            raise RefusedError(f"target '{name}' makes the name '{own}' twice")
                        names.add(own)
                        layers = found[own].layers if own in found else ()
                        found[own] = _Generated(name, (*layers, (block, local)))
                except UnknownValueError as error:
                    message = f"target '{name}': its names depend on {error}, which is not known"
                    problem = block.place.problem(message, block.offset, "unknown-value")
                    self.problems.append(problem)
                except RefusedError as error:
                    self.problems.append(refused(block.place, block.offset, error))
        return found

    def _faults(self) -> Iterator[Problem]:
        for name, generated in self.targets.items():
            for block, local in generated.layers:
                yield from target_faults(block, self.unset.with_local(local))
            block = generated.layers[-1][0]
            for message in self._links(name, self._whole(name)):
                yield block.place.problem(f"target '{name}' {message}", block.offset)

    def _links(self, name: str, target: Target) -> Iterator[str]:
        """What is wrong with the platforms of a target and the other targets that it names."""
        there = self.targets.keys() | self.services.keys()
        for platform in target.platforms or ():
            if platform not in _OWN_PLATFORM and (fault := platform_fault(platform)) is not None:
                yield f"is for no platform: {fault}"
        for parent in target.inherits:
            if parent not in there:
                yield f"inherits from '{parent}', which is not there"
        for other in _linked(target):
            if other not in there:
                yield f"builds on target '{other}', which is not there"
                continue
            own, its = (set(it.platforms or ()) for it in (target, self._whole(other)))
            if len(own) > 1 and len(its) > 1 and own - its:
                yield f"builds on target '{other}', which is not for {', '.join(sorted(own - its))}"
        if (loop := self._loop(name)) is not None:
            yield f"builds on itself, by '{loop}'"

    def _loop(self, name: str) -> str | None:
        """The target by which a target builds on itself (``contexts``)."""
        following, met = [name], {name}
        while following:
            here = following.pop()
            for other in _linked(self._whole(here)):
                if other == name:
                    return here
                if other not in met:
                    met.add(other)
                    following.append(other)
        return None

    def _whole(self, name: str, met: dict[str, Target | None] | None = None) -> Target:
        """A target with all that it inherits, over the service of its name.

        ``met`` are the targets on the way, and None where they are not done: a target that
        inherits from itself gets nothing by that.
        """
        met = {} if met is None else met
        met[name] = None
        service = self.services.get(name)
        own = _of_service(service) if service is not None else Target()
        generated = self.targets.get(name)
        for block, local in generated.layers if generated is not None else ():
            scopes = self.scope.with_local(local), self.unset.with_local(local)
            own = evaluated(block, *scopes).over(own)
        below = Target()
        for parent in own.inherits:
            found = met[parent] if parent in met else self._whole(parent, met)
            if found is not None:
                below = found.over(below)
        whole = own.over(below)
        whole.inherits = own.inherits
        whole.contexts = {key: value for key, value in whole.contexts.items() if value}
        met[name] = whole
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
        contexts = {key: value.removeprefix(_HERE) or "." for key, value in target.contexts.items()}
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
                dict.fromkeys(
                    secret
                    for item in target.secrets
                    if (
                        secret := secret_fields(item, base)
                        if isinstance(item, dict)
                        else given_secret(str(item), base)
                    )
                )
            ),
            ssh=tuple(
                dict.fromkeys(
                    ssh_from(ssh_fields(item) if isinstance(item, dict) else str(item), base)
                    for item in target.ssh
                    if item != ""
                )
            ),
        )


def _linked(target: Target) -> list[str]:
    """The targets on which a target builds."""
    return [it.removeprefix("target:") for it in target.contexts.values() if it[:7] == "target:"]


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
        secrets=[
            {
                "id": secret.id,
                "src": seen_from(secret.file, folder),
                "env": secret.variable,
            }
            for secret in build.secrets
        ],
        ssh=[ssh_seen_from(agent, folder) for agent in build.ssh],
    )


def _default(variable: Variable) -> Expression | Value:
    """A variable as an expression of its type; without a default it is empty, or null."""
    default, kind = variable.default, variable.kind
    if default is None:
        return "" if kind is None else None
    if kind is None:
        return default
    return Expression(lambda scope: converted(default.value(scope), kind), offset=default.offset)


def _name(name: str, block: Block, scope: Scope) -> str:
    said = name
    if "name" in block.body:
        if "matrix" not in block.body:
            raise RefusedError(f"target '{name}': a name requires a matrix")
        said = text(attribute(block, "name", scope))
    if not is_target_name(said) or not is_target_name(name):
        raise RefusedError(f"target '{said}': a name has letters, digits, '-' and '_'")
    return said


def _combinations(block: Block, scope: Scope) -> list[dict[str, Value]]:
    if "matrix" not in block.body:
        return [{}]
    axes = attribute(block, "matrix", scope)
    values: list[list[Value]] = []
    for axis in axes.values() if isinstance(axes, dict) else [axes]:
        if not isinstance(axes, dict) or not isinstance(axis, (list, dict)):
            raise RefusedError("a matrix is an object of lists", block.body["matrix"].offset)
        values.append(list(axis.values()) if isinstance(axis, dict) else axis)
    names = list(axes) if isinstance(axes, dict) else []
    return [dict(zip(names, it, strict=True)) for it in itertools.product(*values)]
