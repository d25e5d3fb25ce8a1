"""What bake refuses in files that it can read: variables, functions, and the types of attributes.

Source: Docker's bake file reference, and what ``docker buildx bake --print`` says.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping

from dockstrata.load.bake_file import BakeFile, Block, Place, Variable
from dockstrata.load.hcl import Scope
from dockstrata.load.hcl_expression import Expression
from dockstrata.load.hcl_functions import is_known
from dockstrata.load.hcl_types import (
    BOOL,
    STRING,
    STRING_MAP,
    STRINGS,
    Missing,
    RefusedError,
    Type,
    Value,
    converted,
)
from dockstrata.load.wiring import Problem, UnknownValueError
from dockstrata.syntax.flags import csv_fields

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
TYPES: Mapping[str, Type] = {
    **dict.fromkeys(("pull", "no-cache"), BOOL),
    **dict.fromkeys(
        ("context", "dockerfile", "dockerfile-inline", "target", "network", "shm-size"), STRING
    ),
    **dict.fromkeys(("call", "description"), STRING),
    **dict.fromkeys(("inherits", "tags", "platforms", "no-cache-filter", "ulimits"), STRINGS),
    **dict.fromkeys(("entitlements", "annotations"), STRINGS),
    **dict.fromkeys(("args", "labels", "extra-hosts", "contexts"), STRING_MAP),
}
_ENTRIES = frozenset({"secret", "ssh", "attest", "cache-from", "cache-to", "output"})
_PLATFORM = re.compile(r"[A-Za-z0-9_.-]+(?:\([A-Za-z0-9_.+%-]*\))?")
_SYSTEMS = frozenset(
    {
        *("aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js"),
        *("linux", "macos", "nacl", "netbsd", "openbsd", "plan9", "solaris", "windows", "zos"),
        *("386", "aarch64", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe", "armel"),
        *("armhf", "i386", "loong64", "mips", "mips64", "mips64le", "mips64p32", "mips64p32le"),
        *("mipsle", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc"),
        *("sparc64", "wasm", "x86-64", "x86_64"),
    }
)
_SECRET = frozenset({"type", "id", "source", "src", "env"})
_WITHOUT_NULL = frozenset(
    {"contexts", "description", *(name for name, it in TYPES.items() if it == STRINGS)}
)


def is_target_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def refused(place: Place, offset: int, error: RefusedError) -> Problem:
    at = error.offset if error.offset is not None else offset
    return place.problem(f"bake refuses this: {error}", at)


def faults(file: BakeFile, scope: Scope, builtin: frozenset[str]) -> Iterator[Problem]:
    """Problems of variables, functions and groups; ``scope`` is that of an empty environment."""
    yield from file.faults
    yield from _Names(file, builtin).problems()
    for name, variable in {**file.variables, **file.attributes}.items():
        try:
            scope.name(name)
        except UnknownValueError:
            continue
        except RefusedError as error:
            at = variable.default.offset if variable.default else variable.offset
            yield refused(variable.place, at, error)
        for condition in variable.conditions:
            try:
                condition.value(scope)
            except UnknownValueError:
                continue
            except RefusedError as error:
                yield refused(variable.place, condition.offset, error)
    for name, blocks in file.groups.items():
        for block in blocks:
            if not is_target_name(name):
                yield block.place.problem(f"group '{name}': not a name for bake", block.offset)
            yield from _typed(block, {"targets": STRINGS, "description": STRING}, scope)
            if "targets" not in block.body:
                yield block.place.problem(f"group '{name}' has no targets", block.offset)


def target_faults(block: Block, scope: Scope) -> Iterator[Problem]:
    """Problems of a target's attributes."""
    yield from _typed(block, TYPES, scope)


def _typed(block: Block, types: Mapping[str, Type], scope: Scope) -> Iterator[Problem]:
    """Problems of a block's attributes; bake passes over those that it does not know."""
    for name, expression in block.body.items():
        if name not in types and name not in _ENTRIES:
            continue
        try:
            value = _known(expression.value(scope))
            if name in types:
                value = converted(value, types[name])
                if name in _WITHOUT_NULL or types is not TYPES:
                    _without_null(name, value)
            else:
                _entries(name, value)
        except UnknownValueError:
            continue
        except RefusedError as error:
            at = error.offset if error.offset is not None else expression.offset
            yield refused(block.place, at, RefusedError(f"{name}: {error}"))


def _entries(name: str, value: Value) -> None:
    """Refuses what is no list of objects, or of their short forms (``id=a,src=b``)."""
    if not isinstance(value, list):
        raise RefusedError("a list is required")
    for item in value:
        if not isinstance(item, (str, dict)):
            raise RefusedError("texts or objects are required")
        if name == "secret" and isinstance(item, str) and item:
            _secret(item)


