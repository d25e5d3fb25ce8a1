"""Builds that bake files describe (docs "Bake file reference"), in HCL or JSON."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dockstrata.load.hcl import Scope, Value, evaluate, text, unquote
from dockstrata.load.secrets import given_secret, secret_fields, ssh_fields
from dockstrata.load.wiring import (
    Build,
    Problem,
    UnknownValueError,
    is_remote,
    locate,
    named_contexts,
    read_file,
)

_DEFAULT = re.compile(r"docker-bake(?:\.override)?\.(?:hcl|json)", re.IGNORECASE)
_MERGED = ("args", "contexts", "labels")
_DEPTH = 20


@dataclass(slots=True)
class _File:
    """Bake files that are read together: names to what HCL or JSON gives, later ones laid over."""

    variables: dict[str, object] = field(default_factory=dict)
    functions: dict[str, tuple[list[str], object]] = field(default_factory=dict)
    targets: dict[str, dict[str, object]] = field(default_factory=dict)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)


def bake_builds(paths: Sequence[str]) -> tuple[list[Build], list[Problem]]:
    """The builds of bake files; broken files become problems.

    ``docker-bake.json``, ``docker-bake.hcl`` and their overrides in one directory are one
    definition, in that order; any other file stands alone.
    """
    problems: list[Problem] = []
    builds: list[Build] = []
    together: dict[str, list[str]] = {}
    for path in paths:
        usual = _DEFAULT.fullmatch(os.path.basename(path))
        together.setdefault(os.path.dirname(path) if usual else path, []).append(path)
    for files in together.values():
        merged = _File()
        for path in sorted(files, key=_rank):
            _read(path, merged, problems)
        builds += _builds(merged, problems)
    return builds, problems


def _rank(path: str) -> tuple[bool, bool]:
    name = os.path.basename(path).lower()
    return ".override." in name, name.endswith(".hcl")


def _read(path: str, into: _File, problems: list[Problem]) -> None:
    content = read_file(path)
    if isinstance(content, Problem):
        problems.append(content)
        return
    line, message = 1, ""
    try:
        if path.lower().endswith(".json"):
            _read_json(path, content, into)
        else:
            _read_hcl(path, content, into)
        return
    except json.JSONDecodeError as error:
        line, message = error.lineno, f"is not JSON: {error.msg}"
    except RecursionError:
        message = "is nested too deep"
    except Exception as error:  # the parser's errors have no base class but Exception
        line = max(getattr(error, "line", 1) or 1, 1)
        message = f"is not HCL: {str(error).splitlines()[0] if str(error) else type(error)}"
    problems.append(Problem(path, line, message))


def _read_json(path: str, content: str, into: _File) -> None:
    document = json.loads(content)
    if not isinstance(document, dict):
        raise json.JSONDecodeError("not an object", content, 0)
    for name, body in _objects(document.get("variable")):
        into.variables[name] = _quoted(body.get("default", _NOTHING))
    for name, body in _objects(document.get("target")):
        place = re.search(rf'"{re.escape(name)}"\s*:\s*\{{', content)
        line = content.count("\n", 0, place.start()) + 1 if place else 1
        _add(into, name, {key: _quoted(value) for key, value in body.items()}, path, line)
    for _, body in _objects(document.get("group")):
        targets = body.get("targets")
        into.grouped.update(map(str, targets if isinstance(targets, list) else ()))


def _objects(node: object) -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(node, dict):
        for name, body in node.items():
            if isinstance(body, dict):
                yield name, body


_NOTHING = object()


def _quoted(value: object) -> object:
    """A JSON value in the form that python-hcl2 gives: bake expands ``${…}`` in JSON, too."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    return value


def _read_hcl(path: str, content: str, into: _File) -> None:
    import hcl2

    document: Mapping[str, object] = hcl2.loads(content + "\n")
    for name, body in _blocks(document.get("variable")):
        into.variables[name] = body.get("default", _NOTHING)
    for name, body in _blocks(document.get("function")):
        parameters = body.get("params")
        if isinstance(parameters, list) and "variadic_params" not in body:
            into.functions[name] = ([unquote(str(it)) for it in parameters], body.get("result"))
    lines = _target_lines(content)
    for name, body in _blocks(document.get("target")):
        line = lines[name].pop(0) if lines.get(name) else 1
        _add(into, name, body, path, line)
    for _, body in _blocks(document.get("group")):
        targets = body.get("targets")
        for target in targets if isinstance(targets, list) else ():
            into.grouped.add(unquote(str(target)))
    for name, value in document.items():  # attributes at the top are variables, too
        if not isinstance(value, list) or name not in ("variable", "function", "target", "group"):
            into.variables.setdefault(name, value)


def _blocks(node: object) -> Iterator[tuple[str, dict[str, object]]]:
    for block in node if isinstance(node, list) else ():
        for name, body in _objects(block):
            yield unquote(name), {unquote(key): value for key, value in body.items()}


def _target_lines(content: str) -> dict[str, list[int]]:
    lines: dict[str, list[int]] = {}
    for match in re.finditer(r'^[ \t]*target[ \t]+"?([\w.-]+)"?', content, re.M):
        lines.setdefault(match[1], []).append(content.count("\n", 0, match.start()) + 1)
    return lines


def _add(into: _File, name: str, body: dict[str, object], path: str, line: int) -> None:
    own = {key: value for key, value in body.items() if not key.startswith("__")}
    into.targets[name] = _laid(own, into.targets[name]) if name in into.targets else own
    into.places.setdefault(name, (path, line))


