"""The rules there are: the framework's own, and every installed pack's, found by entry point."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from dockstrata.builtin import BUILTIN
from dockstrata.errors import DockstrataError
from dockstrata.rule import Rule

GROUP = "dockstrata.rules"


@dataclass(frozen=True, slots=True)
class Registry:
    """All rules, in order of code."""

    rules: tuple[Rule, ...]

    def find(self, name: str) -> Rule | None:
        """The rule with this code, alias or name, in any case; a family by any of its codes."""
        wanted = name.lower()
        for rule in self.rules:
            if any(code.lower() == wanted for code in rule.codes):
                return rule
        for rule in self.rules:
            prefix = rule.code.lower()
            if rule.family and wanted.startswith(prefix) and wanted[len(prefix) :].isdecimal():
                return rule
        return None

    def names(self) -> list[tuple[str, ...]]:
        """The codes, aliases and name of each rule."""
        return [rule.codes for rule in self.rules]


def make_registry(rules: tuple[Rule, ...]) -> Registry:
    """A registry of these rules and the framework's own.

    Raises :class:`DockstrataError` where two rules answer to one name.
    """
    owners: dict[str, Rule] = {}
    for rule in (*BUILTIN, *rules):
        for code in rule.codes:
            other = owners.setdefault(code.lower(), rule)
            if other is not rule:
                raise DockstrataError(
                    f"two rules are called '{code}': {other.module} and {rule.module}"
                )
    ordered = sorted((*BUILTIN, *rules), key=lambda rule: rule.code)
    return Registry(tuple(ordered))


@lru_cache(maxsize=1)
def load_registry() -> Registry:
    """The installed packs' rules.

    Raises :class:`DockstrataError` where there are none, or a pack cannot be loaded: a lint run
    without rules would pass everything.
    """
    rules: list[Rule] = []
    for pack, value in _entry_points():
        rules += _load(pack, value)
    if not rules:
        raise DockstrataError(f"no rules are installed: no package has an entry point in '{GROUP}'")
    return make_registry(tuple(rules))


def _load(pack: str, value: str) -> tuple[Rule, ...]:
    import importlib

    module, _, attribute = value.partition(":")
    try:
        found: object = importlib.import_module(module.strip())
        for part in filter(None, attribute.strip().split(".")):
            found = getattr(found, part)
    except Exception as error:  # a third party's module may raise anything
        kind = type(error).__name__
        raise DockstrataError(
            f"the rule pack '{pack}' ({value}) cannot be loaded: {kind}: {error}"
        ) from error
    if not isinstance(found, (tuple, list)) or not all(isinstance(rule, Rule) for rule in found):
        raise DockstrataError(f"the rule pack '{pack}' ({value}) is not a tuple of rules")
    return tuple(found)


def _entry_points() -> Iterator[tuple[str, str]]:
    """Name and value of each entry point of the group, the first of a name's distributions.

    Read from the metadata folders directly: importing ``importlib.metadata`` costs 25 ms, a
    quarter of the whole run. Anything that is no plain folder on the path is left to it.
    """
    if not _plain_path():
        from importlib.metadata import entry_points

        for entry in entry_points(group=GROUP):
            yield entry.name, entry.value
        return
    seen: set[str] = set()
    for folder in dict.fromkeys(sys.path):
        try:
            names = sorted(os.listdir(folder or "."))
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            # An earlier folder's distribution hides a later one of the same name.
            project = name.rsplit(".", 1)[0].partition("-")[0].lower().replace(".", "_")
            if project in seen:
                continue
            seen.add(project)
            try:
                path = os.path.join(folder or ".", name, "entry_points.txt")
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            except (OSError, ValueError):
                continue
            if GROUP in text:
                yield from _section(text)


def _plain_path() -> bool:
    """Whether every distribution lies in a folder of ``sys.path``."""
    from importlib.machinery import PathFinder

    others = (finder for finder in sys.meta_path if finder is not PathFinder)
    if any(hasattr(finder, "find_distributions") for finder in others):
        return False
    return not any(os.path.isfile(path) for path in sys.path if path)


def _section(text: str) -> Iterator[tuple[str, str]]:
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == f"[{GROUP}]"
        elif inside and line and not line.startswith(("#", ";")):
            name, equals, value = line.partition("=")
            if equals:
                yield name.strip(), value.partition("[")[0].strip()
