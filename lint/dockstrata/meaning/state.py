"""What is in force at a point of a stage: environment, user, working directory, shell."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

DEFAULT_SHELL = ("/bin/sh", "-c")


class State(NamedTuple):
    """The context of the next step.

    ``env`` holds build arguments too, in the order in which BuildKit's state has them: what is
    set again moves to the end. ``arguments`` are the names that came from ARG and were not
    covered by ENV since. ``None`` for user and ``workdir``'s symbol: whatever the root image says.
    """

    env: Mapping[str, str] = MappingProxyType({})
    arguments: frozenset[str] = frozenset()
    user: str | None = None
    workdir: str = ""
    shell: tuple[str, ...] = DEFAULT_SHELL
    shell_set: bool = False

    def env_items(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.env.items())


def with_env(env: Mapping[str, str], name: str, value: str) -> dict[str, str]:
    """``env`` with ``name`` set, as the last one."""
    changed = {key: old for key, old in env.items() if key != name}
    changed[name] = value
    return changed
