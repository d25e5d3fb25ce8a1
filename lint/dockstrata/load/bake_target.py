"""A bake target with the values of its attributes, and how one is laid over another.

Source: buildx, ``Target.Merge``: a null counts as not said, maps and secrets are merged, lists of
tags and platforms replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dockstrata.load.bake_file import Block
from dockstrata.load.hcl import Scope, Value, evaluate, key_of, text
from dockstrata.load.hcl_functions import Missing
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
    """What a block says itself.

    In ``unset`` a variable without a default is empty, as it is where the environment lacks it: so
    are names made. What decides the build is only known without such a variable.
    """
    body = block.body
    single: dict[str, str | UnknownValueError] = {}
    for name in _SINGLE:
        try:
            if (value := evaluate(body.get(name), scope)) is not None:
                single[name] = text(value)
        except UnknownValueError as error:
            single[name] = error
    return Target(
        single,
        dict(_pairs(body.get("args"), scope)),
        {key: value for key, value in _pairs(body.get("contexts"), unset) if value is not None},
        _texts(body.get("platforms"), unset),
        _texts(body.get("tags"), unset),
        _items(body.get("secret"), scope) or [],
        _items(body.get("ssh"), scope) or [],
        _texts(body.get("inherits"), unset) or [],
    )


def _pairs(raw: object, scope: Scope) -> Iterator[tuple[str, str | None]]:
    """The entries of an object that are not null; None where a value is not known."""
    if not isinstance(raw, dict):
        try:
            raw = evaluate(raw, scope)
        except UnknownValueError:
            return
        for name, value in raw.items() if isinstance(raw, dict) else ():
            if value is not None:
                yield name, None if isinstance(value, (list, dict, Missing)) else text(value)
        return
    for key, item in raw.items():
        if key.startswith("__"):
            continue
        try:
            name = key_of(key, scope)
        except UnknownValueError:
            continue
        try:
            value = evaluate(item, scope)
            if value is not None:
                yield name, text(value)
        except UnknownValueError:
            yield name, None


def _items(raw: object, scope: Scope) -> list[Value] | None:
    """The items of a list that are known; None where there is no list."""
    try:
        value = evaluate(raw, scope)
    except UnknownValueError:
        return []
    if not isinstance(value, list):
        return None
    return [item for item in value if not isinstance(item, Missing)]


def _texts(raw: object, scope: Scope) -> list[str] | None:
    items = _items(raw, scope)
    if items is None:
        return None
    return [text(item) for item in items if item is not None and not isinstance(item, (list, dict))]