def _laid(over: Mapping[str, object], below: Mapping[str, object]) -> dict[str, object]:
    merged = {**below, **over}
    for key in _MERGED:
        upper, lower = over.get(key), below.get(key)
        if isinstance(upper, dict) and isinstance(lower, dict):
            merged[key] = {**_bare(lower), **_bare(upper)}
    return merged


def _bare(mapping: Mapping[str, object]) -> dict[str, object]:
    return {unquote(key): value for key, value in mapping.items()}


def _builds(file: _File, problems: list[Problem]) -> Iterator[Build]:
    variables = {name: it for name, it in file.variables.items() if it is not _NOTHING}
    scope = Scope(variables, file.functions)
    parents: set[str] = set()
    for body in file.targets.values():
        parents.update(_texts(body.get("inherits"), scope))
    for name, own in file.targets.items():
        body = _inherited(name, file, scope, 0)
        says = any(key in own for key in ("context", "dockerfile", "target", "tags", "output"))
        if name in parents and name not in file.grouped and not says:
            continue  # only there to be inherited from
        if "dockerfile-inline" in body:
            continue
        origin, line = file.places[name]
        try:
            for local in _combinations(body.get("matrix"), scope):
                inner = Scope(variables, file.functions, local)
                build = _build(name, body, inner, origin, line)
                if build is not None:
                    yield build
        except UnknownValueError as error:
            message = f"target '{name}': its build depends on {error}, which is not known"
            problems.append(Problem(origin, line, message, "unknown-value"))


def _inherited(name: str, file: _File, scope: Scope, depth: int) -> dict[str, object]:
    own = file.targets.get(name, {})
    body: dict[str, object] = {}
    if depth < _DEPTH:
        for parent in _texts(own.get("inherits"), scope):
            if parent in file.targets:
                above = _inherited(parent, file, scope, depth + 1)
                # A matrix and the names that it makes stay with the target that has it.
                rest = {k: v for k, v in above.items() if k not in ("matrix", "name", "inherits")}
                body = _laid(rest, body)
    return _laid(own, body)


def _combinations(matrix: object, scope: Scope) -> list[dict[str, Value]]:
    if matrix is None:
        return [{}]
    axes = evaluate(matrix, scope)
    if not isinstance(axes, dict) or not all(isinstance(it, list) for it in axes.values()):
        raise UnknownValueError("its matrix")
    names = list(axes)
    values = [list(axis) for axis in axes.values() if isinstance(axis, list)]
    return [dict(zip(names, it, strict=True)) for it in itertools.product(*values)]


def _build(
    name: str, body: Mapping[str, object], scope: Scope, origin: str, line: int
) -> Build | None:
    context = _required(body.get("context"), scope) or "."
    dockerfile = _required(body.get("dockerfile"), scope) or "Dockerfile"
    target = _required(body.get("target"), scope)
    if is_remote(context):
        return None
    found = locate(origin, context, dockerfile)
    if found is None:
        return None
    base, folder, path = found
    contexts = {
        key: value
        for key, value in _mapping(body.get("contexts"), scope).items()
        if value is not None
    }
    service = name
    if body.get("name") is not None:
        service = _known(body["name"], scope) or name
    return Build(
        dockerfile=path,
        context=folder,
        target=target or None,
        args=tuple(_mapping(body.get("args"), scope).items()),
        platforms=tuple(dict.fromkeys(_texts(body.get("platforms"), scope))),
        contexts=named_contexts(contexts, base),
        tags=tuple(dict.fromkeys(_texts(body.get("tags"), scope))),
        origin=origin,
        line=line,
        service=service,
        secrets=tuple(
            secret
            for item in _items(body.get("secret"), scope)
            if (
                secret := secret_fields(item, base)
                if isinstance(item, dict)
                else given_secret(str(item), base)
            )
        ),
        ssh=tuple(
            ssh_fields(item) if isinstance(item, dict) else str(item)
            for item in _items(body.get("ssh"), scope)
        ),
    )


def _required(raw: object, scope: Scope) -> str | None:
    if raw is None:
        return None
    value = evaluate(raw, scope)
    return None if value is None else text(value)


def _known(raw: object, scope: Scope) -> str | None:
    try:
        return _required(raw, scope)
    except UnknownValueError:
        return None


def _mapping(raw: object, scope: Scope) -> dict[str, str | None]:
    """An object with each value that is known; the others are None."""
    if isinstance(raw, dict):
        return {
            unquote(key): _known(value, scope)
            for key, value in raw.items()
            if not key.startswith("__")
        }
    try:
        value = evaluate(raw, scope)
    except UnknownValueError:
        return {}
    if not isinstance(value, dict):
        return {}
    return {key: None if it is None else text(it) for key, it in value.items()}


def _items(raw: object, scope: Scope) -> list[Value]:
    """The items of a list that are known, texts and objects."""
    found: list[Value] = []
    try:
        listed = raw if isinstance(raw, list) else evaluate(raw, scope)
    except UnknownValueError:
        return []
    for item in listed if isinstance(listed, list) else ():
        with contextlib.suppress(UnknownValueError):
            found.append(evaluate(item, scope) if isinstance(raw, list) else item)
    return found


def _texts(raw: object, scope: Scope) -> list[str]:
    """The items of a list that are known."""
    if isinstance(raw, list):
        return [it for item in raw if (it := _known(item, scope)) is not None]
    try:
        value = evaluate(raw, scope)
    except UnknownValueError:
        return []
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
