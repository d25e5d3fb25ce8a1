"""How yum, dnf and microdnf are called."""

from __future__ import annotations

from collections.abc import Iterable

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


def loose(command: Command) -> list[Word]:
    """The packages of an ``install`` that have no version."""
    words = operands(command.words[1:], VALUED)
    if not words:
        return []
    if words[0].value == "module":
        # A stream: `module install nodejs:18`.
        wanted = words[2:] if [w.value for w in words[1:2]] == ["install"] else []
        return [word for word in wanted if ":" not in word.value]
    if words[0].value != "install":
        return []
    return [word for word in words[1:] if not _pinned(word.value)]


def _pinned(package: str) -> bool:
    if "/" in package or package.endswith(".rpm"):
        return True
    # `curl-7.61` and `curl-$VERSION`, but not `python3-devel`.
    return any(part[:1] in _VERSION_AT for part in package.split("-")[1:] if part)


def installs(command: Command) -> bool:
    """Whether the command installs packages."""
    return bool({"install", "groupinstall", "localinstall", "reinstall"} & set(command.values))


def cleaned(shell: Shell, commands: Iterable[Command], *caches: str) -> bool:
    """Whether the script cleans up after the package manager."""
    return any("clean" in command.values for command in commands) or removed(shell, *caches)
