"""The rules there are: the framework's own, and every installed pack's, found by entry point."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from dockstrata.builtin import BUILTIN
from dockstrata.errors import DockstrataError
from dockstrata.rule import Rule

GROUP = "dockstrata.rules"
OWN = "dockstrata"
"""The entry point of the pack that comes with the program."""
_CODE = re.compile(r"[A-Za-z][\w-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Registry:
    """All rules, in order of code; ``problems`` say which packs or rules are left out, and why."""

    rules: tuple[Rule, ...]
    problems: tuple[str, ...] = ()

    def find(self, name: str) -> Rule | None:
        """The rule with this code, alias or name, in any case; a family by any of its codes."""
        wanted = name.lower()
        for rule in self.rules:
            if any(code.lower() == wanted for code in rule.codes):
                return rule
        for rule in self.rules:
            if rule.family and _of_family(wanted, rule):
                return rule
        return None

    def names(self) -> list[tuple[str, ...]]:
        """The codes, aliases and name of each rule."""
        return [rule.codes for rule in self.rules]


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of an entry point, by its name."""

    name: str
    rules: tuple[Rule, ...]


def make_registry(rules: tuple[Rule, ...]) -> Registry:
    """A registry of these rules and the framework's own.

    Raises :class:`DockstrataError` where two rules answer to one name.
    """
    registry = join_packs([Pack("rules", rules)])
    if registry.problems:
        raise DockstrataError(registry.problems[0])
    return registry


def join_packs(packs: Sequence[Pack], problems: Sequence[str] = ()) -> Registry:
    """A registry of the packs' rules and the framework's own.

    A rule that answers to a name of an earlier one is left out, and told in ``problems``.
    """
    owners = {code.lower(): rule for rule in BUILTIN for code in rule.codes}
    rules, found = [*BUILTIN], [*problems]
    for pack in packs:
        for rule in pack.rules:
            if any(rule is known for known in rules):
                continue  # two entry points may lead to one tuple
            trouble = _trouble(rule, owners)
            if trouble is not None:
                found.append(f"the rule pack '{pack.name}': {rule.code} is left out: {trouble}")
                continue
            owners.update((code.lower(), rule) for code in rule.codes)
            rules.append(rule)
    return Registry(tuple(sorted(rules, key=lambda rule: rule.code)), tuple(found))


def _trouble(rule: Rule, owners: Mapping[str, Rule]) -> str | None:
    """Why a rule cannot be among those that own these names (in lower case)."""
    for code in rule.codes:
        if not _CODE.fullmatch(code) or code.lower() in ("all", "buildkit"):
            return f"'{code}' is no name that a comment or --select could say"
        other = owners.get(code.lower()) or next(
            (owner for owner in owners.values() if owner.family and _of_family(code, owner)), None
        )
        if other is not None:
            return f"two rules are called '{code}': {other.module} and {rule.module}"
    return None


def _of_family(code: str, family: Rule) -> bool:
    prefix, lowered = family.code.lower(), code.lower()
    return lowered.startswith(prefix) and lowered[len(prefix) :].isdecimal()


@lru_cache(maxsize=1)
def load_registry() -> Registry:
    """The installed packs' rules. What cannot be loaded is told in the registry's ``problems``.

    Raises :class:`DockstrataError` where there are none: a lint run without rules would pass
    everything.
    """
    packs: list[Pack] = []
    problems: list[str] = []
    # Of two rules with one name a stranger's has to go.
    for name, value in sorted(_entry_points(), key=lambda entry: entry[0] != OWN):
        try:
            packs.append(Pack(name, _load(name, value)))
        except DockstrataError as error:
            problems.append(str(error))
    if not any(pack.rules for pack in packs):
        none = f"no rules are installed: no package has an entry point in '{GROUP}'"
        raise DockstrataError("; ".join(problems) or none)
    return join_packs(packs, problems)


def _load(pack: str, value: str) -> tuple[Rule, ...]:
    import importlib

    module, _, attribute = value.partition(":")
    try:
        found: object = importlib.import_module(module.strip())
        for part in filter(None, attribute.strip().split(".")):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # a third party's module may raise anything
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
