"""How yum, dnf and microdnf are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dockstrata.syntax.shell import Command, Shell, Word
from dockstrata_rules.packages.by_run import operands, removed

VALUED = frozenset(
    {
        "--enablerepo", "--disablerepo", "--repo", "--repoid", "--exclude", "-x", "--setopt",
        "--releasever", "--installroot", "--forcearch", "-c", "--config", "-d", "-e",
        "--enableplugin", "--disableplugin", "--rpmverbosity", "--destdir", "--downloaddir",
    }
)  # fmt: skip
_VERSION_AT = frozenset("0123456789$")
_RELATIONS = frozenset({"=", "<", ">", "<=", ">="})


def loose(command: Command) -> list[Word]:
    """The packages of an ``install`` that have no version."""
    words = operands(command.words[1:], VALUED)
    # Not always the first operand: an option that is not known may have a value.
    at = next((index for index, word in enumerate(words) if word.value == "install"), None)
    if at is None:
        return []
    if "module" in [word.value for word in words[:at]]:
        # A stream: `module install nodejs:18`.
        return [word for word in words[at + 1 :] if ":" not in word.value]
    return [word for word in words[at + 1 :] if not _pinned(word.value)]


def _pinned(package: str) -> bool:
    relation = next(iter(package.split()[1:2]), None)
    if relation in _RELATIONS:
        # `"curl >= 8.6"` takes whatever is newest.
        return relation == "="
    if "/" in package or package.endswith(".rpm"):
        return True
    # `curl-7.61` and `curl-$VERSION`, but not `python3-devel`.
    return any(part[:1] in _VERSION_AT for part in package.split("-")[1:] if part)


def installs(command: Command) -> bool:
    """Whether the command installs packages."""
    return bool({"install", "groupinstall", "localinstall", "reinstall"} & set(command.values))


def cleaned(
    shell: Shell, commands: Sequence[Command], filling: Iterable[Command], *caches: str
) -> bool:
    """Whether the script cleans up behind the last of the commands that fill the caches."""
    after = max((command.start for command in filling), default=0)
    cleans = any("clean" in command.values and command.start >= after for command in commands)
    return cleans or removed(shell, *caches, after=after)
