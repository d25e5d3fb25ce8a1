"""A configuration file with a word on each key: values where there are any, comments elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# Key, an example, what it does.
_LINT = (
    ("select", '["ALL"]', "Rules to report: codes, names, prefixes (DL, DL3), BuildKit, ALL."),
    ("extend-select", '["DS004"]', "Rules to report beside those that are on by default."),
    ("ignore", '["DL3008"]', "Rules to leave out everywhere."),
    ("fail-on", '"style"', "The least severity that makes exit code 1; or never."),
    ("exclude", '["vendor/"]', "Files to leave out, in the syntax of .gitignore."),
    ("require-reason", "false", "Ignore comments must say why."),
    ("hadolint-comments", "true", "Hear '# hadolint ignore=' comments."),
    ("trusted-registries", '["docker.io"]', "Registries that FROM may name; empty: any."),
    ("strict-labels", "false", "No labels but those of the label schema."),
    ("max-layers", "127", "The most layers an image may have."),
    ("severity", '{ DL3007 = "error" }', "Another severity for a rule."),
    ("per-file-ignores", '{ "test/**" = ["DL3007"] }', "Rules to leave out in some files."),
    ("label-schema", '{ author = "text" }', "Labels that must be there, and their kinds."),
)
_PLAN = (
    ("max-depth", "4", "Images on a FROM path, external root and image itself included."),
    ("min-images", "2", "Images that a new base must serve."),
    ("min-steps", "1", "Steps other than WORKDIR that a new base must add."),
)


_PLACEMENT = (
    ("bases", '"bases"', "The folder for new bases."),
    ("registry", '"localhost"', "What children say before a base's name."),
    ("tag", '"name"', "Bases' tags: name (readable, stable) or content (a digest)."),
    ("names", '{ debian-curl-git = "tools" }', "Other names for bases than the proposed ones."),
)


def commented_configuration(lint: Mapping[str, Any]) -> str:
    """``dockstrata.toml`` with ``lint``'s values set and every other key as a comment."""
    lines = ["# Configuration of dockstrata. Everything is optional.", "", "[lint]"]
    for key, example, comment in _LINT:
        lines += _entry(key, example, comment, lint)
    lines += ["", "[plan]"]
    for key, example, comment in (*_PLAN, *_PLACEMENT):
        lines += _entry(key, example, comment, {})
    lines += [
        "",
        "# How a Dockerfile is built, where no compose or bake file says so; one table a build.",
        "# [[build]]",
        '# dockerfile = "services/api/Dockerfile"',
        '# context = "."',
        '# args = { VERSION = "2" }',
        '# tags = ["registry.example.com/api"]',
    ]
    return "\n".join(lines) + "\n"


def _entry(key: str, example: str, comment: str, given: Mapping[str, Any]) -> list[str]:
    if key in given:
        return [f"# {comment}", f"{key} = {value(given[key])}"]
    return [f"# {comment}", f"# {key} = {example}"]


def value(given: object) -> str:
    """A value as TOML: strings, numbers, truth values, lists, and tables on one line."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, Mapping):
        pairs = ", ".join(f"{_key(str(name))} = {value(item)}" for name, item in given.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(given, (list, tuple)):
        return "[" + ", ".join(map(value, given)) + "]"
    if isinstance(given, str):
        # TOML's basic strings are JSON's, but for DEL, and surrogate pairs that JSON would write.
        return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(given)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else value(name)
