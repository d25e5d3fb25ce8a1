"""Builds that the configuration tells: ``[[build]]`` tables of ``dockstrata.toml``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from dockstrata.load.discover import tidy
from dockstrata.load.secrets import given_secret
from dockstrata.load.wiring import Build
from dockstrata.syntax.reference import context_name

_KINDS: Mapping[str, str] = {
    "dockerfile": "a string",
    "context": "a string",
    "target": "a string",
    "name": "a string",
    "args": "a table of name = string",
    "contexts": "a table of name = string",
    "platforms": "a list of strings",
    "tags": "a list of strings",
    "secrets": 'a list of strings like "id=npm,src=.npmrc"',
    "ssh": "a list of strings",
}


def wrong_builds(value: object) -> str | None:
    """What ``build`` should have been, or ``None`` where it is that."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return "[[build]] tables"
    for table in value:
        for key, item in table.items():
            kind = _KINDS.get(key)
            if kind is None:
                return f"[[build]] tables of {', '.join(_KINDS)}; '{key}' is none of these"
            if not _is(kind, item):
                return f"[[build]] tables whose '{key}' is {kind}"
        if "dockerfile" not in table:
            return "[[build]] tables that each name a 'dockerfile'"
    return None


def _is(kind: str, value: object) -> bool:
    if kind == "a string":
        return isinstance(value, str)
    if kind.startswith("a list"):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return False
        return kind != _KINDS["secrets"] or all(given_secret(text, "") for text in value)
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def configured_builds(
    tables: Sequence[Mapping[str, Any]], path: str, base: str
) -> tuple[Build, ...]:
    """The builds of ``[[build]]`` tables; their paths are relative to ``base``.

    ``secrets`` and ``ssh`` are written as the builders' ``--secret`` and ``--ssh`` take them.
    """
    builds: list[Build] = []
    for table in tables:
        dockerfile = tidy(os.path.join(base, table["dockerfile"]))
        context = table.get("context")
        builds.append(
            Build(
                dockerfile=dockerfile,
                context=os.path.dirname(dockerfile) or "."
                if context is None
                else tidy(os.path.join(base, context)),
                target=table.get("target"),
                args=tuple(table.get("args", {}).items()),
                platforms=tuple(table.get("platforms", ())),
                contexts=tuple((context_name(k), v) for k, v in table.get("contexts", {}).items()),
                tags=tuple(table.get("tags", ())),
                origin=path,
                line=1,
                service=table.get("name", ""),
                secrets=tuple(
                    secret
                    for text in table.get("secrets", ())
                    if (secret := given_secret(text, base)) is not None
                ),
                ssh=tuple(table.get("ssh", ())),
            )
        )
    return tuple(builds)
