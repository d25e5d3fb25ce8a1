"""What a bake file says, before anything in it has a value."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dockstrata.load.hcl import Function, Template, unquote
from dockstrata.load.wiring import Problem, read_file

_KINDS = ("variable", "function", "target", "group")


@dataclass(frozen=True, slots=True)
class Block:
    """A target's block: its attributes as python-hcl2 gives them, and where it stands."""

    body: Mapping[str, object]
    path: str
    line: int


@dataclass(slots=True)
class BakeFile:
    """Names to what HCL or JSON gives.

    ``grouped`` are the targets that a group names, ``unset`` the variables without a default.
    """

    variables: dict[str, object] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    targets: dict[str, list[Block]] = field(default_factory=dict)
    grouped: set[str] = field(default_factory=set)
    unset: set[str] = field(default_factory=set)

    @staticmethod
    def merged(files: Iterable[BakeFile]) -> BakeFile:
        """Files that are read together, later ones over earlier ones."""
        found = BakeFile()
        for file in files:
            found.variables |= file.variables
            found.functions |= file.functions
            found.grouped |= file.grouped
            found.unset |= file.unset
            for name, blocks in file.targets.items():
                found.targets[name] = found.targets.get(name, []) + blocks
        return found

    def is_whole(self) -> bool:
        """Whether every target that is inherited from by its plain name is here."""
        names = {unquote(str(it)) for it in self.inherited()}
        return all(name in self.targets for name in names if "$" not in name)

    def inherited(self) -> Iterator[object]:
        for blocks in self.targets.values():
            for block in blocks:
                parents = block.body.get("inherits")
                yield from parents if isinstance(parents, list) else ()


def read_bake(path: str, problems: list[Problem]) -> BakeFile | None:
    """The file at ``path``; ``None`` and a problem where it cannot be read."""
    content = read_file(path)
    if isinstance(content, Problem):
        problems.append(content)
        return None
    line, message = 1, ""
    try:
        if path.lower().endswith(".json"):
            return _read_json(path, content)
        return _read_hcl(path, content)
    except json.JSONDecodeError as error:
        line, message = error.lineno, f"is not JSON: {error.msg}"
    except RecursionError:
        message = "is nested too deep"
    except Exception as error:  # the parser's errors have no base class but Exception
        line = max(getattr(error, "line", 1) or 1, 1)
        message = f"is not HCL: {str(error).splitlines()[0] if str(error) else type(error)}"
    problems.append(Problem(path, line, message))
    return None


def _read_json(path: str, content: str) -> BakeFile:
    document = json.loads(content)
    if not isinstance(document, dict):
        raise json.JSONDecodeError("not an object", content, 0)
    file = BakeFile()
    for name, body in _objects(document.get("variable")):
        if "default" in body:
            file.variables[name] = _quoted(body["default"])
        else:
            file.unset.add(name)
    for name, body in _objects(document.get("function")):
        _add_function(file, name, {key: _quoted(value) for key, value in body.items()})
    for name, body in _objects(document.get("target")):
        place = re.search(rf'"{re.escape(name)}"\s*:\s*\{{', content)
        line = content.count("\n", 0, place.start()) + 1 if place else 1
        quoted = {key: _quoted(value) for key, value in body.items()}
        file.targets[name] = [Block(quoted, path, line)]
    for _, body in _objects(document.get("group")):
        _add_group(file, body)
    for name, value in document.items():
        if name not in _KINDS:
            file.variables[name] = _quoted(value)
    return file


def _objects(node: object) -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(node, dict):
        for name, body in node.items():
            if isinstance(body, dict):
                yield name, body


def _quoted(value: object) -> object:
    """A JSON value in the form that python-hcl2 gives: bake expands ``${…}`` in JSON, too."""
    if isinstance(value, str):
        return Template(value)
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    return value


def _read_hcl(path: str, content: str) -> BakeFile:
    import hcl2

    document: Mapping[str, object] = hcl2.loads(content + "\n")
    file = BakeFile()
    for name, body in _blocks(document.get("variable")):
        if "default" in body:
            file.variables[name] = body["default"]
        else:  # the environment is to tell it
            file.unset.add(name)
    for name, body in _blocks(document.get("function")):
        _add_function(file, name, body)
    lines = _target_lines(content)
    for name, body in _blocks(document.get("target")):
        line = lines[name].pop(0) if lines.get(name) else 1
        own = {key: value for key, value in body.items() if not key.startswith("__")}
        file.targets.setdefault(name, []).append(Block(own, path, line))
    for _, body in _blocks(document.get("group")):
        _add_group(file, body)
    for name, value in document.items():  # attributes at the top are variables, too
        if not isinstance(value, list) or name not in _KINDS:
            file.variables[name] = value
    return file


def _blocks(node: object) -> Iterator[tuple[str, dict[str, object]]]:
    for block in node if isinstance(node, list) else ():
        for name, body in _objects(block):
            yield unquote(name), {unquote(key): value for key, value in body.items()}


def _add_function(file: BakeFile, name: str, body: Mapping[str, object]) -> None:
    parameters, rest = body.get("params"), body.get("variadic_params")
    file.functions[name] = Function(
        tuple(unquote(str(it)) for it in parameters) if isinstance(parameters, list) else (),
        body.get("result"),
        unquote(str(rest)) if rest is not None else None,
    )


def _add_group(file: BakeFile, body: Mapping[str, object]) -> None:
    targets = body.get("targets")
    file.grouped.update(unquote(str(it)) for it in (targets if isinstance(targets, list) else ()))


def _target_lines(content: str) -> dict[str, list[int]]:
    lines: dict[str, list[int]] = {}
    for match in re.finditer(r'^[ \t]*target[ \t]+"?([\w.-]+)"?', content, re.M):
        lines.setdefault(match[1], []).append(content.count("\n", 0, match.start()) + 1)
    return lines
