"""What makes two runs' rules the same: a digest of the program that would run them.

Contents count, not versions or times: whoever edits a rule where it is installed gets its new
results at once, and a cache that CI brings back serves a fresh installation.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from types import ModuleType

from dockstrata import STARTED
from dockstrata.registry import Registry

_METADATA = (".dist-info", ".egg-info")
# The clocks of file systems are coarse.
_MARGIN = 1.0


def packages_of(registry: Registry) -> frozenset[str]:
    """The packages that have the engine's code and the rules'."""
    return frozenset({"dockstrata", *(rule.module.partition(".")[0] for rule in registry.rules)})


def program_digest(packages: Iterable[str]) -> bytes | None:
    """A digest of Python, of what is installed, and of everything in these imported packages.

    Modules that are imported from outside of any installed distribution are read too.
    ``None`` where the packages' files are not to be seen, or have changed since this process
    began: what is loaded is then something else.
    """
    digest = blake2b(digest_size=20)
    for part in (sys.version, sys.platform, *_installed()):
        _add(digest.update, part.encode("utf-8", "surrogateescape"))
    try:
        files = [
            found for package in sorted(set(packages)) for found in _files(sys.modules[package])
        ]
        for name, path in (*files, *sorted(loose_modules(packages))):
            _add(digest.update, name.encode("utf-8", "surrogateescape"))
            with open(path, "rb") as file:
                status = os.fstat(file.fileno())
                if max(status.st_mtime, status.st_ctime) > STARTED - _MARGIN:
                    return None
                _add(digest.update, file.read())
    except (OSError, KeyError):
        return None
    return digest.digest()


def loose_modules(packages: Iterable[str]) -> set[tuple[str, str]]:
    """Name and file of each imported module that is neither Python's, nor installed, nor of these.

    That is code whose version nobody keeps: a checkout on the path.
    """
    known = {*packages, *sys.stdlib_module_names, "__main__", "__mp_main__"}
    roots = tuple(os.path.join(folder, "") for folder in _folders() if _names(folder))
    found: set[tuple[str, str]] = set()
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path is None or name.partition(".")[0] in known or path.startswith(roots):
            continue
        found.add((name, path))
    return found


def _add(update: Callable[[bytes], None], data: bytes) -> None:
    update(len(data).to_bytes(8, "big"))
    update(data)


def _folders() -> Iterator[str]:
    return iter(dict.fromkeys(map(os.path.abspath, sys.path)))


def _names(folder: str) -> list[str]:
    """The distributions in a folder of the path, with their versions."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(_METADATA))
    except OSError:
        return []


def _installed() -> Iterator[str]:
    for folder in _folders():
        yield from _names(folder)


def _files(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The files of a package, data too, by their name in it and in order; of a module its own."""
    folders = list(getattr(module, "__path__", ()))
    if not folders:
        file = getattr(module, "__file__", None)
        if file is None:
            raise KeyError(module.__name__)
        yield module.__name__, file
    for folder in folders:
        yield from _below(folder, module.__name__)


def _below(folder: str, name: str) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        inside = f"{name}/{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _below(entry.path, inside)
        elif entry.is_file():
            yield inside, entry.path
