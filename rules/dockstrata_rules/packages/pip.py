"""How pip is called."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockstrata.syntax.shell import Command, Word

VALUED = frozenset(
    {
        "-c", "--constraint", "-r", "--requirement", "-e", "--editable", "-t", "--target",
        "--platform", "--python-version", "--implementation", "--abi", "--root", "--prefix",
        "--src", "--upgrade-strategy", "--config-settings", "-C", "--global-option",
        "--no-binary", "--only-binary", "--progress-bar", "-i", "--index-url",
        "--extra-index-url", "-f", "--find-links", "--log", "--proxy", "--retries", "--timeout",
        "--exists-action", "--trusted-host", "--cert", "--client-cert", "--cache-dir",
        "--python", "--build", "--use-feature", "--report",
    }
)  # fmt: skip
"""Options that take the next word."""

_NAME = re.compile(r"^pip-?[\d.]*$")
_PYTHON = re.compile(r"^python[\d.]*$")


def is_pip(command: Command) -> bool:
    """Whether the command is pip, also as a module of Python."""
    if _PYTHON.match(command.name):
        return command.values[:2] == ("-m", "pip")
    return bool(_NAME.match(command.name))


def installs(command: Command) -> Sequence[Word]:
    """The words after ``pip install`` (``pipx install`` too); none where it is another."""
    if is_pip(command) or command.name == "pipx":
        return command.after("install")
    return ()
