"""A bake target with the values of its attributes, and how one is laid over another.

Source: buildx, ``Target.Merge``: a null counts as not said, maps and secrets are merged, lists of
tags and platforms replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockstrata.load.bake_check import TYPES
from dockstrata.load.bake_file import Block
from dockstrata.load.hcl import Scope
from dockstrata.load.hcl_types import Map, Missing, RefusedError, Value, converted, text
from dockstrata.load.wiring import UnknownValueError

_SINGLE = ("context", "dockerfile", "target", "dockerfile-inline", "call")


@dataclass(slots=True)
class Target:
    """``single`` are attributes of one text; an exception stands for a value that is not known.

    In ``args`` None is a value that only the builder's environment knows.
    """

    single: Mapping[str, str | UnknownValueError] = field(default_factory=dict)
    args: Mapping[str, str | None] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)
    platforms: list[str] | None = None
    tags: list[str] | None = None
    secrets: list[Value] = field(default_factory=list)
    ssh: list[Value] = field(default_factory=list)
    inherits: list[str] = field(default_factory=list)

    def over(self, below: Target) -> Target:
        return Target(
            {**below.single, **self.single},
            {**below.args, **self.args},
            {**below.contexts, **self.contexts},
            below.platforms if self.platforms is None else self.platforms,
            below.tags if self.tags is None else self.tags,
            _more(below.secrets, self.secrets),
            _more(below.ssh, self.ssh),
            below.inherits + self.inherits,
        )

    def required(self, name: str) -> str | None:
        """An attribute of one text. Raises :class:`UnknownValueError`."""
        value = self.single.get(name)
        if isinstance(value, UnknownValueError):
            raise value
        return value

    @property
    def inline(self) -> object:
        return self.single.get("dockerfile-inline")

    @property
    def call(self) -> object:
        return self.single.get("call")


def _more(below: list[Value], own: list[Value]) -> list[Value]:
    return below + [item for item in own if item not in below]


def evaluated(block: Block, scope: Scope, unset: Scope) -> Target:
    """What a block says itself. What bake refuses counts as not said: see ``bake_check``.

    In ``unset`` a variable without a default is empty, as it is where the environment lacks it: so
    are names made. What decides the build is only known without such a variable.
    """
    single: dict[str, str | UnknownValueError] = {}
    for name in _SINGLE:
        try:
            if (value := attribute(block, name, scope)) is not None:
                single[name] = text(value)
        except UnknownValueError as error:
            single[name] = error
        except RefusedError:
            continue
    return Target(
        single,
        _arguments(block, scope, unset),
        {name: it for name, it in _mapping(block, "contexts", unset).items() if it is not None},
        _texts(block, "platforms", unset),
        _texts(block, "tags", unset),
        _items(block, "secret", scope) or [],
        _items(block, "ssh", scope) or [],
        _texts(block, "inherits", unset) or [],
    )


def attribute(block: Block, name: str, scope: Scope) -> Value:
    """Raises :class:`UnknownValueError`, :class:`RefusedError`."""
    return block.body[name].value(scope) if name in block.body else None


def said_by(layers: Sequence[tuple[Block, Mapping[str, Value]]], name: str, scope: Scope) -> Value:
    """What ``target.NAME.ATTRIBUTE`` is: what the target's blocks say, later ones over earlier."""
    if name not in TYPES:
        raise RefusedError(f"targets have no '{name}'")
    found: Value = None
    for block, local in layers:
        value = converted(attribute(block, name, scope.with_local(local)), TYPES[name])
        if isinstance(value, dict) and isinstance(found, dict):
            value = Map({**found, **value})
        found = found if value is None else value
    return found


def _arguments(block: Block, scope: Scope, unset: Scope) -> dict[str, str | None]:
    """The arguments that are not null; None where the environment decides."""
    try:
        attribute(block, "args", scope)
    except UnknownValueError:
        return dict.fromkeys(_mapping(block, "args", unset))
    except RefusedError:
        pass
    return _mapping(block, "args", scope)


def _mapping(block: Block, name: str, scope: Scope) -> dict[str, str | None]:
    """The entries of an object that are not null; None where a value is not known."""
    try:
        found = attribute(block, name, scope)
    except (UnknownValueError, RefusedError):
        return {}
    items = found.items() if isinstance(found, dict) else ()
    return {key: _known(value) for key, value in items if value is not None}


def _known(value: Value) -> str | None:
    try:
        return text(value)
    except (UnknownValueError, RefusedError):
        return None


def _items(block: Block, name: str, scope: Scope) -> list[Value] | None:
    """The items of a list that are known; None where there is no list."""
    try:
        value = attribute(block, name, scope)
    except UnknownValueError:
        return []
    except RefusedError:
        return None
    if not isinstance(value, list):
        return None
    return [item for item in value if not isinstance(item, Missing)]


def _texts(block: Block, name: str, scope: Scope) -> list[str] | None:
    items = _items(block, name, scope)
    if items is None:
        return None
    return [text(item) for item in items if item is not None and not isinstance(item, (list, dict))]
