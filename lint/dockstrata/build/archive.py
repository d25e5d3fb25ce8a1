"""What is in an image: its file tree and configuration, read from a ``docker save`` archive.

Sources: the image specification's layer format (whiteouts), Docker's image archive.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

_KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.GNUTYPE_SPARSE: "file",
    tarfile.DIRTYPE: "directory",
    tarfile.SYMTYPE: "symbolic link",
    tarfile.CHRTYPE: "character device",
    tarfile.BLKTYPE: "block device",
    tarfile.FIFOTYPE: "named pipe",
}
_WHITEOUT, _OPAQUE = ".wh.", ".wh..wh..opq"
_XATTR = "SCHILY.xattr."
_CHUNK = 1 << 20
_ZSTD = b"\x28\xb5\x2f\xfd"
# Names of containers and parents, and what only says who built it.
_UNTOLD = frozenset({"Hostname", "Domainname", "Image", "ArgsEscaped"})
_BUILDERS_LABELS = frozenset({"io.buildah.version"})
_TOP = ("architecture", "os", "variant", "author")


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of an image: kind, mode, owner and what it holds; times are left out.

    ``content`` is a file's SHA-256, a link's target, a device's numbers; ``attributes`` are
    extended ones, sorted; ``size`` is a file's, in bytes.
    """

    kind: str
    mode: int
    user: int
    group: int
    content: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    size: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Built:
    """An image: its files by path (without a leading slash), and its configuration."""

    files: dict[str, Entry]
    config: dict[str, Any]


@dataclass(slots=True)
class _Node:
    entry: Entry | None = None
    below: dict[str, _Node] = field(default_factory=dict)


_IMPLIED = Entry("directory", 0o755, 0, 0)
"""A folder that no layer mentions and something lies in."""


def read_archive(path: str) -> Built:
    """The one image in an archive. Raises ``tarfile.TarError``, ``OSError`` or ``ValueError``."""
    with tarfile.open(path) as archive:
        (manifest,) = json.loads(_member(archive, "manifest.json").read())
        config = json.loads(_member(archive, manifest["Config"]).read())
        root = _Node()
        for name in manifest["Layers"]:
            file = _member(archive, name)
            try:
                with tarfile.open(fileobj=file, mode="r|*") as layer:
                    _lay(layer, root)
            except tarfile.ReadError as error:
                raise ValueError(f"its layer {name}: {error}{_hint(archive, name)}") from None
    return Built(dict(_files(root, "")), _told(config))


def _member(archive: tarfile.TarFile, name: str) -> IO[bytes]:
    member = archive.getmember(name)
    if member.issym():  # how older Docker says that two layers are one
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.linkname))
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file of the archive")
    return file


def _hint(archive: tarfile.TarFile, name: str) -> str:
    zstd = _member(archive, name).read(4) == _ZSTD
    return " (zstd is known to Python from 3.14 on)" if zstd else ""


def _lay(layer: tarfile.TarFile, root: _Node) -> None:
    """Put a layer over what is there. A whiteout hides what lower layers have, never its own."""
    fresh: set[str] = set()
    for member in layer:
        path = posixpath.normpath("/" + member.name).lstrip("/")
        folder, _, name = path.rpartition("/")
        if name == _OPAQUE:
            node = _find(root, folder)
            for kept in [name for name in node.below if _join(folder, name) not in fresh]:
                del node.below[kept]
        elif name.startswith(_WHITEOUT):
            hidden = name.removeprefix(_WHITEOUT)
            if _join(folder, hidden) not in fresh:
                _find(root, folder).below.pop(hidden, None)
        else:
            _put(layer, member, path, root)
            while path and path not in fresh:
                fresh.add(path)
                path = path.rpartition("/")[0]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _put(layer: tarfile.TarFile, member: tarfile.TarInfo, path: str, root: _Node) -> None:
    node = _find(root, path)
    if member.islnk():
        node.entry = _find(root, posixpath.normpath("/" + member.linkname).lstrip("/")).entry
        return
    kind = _KINDS.get(member.type, "something else")
    if kind != "directory":
        node.below.clear()
    content = ""
    if kind == "file":
        digest = hashlib.sha256()
        if (file := layer.extractfile(member)) is not None:
            while data := file.read(_CHUNK):
                digest.update(data)
        content = digest.hexdigest()
    elif kind == "symbolic link":
        content = member.linkname
    elif "device" in kind:
        content = f"{member.devmajor}:{member.devminor}"
    headers = member.pax_headers.items()
    attributes = tuple(sorted((k, v) for k, v in headers if k.startswith(_XATTR)))
    mode = 0o777 if kind == "symbolic link" else member.mode & 0o7777
    size = member.size if kind == "file" else 0
    node.entry = Entry(kind, mode, member.uid, member.gid, content, attributes, size)


def _find(root: _Node, path: str) -> _Node:
    node = root
    for name in filter(None, path.split("/")):
        node = node.below.setdefault(name, _Node())
    return node


def _files(node: _Node, path: str) -> Iterator[tuple[str, Entry]]:
    for name, below in node.below.items():
        inner = _join(path, name)
        if below.entry is not None or below.below:
            yield inner, below.entry or _IMPLIED
            yield from _files(below, inner)


def _told(config: dict[str, Any]) -> dict[str, Any]:
    """What of a configuration a Dockerfile decides; the environment by name."""
    inner = config.get("config") or {}
    told = {name: value for name, value in inner.items() if value and name not in _UNTOLD}
    told |= {name: config[name] for name in _TOP if config.get(name)}
    if "Env" in told:
        told["Env"] = dict(item.partition("=")[::2] for item in told["Env"])
    labels = {k: v for k, v in told.get("Labels", {}).items() if k not in _BUILDERS_LABELS}
    if labels:
        told["Labels"] = labels
    else:
        told.pop("Labels", None)
    return told