def _secret(short: str) -> None:
    try:
        parts = [part.partition("=") for part in csv_fields(short)]
    except ValueError:
        parts = [(short, "", "")]
    if not all(equals for _, equals, _ in parts):
        raise RefusedError(f"'{short}' is no secret: NAME=VALUE, with commas between")
    fields = {key.lower(): value for key, _, value in parts}
    unknown = fields.keys() - _SECRET
    if unknown:
        raise RefusedError(f"a secret has no '{min(unknown)}'")
    if fields.get("type", "file") not in ("file", "env"):
        raise RefusedError(f"there are no secrets of type '{fields['type']}'")


def group_faults(
    file: BakeFile, members: Mapping[str, list[str]], there: Container[str]
) -> Iterator[Problem]:
    """Problems of groups that name what is neither target nor group, or that lead to themselves;
    ``members`` are what each group names, ``there`` the targets."""
    for name in members:
        block = file.groups[name][-1]
        following, met = [name], {name}
        while following:
            for member in members[following.pop()]:
                message = ""
                if member == name and name in there:
                    continue  # the target of that name
                if member == name:
                    message = f"group '{name}' leads to itself"
                elif member not in members and member not in there:
                    message = f"group '{name}' leads to '{member}', which is not there"
                elif member in members and member not in met:
                    following.append(member)
                    met.add(member)
                if message:
                    yield block.place.problem(message, block.offset)


def platform_fault(platform: str) -> str | None:
    """Why bake takes a platform for none: ``os``, ``arch``, ``os/arch`` or ``os/arch/variant``."""
    parts = platform.split("/")
    if not all(_PLATFORM.fullmatch(part) for part in parts) or len(parts) > 3:
        return f"'{platform}' is no platform"
    if len(parts) == 1 and parts[0].lower() not in _SYSTEMS:
        return f"'{platform}' is neither an operating system nor an architecture"
    return None


def _known(value: Value) -> Value:
    """The value without parts that are not known."""
    if isinstance(value, list):
        return [item for item in value if not isinstance(item, Missing)]
    if isinstance(value, dict):
        return {name: item for name, item in value.items() if not isinstance(item, Missing)}
    return value


def _without_null(name: str, value: Value) -> None:
    if value is None and name == "description":
        raise RefusedError("null is not allowed")
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if any(item is None for item in items):
        raise RefusedError("null is not allowed")


class _Names:
    """What variables and functions name: no way may lead back, also where ``try`` would pass over
    it, and what a function names must be there."""

    def __init__(self, file: BakeFile, builtin: frozenset[str]) -> None:
        self.file = file
        self.known = {*file.variables, *file.attributes, *builtin, "target"}
        self.done: set[str] = set()

    def problems(self) -> Iterator[Problem]:
        for name, variable in {**self.file.variables, **self.file.attributes}.items():
            yield from self.variable(name, variable, ())
        for name, (own, block) in self.file.functions.items():
            yield from self.function(name, ())
            bound = {*own.parameters, own.rest}
            for used, offset in own.result.calls.items():
                if used not in self.file.functions and not is_known(used):
                    yield block.place.problem(f"there is no function {used}()", offset)
            for used, offset in own.result.names.items():
                if used not in bound and used not in self.known:
                    yield block.place.problem(f"there is no variable '{used}'", offset)

    def variable(self, name: str, variable: Variable, way: tuple[str, ...]) -> Iterator[Problem]:
        if name not in self.done and variable.default is not None:
            self.done.add(name)
            yield from self.uses(variable.default, variable.place, (*way, name), frozenset())

    def function(self, name: str, way: tuple[str, ...]) -> Iterator[Problem]:
        if f"{name}()" not in self.done:
            self.done.add(f"{name}()")
            own, block = self.file.functions[name]
            bound = frozenset(filter(None, (*own.parameters, own.rest)))
            yield from self.uses(own.result, block.place, (*way, f"{name}()"), bound)

    def uses(
        self, found: Expression, place: Place, way: tuple[str, ...], bound: frozenset[str]
    ) -> Iterator[Problem]:
        for name, offset in found.calls.items():
            if f"{name}()" in way:
                yield place.problem(f"function '{name}' calls itself", offset)
            elif name in self.file.functions:
                yield from self.function(name, way)
        for name, offset in found.names.items():
            other = self.file.attributes.get(name) or self.file.variables.get(name)
            if name in bound or other is None:
                continue
            if name in way:
                yield place.problem(f"variable '{name}' refers to itself", offset)
            else:
                yield from self.variable(name, other, way)
