"""Reads hadolint's own configuration file and says it in our words.

Source: hadolint's README, section "Configure".
"""

from __future__ import annotations

import os
from typing import Any

from dockstrata.errors import DockstrataError

_FILES = (".hadolint.yaml", ".hadolint.yml")
_LEVELS = ("error", "warning", "info", "style")


def find_hadolint(folder: str) -> str | None:
    """hadolint's configuration file in a directory: it looks nowhere else in a repository."""
    for name in _FILES:
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.isfile(path):
            return path
    return None


def read_hadolint(path: str) -> dict[str, Any]:
    """The file as our ``[lint]`` table. Raises :class:`DockstrataError`."""
    data = _yaml(path)
    lint: dict[str, Any] = {}
    if "ignored" in data:
        lint["ignore"] = _strings(path, "ignored", data["ignored"])
    override = data.get("override") or {}
    if not isinstance(override, dict):
        raise DockstrataError("'override' must be a mapping", path)
    severity = {
        code: level
        for level in _LEVELS
        for code in _strings(path, f"override.{level}", override.get(level))
    }
    if severity:
        lint["severity"] = severity
    if "trustedRegistries" in data:
        registries = _strings(path, "trustedRegistries", data["trustedRegistries"])
        lint["trusted-registries"] = registries
    schema = data.get("label-schema")
    if schema is not None:
        if not isinstance(schema, dict):
            raise DockstrataError("'label-schema' must be a mapping", path)
        lint["label-schema"] = {str(name): str(kind or "") for name, kind in schema.items()}
    if "strict-labels" in data:
        lint["strict-labels"] = _boolean(path, "strict-labels", data["strict-labels"])
    if "disable-ignore-pragma" in data:
        off = _boolean(path, "disable-ignore-pragma", data["disable-ignore-pragma"])
        lint["hadolint-comments"] = not off
    if "failure-threshold" in data:
        lint["fail-on"] = _threshold(path, data["failure-threshold"])
    if "no-fail" in data and _boolean(path, "no-fail", data["no-fail"]):
        lint["fail-on"] = "never"
    return lint


def _yaml(path: str) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        with open(path, encoding="utf-8-sig") as file:
            data = YAML(typ="safe", pure=True).load(file)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DockstrataError(f"cannot be read: {reason}", path) from None
    except UnicodeDecodeError:
        raise DockstrataError("is not UTF-8", path) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else None
        raise DockstrataError(f"is not valid YAML: {error.problem}", path, line) from None
    except YAMLError as error:
        raise DockstrataError(f"is not valid YAML: {error}", path) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise DockstrataError("must be a mapping", path)
    return data


def _strings(path: str, key: str, value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise DockstrataError(f"'{key}' must be a list of strings", path)
    return value


def _boolean(path: str, key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise DockstrataError(f"'{key}' must be true or false", path)
    return value


def _threshold(path: str, value: object) -> str:
    # hadolint's lowest levels lie below every rule of ours.
    levels = (*_LEVELS, "ignore", "none")
    if value not in levels:
        raise DockstrataError(f"'failure-threshold' must be one of {', '.join(levels)}", path)
    return "style" if value in ("ignore", "none") else str(value)
