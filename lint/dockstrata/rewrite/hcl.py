"""Bake files in HCL: targets, groups and variables as text.

Source: Docker's bake file reference; ``dockerfile`` is resolved against ``context``, and an
argument whose value is null keeps the Dockerfile's default.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dockstrata.load.secrets import Secret, seen_from, ssh_seen_from
from dockstrata.meaning.library import WRITTEN

HEADER = f"{WRITTEN}; the next `dockstrata apply` writes it again."
_IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_RESERVED = frozenset({"null", "true", "false", "for", "in", "if", "else", "endif", "endfor"})
# What shells and CI systems export anyway: bake takes each variable from the environment.
_SESSION = re.compile(
    r"(CI|COLUMNS|DISPLAY|EDITOR|GID|GROUP|HOME|HOST|HOSTNAME|LANG|LANGUAGE|LC_\w+|LINES|LOGNAME|MAIL"
    r"|OLDPWD|PAGER|PATH|PWD|SHELL|SHLVL|TERM|TMPDIR|TZ|UID|USER|USERNAME|VISUAL|XDG_\w+)"
)


_NEEDED = re.compile(r"^# Needs the secret (.+): a variable", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Target:
    """One image to build. ``contexts`` are its named contexts, ``arguments`` the build arguments:
    a value, or ``None`` for the variable of that name."""

    name: str
    dockerfile: str
    context: str
    tags: tuple[str, ...] = ()
    stage: str | None = None
    contexts: tuple[tuple[str, str], ...] = ()
    arguments: tuple[tuple[str, str | None], ...] = ()
    platforms: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    ssh: tuple[str, ...] = ()


def is_variable(name: str) -> bool:
    """Whether HCL can name a variable so."""
    return bool(_IDENTIFIER.match(name)) and name not in _RESERVED


def variable(argument: str) -> str:
    """The variable that a build argument is forwarded as."""
    return f"ARG_{argument}" if _SESSION.fullmatch(argument) else argument


def target_names(paths: Iterable[str], taken: Iterable[str]) -> list[str]:
    """A target name for each Dockerfile, told by its path, in the same order."""
    used = Counter(taken)
    names: list[str] = []
    for path in paths:
        folder, _, file = path.rpartition("/")
        shown = folder if file in ("Dockerfile", "Containerfile") and folder else path
        stem = re.sub(r"[^A-Za-z0-9_]+", "-", shown).strip("-") or "image"
        name, number = stem, 2
        while used[name]:
            name = f"{stem}-{number}"
            number += 1
        used[name] += 1
        names.append(name)
    return names


def bake_command(path: str, ssh: bool) -> str:
    """What builds a bake file's targets; buildx forwards an agent only where that is allowed."""
    return f"docker buildx bake {'--allow=ssh ' if ssh else ''}-f {path}"


def command_of(text: str) -> str:
    """The command that a bake file of ours says it is run with."""
    return text.partition("\n#   ")[2].partition("\n")[0]


def secrets_needed(text: str) -> list[str]:
    """The secrets that a bake file of ours has for nobody says where, sorted."""
    return sorted(set(_NEEDED.findall(text)))


def bake_text(
    bases: Sequence[Target],
    children: Sequence[Target],
    others: Sequence[Target],
    root: str,
    path: str,
) -> str:
    """The bake file at ``path``, run from ``root``; all paths are as the user writes them."""
    targets = [*bases, *children, *others]
    variables = {
        variable(name) for target in targets for name, value in target.arguments if value is None
    }
    command = bake_command(_relative(path, root), any(target.ssh for target in targets))
    lines = [
        HEADER,
        "# Builds every base image and every image on one, in order. From this repository's root:",
        f"#   {command}",
        "# Every image of the repository, those on no base too:",
        f"#   {command} all",
        "",
    ]
    for name in sorted(variables):
        lines += [f'variable "{name}" {{', "  default = null", "}", ""]
    lines += _group("default", children or bases)
    lines += _group("bases", bases)
    lines += _group("all", targets)
    for target in targets:
        lines += _target(target, root)
    return "\n".join(lines)


def _group(name: str, targets: Sequence[Target]) -> list[str]:
    shown = [f"    {_quote(target.name)}," for target in targets]
    return [f'group "{name}" {{', "  targets = [", *shown, "  ]", "}", ""]


def _target(target: Target, root: str) -> list[str]:
    # Whoever sees the builder look for a file of this name should find here why.
    unknown = [s.id for s in target.secrets if not s.file and not s.variable]
    lines = [
        f"# Needs the secret {name}: a variable of that name in the environment, or a file."
        for name in unknown
    ]
    lines += [
        f'target "{target.name}" {{',
        f"  context = {_quote(_relative(target.context, root))}",
        f"  dockerfile = {_quote(_relative(target.dockerfile, target.context))}",
    ]
    if target.stage is not None:
        lines.append(f"  target = {_quote(target.stage)}")
    if target.tags:
        lines.append(f"  tags = {_list(target.tags)}")
    if target.platforms:
        lines.append(f"  platforms = {_list(target.platforms)}")
    if target.secrets:
        lines.append(f"  secret = {_list(_secret(secret, root) for secret in target.secrets)}")
    if target.ssh:
        lines.append(f"  ssh = {_list(ssh_seen_from(agent, root) for agent in target.ssh)}")
    if target.contexts:
        lines.append("  contexts = {")
        lines += [f"    {_quote(name)} = {_quote(value)}" for name, value in target.contexts]
        lines.append("  }")
    if target.arguments:
        lines.append("  args = {")
        for name, value in target.arguments:
            lines.append(f"    {name} = {variable(name) if value is None else _quote(value)}")
        lines.append("  }")
    return [*lines, "}", ""]


def _secret(secret: Secret, root: str) -> str:
    """A secret as ``--secret`` takes it; by its id alone the builder finds a variable or file."""
    if secret.variable:
        return f"id={secret.id},env={secret.variable}"
    if secret.file:
        return f"id={secret.id},src={seen_from(secret.file, root)}"
    return f"id={secret.id}"


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(map(_quote, items))}]"


def _relative(path: str, start: str) -> str:
    return os.path.relpath(path or ".", start or ".").replace(os.sep, "/")


def _quote(text: str) -> str:
    """An HCL string literal: no template, no escape of the text's own is left alive."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + text.replace("${", "$${").replace("%{", "%%{") + '"'
