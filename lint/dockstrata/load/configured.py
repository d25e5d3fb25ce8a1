"""Builds that the configuration tells: ``[[build]]`` tables of ``dockstrata.toml``."""

from __future__ import annotations

import glob
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dockstrata.load.discover import tidy
from dockstrata.load.secrets import given_secret, ssh_from
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
_PLACE = re.compile(r"\{([A-Za-z]\w*)\}")


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
    ``{name}`` in a table's ``dockerfile`` stands for any text without a slash: such a table is one
    for each Dockerfile that is there, with that text wherever else it says ``{name}``.
    """
    builds: list[Build] = []
    for table in itertools.chain.from_iterable(_each(given, base) for given in tables):
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
                ssh=tuple(ssh_from(text, base) for text in table.get("ssh", ())),
            )
        )
    return tuple(builds)


def _each(table: Mapping[str, Any], base: str) -> Iterator[Mapping[str, Any]]:
    """The tables, one for each Dockerfile, that a table with places in its path stands for."""
    path = str(table["dockerfile"])
    if not _PLACE.search(path):
        yield table
        return
    pattern, seen = "", set()
    for position, part in enumerate(_PLACE.split(path)):
        if position % 2 == 0:
            pattern += re.escape(part)
        else:
            pattern += f"(?P={part})" if part in seen else f"(?P<{part}>[^/]+)"
            seen.add(part)
    wanted = re.compile(pattern)
    for name in sorted(glob.glob(_PLACE.sub("*", glob.escape(path)), root_dir=base or ".")):
        found = wanted.fullmatch(name.replace(os.sep, "/"))
        if found is not None and os.path.isfile(os.path.join(base, name)):
            yield {key: _filled(item, found.groupdict()) for key, item in table.items()}


def _filled(value: Any, texts: Mapping[str, str]) -> Any:
    """A table's value with its places filled; a place that the path has not stays as it is."""
    if isinstance(value, str):
        return _PLACE.sub(lambda found: texts.get(found[1], found[0]), value)
    if isinstance(value, list):
        return [_filled(item, texts) for item in value]
    return {key: _filled(item, texts) for key, item in value.items()}
