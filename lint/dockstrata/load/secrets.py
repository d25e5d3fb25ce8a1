"""Secrets and ssh agents: which ones RUN mounts, and which ones a build is given.

Source: BuildKit's ``RUN --mount`` and the builders' ``--secret`` and ``--ssh`` options.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dockstrata.load.discover import tidy
from dockstrata.syntax.flags import csv_fields
from dockstrata.syntax.nodes import Document, Instruction


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by its id, and where its value comes from: a file, as the user would write its
    path, or a variable of the builder's environment. Without either the builder looks for a
    variable, then for a file, of the id's name."""

    id: str
    file: str = ""
    variable: str = ""


@dataclass(frozen=True, slots=True)
class Mounted:
    """The ids of what a Dockerfile's RUN instructions mount, in the order of their first use."""

    secrets: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()


def mounted(document: Document) -> Mounted:
    """What the RUN instructions of a file mount; an id that a variable decides is left out."""
    return mounted_by(document.instructions)


def mounted_by(instructions: Iterable[Instruction]) -> Mounted:
    secrets: dict[str, None] = {}
    agents: dict[str, None] = {}
    for node in instructions:
        node = node.trigger or node
        for value in node.all_flags("mount") if node.keyword == "RUN" else ():
            options = _options(value)
            if options.get("type") == "secret":
                name = options.get("id") or options.get("source")
                secrets[name or posixpath.basename(options.get("target", ""))] = None
            elif options.get("type") == "ssh":
                agents[options.get("id") or options.get("source") or "default"] = None
    return Mounted(
        tuple(name for name in secrets if name and "$" not in name),
        tuple(name for name in agents if "$" not in name),
    )


def _options(value: str) -> dict[str, str]:
    """A mount's options by name, other spellings of a name resolved."""
    try:
        fields = csv_fields(value)
    except ValueError:
        return {}
    options: dict[str, str] = {}
    for field in fields:
        name, _, given = field.partition("=")
        name = name.lower()
        name = {"src": "source", "dst": "target", "destination": "target"}.get(name, name)
        options[name] = given
    return options


def given_secret(text: str, base: str) -> Secret | None:
    """A secret as ``--secret`` and bake files write it: ``id=npm,src=path``, ``id=npm,env=NAME``.

    The path is relative to the folder ``base``. ``None`` where it has no id.
    """
    options = _options(text)
    if not options.get("id"):
        return None
    file, variable = options.get("source", ""), options.get("env", "")
    if options.get("type") == "env" and not variable:
        file, variable = "", file  # the builders take src for the variable's name then
    return secret_from(options["id"], file, variable, base)


def secret_from(name: str, file: str, variable: str, base: str) -> Secret:
    """A secret with its file as seen from the working directory."""
    return Secret(name, _moved(file, lambda path: tidy(os.path.join(base, path))), variable)


def ssh_from(text: str, base: str) -> str:
    """An agent as ``--ssh`` takes it (``default``, ``id=key,key``), its keys and sockets as seen
    from the working directory."""
    return _each_path(text, lambda path: tidy(os.path.join(base, path)))


def agent_id(text: str) -> str:
    """The id of an agent as ``--ssh`` takes it."""
    return text.partition("=")[0]


def seen_from(file: str, folder: str) -> str:
    """A secret's file, in the working directory's terms, as ``folder`` would write it."""
    return _moved(file, lambda path: os.path.relpath(path, folder or ".").replace(os.sep, "/"))


def ssh_seen_from(text: str, folder: str) -> str:
    """An agent, as :func:`seen_from` has a secret's file."""
    return _each_path(text, lambda path: seen_from(path, folder))


def _each_path(text: str, change: Callable[[str], str]) -> str:
    name, equals, paths = text.partition("=")
    if not equals:
        return text
    return f"{name}={','.join(_moved(path, change) for path in paths.split(','))}"


def _moved(path: str, change: Callable[[str], str]) -> str:
    """What is the same from everywhere stays: a home directory's, an absolute one, none."""
    return path if not path or path.startswith("~") or os.path.isabs(path) else change(path)


def secret_fields(fields: Mapping[str, object], base: str) -> Secret | None:
    """A secret as an object of a bake file: ``{id = "npm", src = "path"}``."""
    text = {key: value for key, value in fields.items() if isinstance(value, str)}
    if not text.get("id"):
        return None
    return secret_from(text["id"], text.get("src", ""), text.get("env", ""), base)


def ssh_fields(fields: Mapping[str, object]) -> str:
    """An agent as an object of a bake file, ``{id = "default", paths = ["key"]}``, in one word."""
    name, listed = fields.get("id"), fields.get("paths")
    paths = [path for path in listed if isinstance(path, str)] if isinstance(listed, list) else []
    return f"{name or 'default'}={','.join(paths)}" if paths else str(name or "default")
