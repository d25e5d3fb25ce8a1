"""The storage of podman and buildah: where images lie, and a folder for those nobody keeps.

Sources: ``containers-storage.conf``, ``podman info`` and ``buildah info``, as their manual pages
describe them.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Options that decide how layers lie on the disk: the user's are read as they were written.
_LAYERS = ("mount_program", "mountopt", "ignore_chown_errors", "force_mask")


@dataclass(frozen=True, slots=True)
class _Own:
    """The user's storage: its driver, its folder, and the driver's options."""

    driver: str
    root: str
    options: Mapping[str, str]


def storage(program: str, folder: str) -> tuple[dict[str, str], dict[str, str]] | None:
    """Environments of a podman or buildah that writes into ``folder`` alone.

    With the first it reads the user's images too, as docker does; with the second it knows of none.
    ``None`` where it does not do as the environment says: a podman that is the client of another
    machine's service, as on macOS and Windows, keeps its images there.
    """
    own = _own(program)
    others = [own.root, own.options.get("imagestore", "")]
    lines = [f"{name} = {_quoted(own.options[name])}" for name in _LAYERS if name in own.options]
    both = []
    for name, stores in (("shared", [path for path in others if path]), ("bare", [])):
        file = os.path.join(folder, f"{name}.conf")
        with open(file, "w", encoding="utf-8") as handle:
            handle.write(f"[storage]\ndriver = {_quoted(own.driver)}\n")
            handle.write(f"graphroot = {_quoted(os.path.join(folder, 'root'))}\n")
            handle.write(f"runroot = {_quoted(os.path.join(folder, 'run'))}\n")
            handle.write("[storage.options]\n")
            handle.write(f"additionalimagestores = [{', '.join(map(_quoted, stores))}]\n")
            handle.write("\n".join([f"[storage.options.{own.driver}]", *lines, ""]))
        both.append({"CONTAINERS_STORAGE_CONF": file})
    root = os.path.realpath(os.path.join(folder, "root"))
    if any(os.path.realpath(_own(program, variables).root) != root for variables in both):
        return None
    return both[0], both[1]


def _own(program: str, variables: Mapping[str, str] | None = None) -> _Own:
    """What the program says; ``vfs`` without a folder where it does not say."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        done = subprocess.run(
            [program, "info", *(["--format", "json"] if program == "podman" else [])],
            env={**os.environ, **(variables or {})},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        told = {key.lower(): value for key, value in json.loads(done.stdout)["store"].items()}
        options = dict(_options(told.get("graphoptions")))
        return _Own(str(told["graphdrivername"]), str(told["graphroot"]), options)
    return _Own(os.environ.get("STORAGE_DRIVER") or "vfs", "", {})


def _options(told: object) -> Iterator[tuple[str, str]]:
    """Names without the driver's, and values: buildah lists ``driver.name=value``, podman maps."""
    if isinstance(told, list):
        told = dict(str(item).partition("=")[::2] for item in told)
    if isinstance(told, dict):
        for name, value in told.items():
            text = value.get("Executable") if isinstance(value, dict) else value
            if text:
                yield name.rpartition(".")[2], str(text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
