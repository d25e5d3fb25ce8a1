"""What the user configured: ``dockstrata.toml``, ``[tool.dockstrata]``, ``.hadolint.yaml``."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dockstrata.errors import DockstrataError
from dockstrata.finding import Severity
from dockstrata.plan.settings import STEP_COST, PlanSettings
from dockstrata.rule import Settings
from dockstrata.selection import suggestion

if TYPE_CHECKING:
    from dockstrata.load.wiring import Build

OWN_FILE = "dockstrata.toml"
FAIL_ON = ("error", "warning", "info", "style", "never")
_SEVERITIES = FAIL_ON[:-1]

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LintConfiguration:
    """The ``[lint]`` table. ``select`` of ``None``: the user said nothing."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    fail_on: str | None = None
    exclude: tuple[str, ...] = ()
    severity: tuple[tuple[str, Severity], ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    require_reason: bool = False
    hadolint_comments: bool = True
    shellcheck: bool = True
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything configured. ``path`` is the file, ``base`` its folder, as the user writes them.

    ``selectors`` are the rules that dockstrata's own file names, each with the place: whoever
    knows the rules checks them. hadolint's file may name rules that are not ours.
    ``placement`` says where new bases go (``bases``, ``registry``, ``tag``), ``names`` what they
    are called instead of the proposed names, ``builds`` how Dockerfiles are built.
    """

    path: str | None = None
    base: str = "."
    exclude: tuple[str, ...] = ()
    lint: LintConfiguration = field(default_factory=LintConfiguration)
    plan: PlanSettings = field(default_factory=PlanSettings)
    placement: tuple[tuple[str, str], ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    builds: tuple[Build, ...] = ()
    selectors: tuple[tuple[str, tuple[str, ...]], ...] = ()


# Key → kind: what each table may hold. "names" is a list of rules.
_LINT: Mapping[str, str] = {
    "select": "names",
    "ignore": "names",
    "extend-select": "names",
    "fail-on": "fail-on",
    "exclude": "strings",
    "severity": "severities",
    "per-file-ignores": "names by pattern",
    "require-reason": "boolean",
    "hadolint-comments": "boolean",
    "shellcheck": "boolean",
    "trusted-registries": "strings",
    "label-schema": "string by name",
    "strict-labels": "boolean",
    "max-layers": "count",
}
_PLAN: Mapping[str, str] = {
    "max-depth": "count from 2",
    "min-images": "count from 2",
    "min-steps": "count",
    "image-cost": "number",
    "step-cost": "number by instruction",
    "bases": "string",
    "registry": "string",
    "tag": "string",
    "names": "image name by name",
}
_IMAGE_NAME = re.compile(r"^[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*\Z")
"""A name that an image's repository, a folder and a stage may all have."""
_PLACEMENT = ("bases", "registry", "tag")
_TOP: Mapping[str, str] = {
    "exclude": "strings",
    "lint": "table",
    "plan": "table",
    "build": "builds",
}


def load_configuration(
    path: str | None = None, *, start: str = ".", hadolint: bool = True
) -> Configuration:
    """The configuration in force in the directory ``start``.

    ``path`` names a file; without it the nearest ``dockstrata.toml`` or ``pyproject.toml`` with
    a ``[tool.dockstrata]`` counts, upward from ``start``. What neither sets is taken from a
    ``.hadolint.yaml`` in ``start``. Raises :class:`DockstrataError` with file and line.
    """
    found = (path, _tables(path)) if path is not None else _nearest(start)
    own: Raw = found[1] if found is not None else {}
    lint: Raw = dict(own.get("lint", {}))
    base = start
    selectors: list[tuple[str, tuple[str, ...]]] = []
    if found is not None:
        base = os.path.dirname(found[0]) or "."
        selectors = _named(found[0], lint)
    if hadolint:
        from dockstrata.hadolint import find_hadolint, read_hadolint

        if (other := find_hadolint(start)) is not None:
            lint = {**read_hadolint(other), **lint}
    return Configuration(
        None if found is None else found[0],
        base,
        tuple(own.get("exclude", ())),
        _lint(lint),
        _plan(own.get("plan", {})),
        tuple((key, own["plan"][key]) for key in _PLACEMENT if key in own.get("plan", {})),
        tuple(own.get("plan", {}).get("names", {}).items()),
        _builds(own.get("build", ()), found[0] if found else "", base),
        tuple(selectors),
    )


def is_excluded(path: str, patterns: Iterable[tuple[Sequence[str], str]]) -> bool:
    """Whether gitignore patterns, each list relative to its folder, leave a path out."""
    for lines, base in patterns:
        if lines:
            from pathspec import GitIgnoreSpec

            relative = os.path.relpath(path, base).replace(os.sep, "/")
            if not relative.startswith("../") and GitIgnoreSpec.from_lines(lines).match_file(
                relative
            ):
                return True
    return False


def _nearest(start: str) -> tuple[str, Raw] | None:
    folder = os.path.abspath(start)
    shown = start
    while True:
        own = _tidy(os.path.join(shown, OWN_FILE))
        if os.path.isfile(own):
            return own, _tables(own)
        project = _tidy(os.path.join(shown, "pyproject.toml"))
        if os.path.isfile(project) and (tables := _pyproject(project)) is not None:
            return project, tables
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder, shown = parent, os.path.join(shown, os.pardir)


def _tidy(path: str) -> str:
    return os.path.normpath(path).replace(os.sep, "/")


def _pyproject(path: str) -> Raw | None:
    """The tables below ``[tool.dockstrata]``; ``None`` where there are none."""
    text = _read(path)
    if "dockstrata" not in text:
        return None
    tool = _toml(path, text).get("tool", {})
    if not isinstance(tool, dict) or "dockstrata" not in tool:
        return None
    return _checked(path, text, tool["dockstrata"], "tool.dockstrata")


def _tables(path: str) -> Raw:
    if os.path.basename(path) == "pyproject.toml":
        return _pyproject(path) or {}
    text = _read(path)
    return _checked(path, text, _toml(path, text), "")


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DockstrataError(f"cannot be read: {reason}", path) from None
    except UnicodeDecodeError:
        raise DockstrataError("is not UTF-8", path) from None


def _toml(path: str, text: str) -> Raw:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = re.search(r" \(at line (\d+), column \d+\)$", message)
        line = int(place[1]) if place else None
        short = message[: place.start()] if place else message
        raise DockstrataError(f"is not valid TOML: {short}", path, line) from None


def _checked(path: str, text: str, tables: object, prefix: str) -> Raw:
    """``tables``, every key known and every value of its type."""
    if not isinstance(tables, dict):
        raise DockstrataError(f"'{prefix}' must be a table", path)
    _check_table(path, text, tables, _TOP, prefix)
    for name, keys in (("lint", _LINT), ("plan", _PLAN)):
        where = f"{prefix}.{name}" if prefix else name
        _check_table(path, text, tables.get(name, {}), keys, where)
    return tables


def _check_table(path: str, text: str, table: Raw, keys: Mapping[str, str], where: str) -> None:
    for key, value in table.items():
        shown = f"{where}.{key}" if where else key
        if key not in keys:
            message = f"unknown key '{shown}'{suggestion(key, keys)}"
            raise DockstrataError(message, path, _line_of(text, where, key))
        wrong = _wrong(keys[key], value)
        if wrong is not None:
            message = f"'{shown}' must be {wrong}, not {_shown(value)}"
            raise DockstrataError(message, path, _line_of(text, where, key))


def _wrong(kind: str, value: object) -> str | None:
    """What a value should have been, or ``None`` where it is that."""
    if kind == "table":
        return None if isinstance(value, dict) else "a table"
    if kind == "builds":
        from dockstrata.load.configured import wrong_builds

        return wrong_builds(value)
    if kind == "string":
        return None if isinstance(value, str) else "a string"
    if kind == "boolean":
        return None if isinstance(value, bool) else "true or false"
    if kind in ("count", "count from 2"):
        least = 2 if kind == "count from 2" else 1
        good = isinstance(value, int) and not isinstance(value, bool) and value >= least
        return None if good else f"a whole number above {least - 1}"
    if kind == "number":
        return None if _is_number(value) else "a number that is not negative"
    if kind in ("strings", "names"):
        return None if _is_strings(value) else "a list of strings"
    if kind == "fail-on":
        return None if value in FAIL_ON else f"one of {', '.join(FAIL_ON)}"
    if not isinstance(value, dict):
        return "a table"
    if kind == "severities":
        good = all(severity in _SEVERITIES for severity in value.values())
        return None if good else f"a table of rule = one of {', '.join(_SEVERITIES)}"
    if kind == "names by pattern":
        good = all(_is_strings(names) for names in value.values())
        return None if good else "a table of pattern = list of rules"
    if kind == "number by instruction":
        good = all(key in STEP_COST and _is_number(cost) for key, cost in value.items())
        return None if good else f"a table of {', '.join(STEP_COST)} = number"
    if kind == "image name by name":
        good = all(isinstance(name, str) and _IMAGE_NAME.match(name) for name in value.values())
        return None if good else "a table of proposed name = name in lower case"
    good = all(isinstance(text, str) for text in value.values())
    return None if good else "a table of name = string"


def _is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _line_of(text: str, table: str, key: str) -> int | None:
    """The line (from 1) that sets ``key`` of ``table``, or that opens it as a table."""
    section = ""
    wanted = f"{table}.{key}" if table else key
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if header:
            section = header[1].replace('"', "").replace(" ", "")
            if section == wanted or section.startswith(f"{wanted}."):
                return number
            continue
        assigned = re.match(r"\s*([\w\"'.-]+)\s*=", line)
        if assigned:
            name = assigned[1].replace('"', "").replace("'", "")
            full = f"{section}.{name}" if section else name
            if full == wanted or full.startswith(f"{wanted}."):
                return number
    return None


def _named(path: str, lint: Raw) -> list[tuple[str, tuple[str, ...]]]:
    named = [
        (f"{path}: 'lint.{key}'", tuple(lint[key]))
        for key, kind in _LINT.items()
        if kind == "names" and key in lint
    ]
    named.append((f"{path}: 'lint.severity'", tuple(lint.get("severity", {}))))
    for pattern, names in lint.get("per-file-ignores", {}).items():
        named.append((f"{path}: 'lint.per-file-ignores' of '{pattern}'", tuple(names)))
    return named


def _lint(lint: Raw) -> LintConfiguration:
    settings = Settings(
        trusted_registries=tuple(lint.get("trusted-registries", ())),
        label_schema=tuple(lint.get("label-schema", {}).items()),
        strict_labels=lint.get("strict-labels", False),
        max_layers=lint.get("max-layers", Settings().max_layers),
    )
    return LintConfiguration(
        select=tuple(lint["select"]) if "select" in lint else None,
        ignore=tuple(lint.get("ignore", ())),
        extend_select=tuple(lint.get("extend-select", ())),
        fail_on=lint.get("fail-on"),
        exclude=tuple(lint.get("exclude", ())),
        severity=tuple(
            (name, Severity[word.upper()]) for name, word in lint.get("severity", {}).items()
        ),
        per_file_ignores=tuple(
            (pattern, tuple(names)) for pattern, names in lint.get("per-file-ignores", {}).items()
        ),
        require_reason=lint.get("require-reason", False),
        hadolint_comments=lint.get("hadolint-comments", True),
        shellcheck=lint.get("shellcheck", True),
        settings=settings,
    )


def _builds(tables: list[Raw], path: str, base: str) -> tuple[Build, ...]:
    if not tables:
        return ()
    from dockstrata.load.configured import configured_builds

    return configured_builds(tables, path, base)


def _plan(plan: Raw) -> PlanSettings:
    given = {
        key.replace("-", "_"): value
        for key, value in plan.items()
        if key not in ("step-cost", "names", *_PLACEMENT)
    }
    costs = {**STEP_COST, **plan.get("step-cost", {})}
    return PlanSettings(step_cost=costs, merge_stages="max-depth" in plan, **given)
