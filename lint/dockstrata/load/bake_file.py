"""What a bake file says, before anything in it has a value."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dockstrata.load.hcl import Function, Scope
from dockstrata.load.hcl_body import Body, read_hcl, read_json
from dockstrata.load.hcl_expression import Expression
from dockstrata.load.hcl_lexer import NAME, line_of, without_comments
from dockstrata.load.hcl_types import RefusedError, Type, parsed_type
from dockstrata.load.wiring import Problem, UnknownValueError, read_file

# Blocks with one label, and the blocks inside of them.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "variable": ("validation",),
    "function": (),
    "target": (),
    "group": (),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A bake file with its text."""

    path: str
    source: str

    def problem(self, message: str, offset: int, reason: str = "broken") -> Problem:
        return Problem(self.path, line_of(self.source, offset), message, reason)


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its attributes and where it stands."""

    body: Mapping[str, Expression]
    place: Place
    offset: int

    @property
    def path(self) -> str:
        return self.place.path

    @property
    def line(self) -> int:
        return line_of(self.place.source, self.offset)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable: ``default`` is None where the environment is to tell it; ``conditions`` are
    those of its validation."""

    default: Expression | None
    kind: Type | None
    place: Place
    offset: int
    conditions: tuple[Expression, ...] = ()


@dataclass(slots=True)
class BakeFile:
    """Names to what a file, or files that are read together, say of them. ``attributes`` are
    those at the top, which count as variables that the environment cannot change."""

    variables: dict[str, Variable] = field(default_factory=dict)
    attributes: dict[str, Variable] = field(default_factory=dict)
    functions: dict[str, tuple[Function, Block]] = field(default_factory=dict)
    targets: dict[str, list[Block]] = field(default_factory=dict)
    groups: dict[str, list[Block]] = field(default_factory=dict)
    faults: list[Problem] = field(default_factory=list)

    @staticmethod
    def merged(files: Iterable[BakeFile]) -> BakeFile:
        """Files that are read together, later ones over earlier ones."""
        found = BakeFile()
        for file in files:
            found.faults += file.faults
            for name in file.attributes.keys() & found.attributes.keys() - found.variables.keys():
                if name not in file.variables:
                    again = file.attributes[name]
                    found.faults.append(again.place.problem(f"'{name}' is set twice", again.offset))
            found.variables |= file.variables
            found.attributes |= file.attributes
            found.functions |= file.functions
            for name, blocks in file.targets.items():
                found.targets[name] = found.targets.get(name, []) + blocks
            for name, blocks in file.groups.items():
                found.groups[name] = found.groups.get(name, []) + blocks
        return found

    def is_whole(self) -> bool:
        """Whether every target that is inherited from by its plain name is here."""
        return all(name in self.targets for name in self._inherited())

    def _inherited(self) -> Iterator[str]:
        blocks = (block for blocks in self.targets.values() for block in blocks)
        for block in blocks:
            try:
                names = block.body["inherits"].value(Scope({})) if "inherits" in block.body else []
            except (RefusedError, UnknownValueError):
                continue
            listed = names if isinstance(names, list) else []
            yield from (name for name in listed if isinstance(name, str))


def read_bake(path: str, problems: list[Problem]) -> BakeFile | None:
    """The file at ``path``; ``None`` and a problem where it cannot be read."""
    content = read_file(path)
    if isinstance(content, Problem):
        problems.append(content)
        return None
    is_json = path.lower().endswith(".json")
    place = Place(path, content)
    try:
        body = read_json(content, _KINDS) if is_json else read_hcl(content)
        return _Reader(place).file(body)
    except json.JSONDecodeError as error:
        problems.append(place.problem(f"is not JSON: {error.msg}", error.pos))
    except RecursionError:
        problems.append(place.problem("is nested too deep", 0))
    except RefusedError as error:
        language = "JSON for bake" if is_json else "HCL"
        problems.append(place.problem(f"is not {language}: {error}", error.offset or 0))
    except UnknownValueError as error:
        problems.append(place.problem(f"cannot be read: {error}", 0))
    return None


class _Reader:
    def __init__(self, place: Place) -> None:
        self.place = place
        self.found = BakeFile()

    def file(self, body: Body) -> BakeFile:
        for kind, labels, inner in body.blocks:
            if kind not in _KINDS:
                continue
            if len(labels) != 1:
                raise RefusedError(f"a {kind} has one name", inner.offset)
            self.block(kind, labels[0], inner)
        for name, value in body.attributes.items():
            if name not in ("target", "group", "function", "variable"):
                self.found.attributes[name] = Variable(value, None, self.place, value.offset)
        return self.found

    def block(self, kind: str, name: str, body: Body) -> None:
        found = Block(body.attributes, self.place, body.offset)
        if kind == "variable":
            self.variable(name, found, body)
        elif kind == "function":
            self.function(name, found)
        elif kind == "target":
            self.found.targets.setdefault(name, []).append(found)
        else:
            self.found.groups.setdefault(name, []).append(found)

    def variable(self, name: str, block: Block, body: Body) -> None:
        wanted = None
        if (said := block.body.get("type")) is not None:
            try:
                wanted = parsed_type(said.source)
            except RefusedError as error:
                raise RefusedError(f"the type of '{name}': {error}", said.offset) from None
        default = block.body.get("default")
        conditions = tuple(
            inner.attributes["condition"]
            for kind, _, inner in body.blocks
            if kind == "validation" and "condition" in inner.attributes
        )
        self.found.variables[name] = Variable(default, wanted, self.place, block.offset, conditions)

    def function(self, name: str, block: Block) -> None:
        for key, said in block.body.items():
            if key not in ("params", "result", "variadic_params"):
                raise RefusedError(f"a function has no '{key}'", said.offset)
        for needed in ("params", "result"):
            if needed not in block.body:
                raise RefusedError(f"function '{name}' has no {needed}", block.offset)
        rest = None
        if (variadic := block.body.get("variadic_params")) is not None:
            rest = without_comments(variadic.source).strip()
            if not NAME.fullmatch(rest):
                raise RefusedError(f"variadic_params of '{name}' is one name", variadic.offset)
        parameters = NAME.findall(without_comments(block.body["params"].source))
        own = Function(tuple(parameters), block.body["result"], rest)
        self.found.functions[name] = own, block
