"""The bake file that builds bases and children in order, each child with its base as a context.

Source: Docker's bake file reference; ``dockerfile`` is resolved against ``context``, and an
argument whose value is null keeps the Dockerfile's default.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dockstrata.syntax.nodes import Document

HEADER = "# Written by dockstrata; the next `dockstrata apply` writes it again."
_IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_RESERVED = frozenset({"null", "true", "false", "for", "in", "if", "else", "endif", "endfor"})


@dataclass(frozen=True, slots=True)
class Target:
    """One Dockerfile to build. ``uses`` are references of bases that its stages are built on."""

    name: str
    dockerfile: str
    context: str
    tags: tuple[str, ...]
    uses: tuple[str, ...]
    arguments: tuple[str, ...]


def arguments_of(document: Document) -> tuple[str, ...]:
    """The build arguments that a Dockerfile declares and HCL can name, sorted."""
    names = {
        word.partition("=")[0]
        for node in document.instructions
        if node.keyword == "ARG"
        for word in node.arguments
    }
    return tuple(
        sorted(name for name in names if _IDENTIFIER.match(name) and name not in _RESERVED)
    )


def target_names(paths: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """A target name for each Dockerfile, told by its path."""
    used = Counter(taken)
    names: dict[str, str] = {}
    for path in paths:
        folder, _, file = path.rpartition("/")
        shown = folder if file in ("Dockerfile", "Containerfile") and folder else path
        name = re.sub(r"[^A-Za-z0-9_]+", "-", shown).strip("-") or "image"
        used[name] += 1
        names[path] = name if used[name] == 1 else f"{name}-{used[name]}"
    return names


def bake_text(bases: Iterable[Target], children: Iterable[Target], root: str, path: str) -> str:
    """The bake file at ``path``, run from ``root``; all paths are as the user writes them."""
    bases, children = list(bases), list(children)
    by_ref = {ref: target.name for target in bases for ref in target.tags}
    file = _relative(path, root)
    lines = [
        HEADER,
        "# Builds every base image and every image on one, in order. From this repository's root:",
        f"#   docker buildx bake -f {file}",
        "",
    ]
    for name in sorted({name for target in (*bases, *children) for name in target.arguments}):
        lines += [f'variable "{name}" {{', "  default = null", "}", ""]
    lines += _group("default", [target.name for target in (children or bases)])
    lines += _group("bases", [target.name for target in bases])
    for target in (*bases, *children):
        lines += _target(target, by_ref, root)
    return "\n".join(lines)


def _group(name: str, targets: Iterable[str]) -> list[str]:
    shown = [f"    {_quote(target)}," for target in targets]
    return [f'group "{name}" {{', "  targets = [", *shown, "  ]", "}", ""]


def _target(target: Target, by_ref: Mapping[str, str], root: str) -> list[str]:
    lines = [
        f'target "{target.name}" {{',
        f"  context = {_quote(_relative(target.context, root))}",
        f"  dockerfile = {_quote(_relative(target.dockerfile, target.context))}",
    ]
    if target.tags:
        lines.append(f"  tags = [{', '.join(map(_quote, target.tags))}]")
    if target.uses:
        lines.append("  contexts = {")
        lines += [f"    {_quote(ref)} = {_quote('target:' + by_ref[ref])}" for ref in target.uses]
        lines.append("  }")
    if target.arguments:
        lines.append("  args = {")
        lines += [f"    {name} = {name}" for name in target.arguments]
        lines.append("  }")
    return [*lines, "}", ""]


def _relative(path: str, start: str) -> str:
    return os.path.relpath(path or ".", start or ".").replace(os.sep, "/")


def _quote(text: str) -> str:
    """An HCL string literal: no template, no escape of the text's own is left alive."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + text.replace("${", "$${").replace("%{", "%%{") + '"'
