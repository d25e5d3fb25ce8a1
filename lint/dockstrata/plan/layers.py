"""Measured layers: which instruction made a layer of an image, and how large it is.

A source is what a user names: the output of ``docker history``, ``podman history`` or ``buildah
inspect``; an OCI layout, a folder or an archive; an archive of ``docker save``; ``docker://``, an
image in a registry. Only manifests and configurations are read, never layers.

Sources: OCI image specification (layout, index, manifest, configuration), Docker's image archive,
containers-transports(5) for the names of sources.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dockstrata.errors import DockstrataError
from dockstrata.meaning.stage import canonical_image

_BROKEN: tuple[type[Exception], ...] = (tarfile.TarError, zlib.error, OSError, EOFError, KeyError)
with contextlib.suppress(ImportError):  # a Python may have been built without it
    from lzma import LZMAError

    _BROKEN += (LZMAError,)

LARGEST = 4 << 20
"""Bytes that a manifest or configuration may have; registries allow as much."""
_LARGEST_HISTORY = 64 << 20
_MOST_MEMBERS = 200_000
_MOST_IMAGES = 1000
_MOST_SHOWN = 20
_DEEPEST = 3  # indexes in indexes
_TRANSPORTS = ("oci:", "oci-archive:", "docker-archive:")
_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")
"""Annotations that name an image in a layout."""
_SIZE = re.compile(r"^([\d.]+)\s*([kKMGT]?)(i?)B?$")
_DIGEST = re.compile(r"^(sha256|sha512):([0-9a-f]{64}|[0-9a-f]{128})$")
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


@dataclass(frozen=True, slots=True)
class Layer:
    """What an instruction left behind: its text as the builder wrote it, its size in bytes; 0
    where it is known to have made no layer, and is ``empty``."""

    created_by: str
    size: float
    empty: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """The layers of an image, from the root on, the names that it has where it lies, and the
    source that tells of it."""

    layers: tuple[Layer, ...]
    names: tuple[str, ...] = ()
    source: str = ""


Fetch = Callable[[str, str], bytes]
"""The bytes of a digest among ``manifests`` or ``blobs``, as registries divide them."""


def read_images(source: str) -> list[Image]:
    """The images that a source tells of; raises :class:`DockstrataError`, which names it."""
    try:
        return [replace(image, source=source) for image in _read(source)]
    except _BadImageError as error:
        raise DockstrataError(str(error), source) from None
    except RecursionError:
        raise DockstrataError("is nested too deeply", source) from None


class _BadImageError(Exception):
    """Why something is no image that can be measured."""


def _read(source: str) -> Iterator[Image]:
    if source.startswith("docker://"):
        from dockstrata.plan.registry import open_image

        name = source.removeprefix("docker://")
        yield from _images(*open_image(name), (name,))
        return
    path, wanted = _path(source)
    if os.path.isdir(path):
        yield from _layout(lambda name: _file(os.path.join(path, *name.split("/"))), wanted)
    elif not os.path.exists(path):
        raise _BadImageError("no such file or directory")
    elif not os.path.isfile(path):
        raise _BadImageError("is neither a file nor a folder")
    elif tarfile.is_tarfile(path):
        yield from _archive(path, wanted)
    elif wanted:
        raise _BadImageError(f"has no image '{wanted}': it is neither a layout nor an archive")
    else:
        yield from _history(_text(path))


def _path(source: str) -> tuple[str, str]:
    """The path in ``PATH``, ``PATH:NAME``, ``oci:PATH:NAME`` and the like, and the name."""
    if os.path.exists(source):
        return source, ""
    for name in _TRANSPORTS:
        source = source.removeprefix(name)
    path, wanted = source, ""
    while path and not os.path.exists(path):
        path = path.rpartition(":")[0]
        wanted = source[len(path) + 1 :]
    return (path, wanted) if path else (source, "")


def _chosen(found: Mapping[str, Sequence[str]], wanted: str) -> list[str]:
    """The keys of what has the wanted one among its names, of everything where none is."""
    if not wanted:
        return list(found)
    same = {wanted, canonical_image(wanted)}
    chosen = [
        key
        for key, names in found.items()
        if any(name in same or canonical_image(name) in same for name in names)
    ]
    if not chosen:
        there = sorted({name for names in found.values() for name in names})
        more = ", …" if len(there) > _MOST_SHOWN else ""
        shown = f"only {', '.join(there[:_MOST_SHOWN])}{more}" if there else "none there has a name"
        raise _BadImageError(f"has no image '{wanted}', {shown}")
    return chosen


def _file(path: str) -> bytes | None:
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return file.read(LARGEST + 1)


def _archive(path: str, wanted: str) -> Iterator[Image]:
    """An OCI layout in an archive, or what ``docker save`` writes. Nothing is unpacked."""
    try:
        with tarfile.open(path) as archive:
            members: dict[str, tarfile.TarInfo] = {}
            for member in archive:
                members[os.path.normpath(member.name)] = member
                if len(members) > _MOST_MEMBERS:
                    raise _BadImageError(f"has more than {_MOST_MEMBERS} members")

            def read(name: str) -> bytes | None:
                member = members.get(os.path.normpath(name))
                file = archive.extractfile(member) if member is not None else None
                return None if file is None else file.read(LARGEST + 1)

            if "index.json" in members:
                yield from _layout(read, wanted)
            else:
                yield from _saved(read, members, wanted)
    except _BROKEN as error:
        raise _BadImageError(f"is a broken archive: {error}") from None


def _saved(
    read: Callable[[str], bytes | None], members: Mapping[str, tarfile.TarInfo], wanted: str
) -> Iterator[Image]:
    """The images of an older ``docker save``: layers are members of their own."""
    data = read("manifest.json")
    if data is None:
        raise _BadImageError("is neither an OCI layout nor an archive of docker save")
    listed = _objects(_json(data, "manifest.json"))[:_MOST_IMAGES]
    names = {str(at): _strings(image.get("RepoTags")) for at, image in enumerate(listed)}
    for at in _chosen(names, wanted):
        image = listed[int(at)]
        sizes: list[float] = []
        for name in _strings(image.get("Layers")):
            member = members.get(os.path.normpath(name))
            if member is not None and member.issym():  # two layers that are one
                target = os.path.join(os.path.dirname(name), member.linkname)
                member = members.get(os.path.normpath(target))
            if member is None:
                raise _BadImageError(f"lacks its layer {name}")
            sizes.append(member.size)
        name = str(image.get("Config"))
        config = read(name)
        if config is None:
            raise _BadImageError(f"lacks its configuration {name}")
        yield _layers(_json(config, name), sizes, names[at])


def _layout(read: Callable[[str], bytes | None], wanted: str) -> Iterator[Image]:
    """The images of an OCI layout, or those of the name that is wanted."""

    def fetch(kind: str, digest: str) -> bytes:
        match = _DIGEST.match(digest)
        if match is None:
            raise _BadImageError(f"names a blob '{digest[:80]}', which is no digest")
        data = read(f"blobs/{match[1]}/{match[2]}")
        if data is None:
            raise _BadImageError(f"lacks the blob {digest}")
        return data

    data = read("index.json")
    if data is None:
        raise _BadImageError("is a folder without index.json, so no OCI layout")
    listed = _objects(_object(_json(data, "index.json"), "index.json").get("manifests"))
    if not listed:
        raise _BadImageError("has no image")
    names: dict[str, list[str]] = {}
    for descriptor in listed[:_MOST_IMAGES]:
        annotations = descriptor.get("annotations")
        told = annotations if isinstance(annotations, dict) else {}
        mine = names.setdefault(str(descriptor.get("digest")), [])
        mine += _strings([told.get(key) for key in _NAMES])
    for digest in _chosen(names, wanted):
        yield from _images(digest, fetch, names[digest])


def _images(digest: str, fetch: Fetch, names: Sequence[str], depth: int = 0) -> Iterator[Image]:
    """The image of a manifest; of an index the one for this machine, else the first."""
    data = _checked(fetch("manifests", digest), digest)
    manifest = _object(_json(data, digest), digest)
    if "manifests" in manifest:
        chosen = _for_this_machine(_objects(manifest["manifests"]))
        if chosen is None or depth >= _DEEPEST:
            raise _BadImageError("has an index without an image")
        yield from _images(str(chosen.get("digest")), fetch, names, depth + 1)
        return
    config, layers = manifest.get("config"), _objects(manifest.get("layers"))
    if not isinstance(config, dict):
        raise _BadImageError("has a manifest of a kind that tells no sizes of layers")
    name = str(config.get("digest"))
    sizes = [_number(layer.get("size")) for layer in layers]
    yield _layers(_json(_checked(fetch("blobs", name), name), name), sizes, names)


def _for_this_machine(manifests: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    machine = platform.machine().lower()
    wanted = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    able = []
    for manifest in manifests:
        told = manifest.get("platform")
        told = told if isinstance(told, dict) else {}
        if told.get("os") == "unknown":  # an attestation
            continue
        if told.get("os") == "linux" and told.get("architecture") == wanted:
            return manifest
        able.append(manifest)
    return able[0] if able else None


def _layers(config: object, sizes: Sequence[float], names: Sequence[str]) -> Image:
    """Each entry of a configuration's history with its layer."""
    history = _objects(_object(config, "its configuration").get("history"))
    if not history:
        raise _BadImageError("has no history: nothing tells which instruction made which layer")
    made = [entry for entry in history if not entry.get("empty_layer")]
    if len(made) != len(sizes):
        raise _BadImageError(f"has {len(sizes)} layers, and a history of {len(made)}")
    left = iter(sizes)
    layers = []
    for entry in history:
        empty = bool(entry.get("empty_layer"))
        created = str(entry.get("created_by", ""))
        layers.append(Layer(created, 0.0 if empty else next(left), empty))
    return Image(tuple(layers), tuple(names))


def _text(path: str) -> str:
    with open(path, "rb") as file:
        data = file.read(_LARGEST_HISTORY + 1)
    if len(data) > _LARGEST_HISTORY:
        raise _BadImageError(f"is larger than {_LARGEST_HISTORY >> 20} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _BadImageError("is neither JSON nor an image") from None


def _history(text: str) -> Iterator[Image]:
    """What a command printed: one JSON value, or an object a line, the newest layer first."""
    try:
        value = json.loads(text)
    except ValueError:
        records: list[object] = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                records.append(_json(line.encode(), f"line {number}"))
        yield _told(records)
        return
    if isinstance(value, dict) and isinstance(value.get("Manifest"), str):  # buildah inspect
        manifest = _object(_json(value["Manifest"].encode(), "its Manifest"), "its Manifest")
        sizes = [_number(layer.get("size")) for layer in _objects(manifest.get("layers"))]
        names = _strings([value.get("FromImage")])
        yield _layers(_json(str(value.get("Config")).encode(), "its Config"), sizes, names)
        return
    yield _told(value if isinstance(value, list) else [value])


def _told(records: Sequence[object]) -> Image:
    layers: list[Layer] = []
    names: list[str] = []
    for record in records:
        if isinstance(record, dict) and "RootFS" in record:
            raise _BadImageError(
                "is output of docker inspect, which has no sizes of layers; take that of"
                " docker history --no-trunc --format json"
            )
        told = {k.lower(): v for k, v in record.items()} if isinstance(record, dict) else {}
        if "createdby" not in told or (size := _bytes(told.get("size"))) is None:
            raise _BadImageError(
                "is no output of docker history --no-trunc --format json, and no image"
            )
        created = str(told["createdby"])
        if created.endswith("…"):
            raise _BadImageError("has instructions that are cut short; add --no-trunc")
        if not layers:  # the newest layer has the image's own names, where podman tells them
            names = _strings(told.get("tags"))
        layers.append(Layer(created, size))
    if not layers:
        raise _BadImageError("is empty")
    return Image(tuple(layers[::-1]), tuple(names))


def _bytes(size: object) -> float | None:
    """A size as people or programs are told it: ``1.98MB``, ``2078404``."""
    match = _SIZE.match(str(size))
    try:
        return None if match is None else float(match[1]) * _base(match) ** _POWERS[match[2]]
    except ValueError:  # several points
        return None


def _base(match: re.Match[str]) -> int:
    return 1024 if match[3] else 1000


def _checked(data: bytes, digest: str) -> bytes:
    """The bytes, where they are what the digest says."""
    match = _DIGEST.match(digest)
    if len(data) > LARGEST:
        raise _BadImageError(f"has a manifest or configuration of more than {LARGEST >> 20} MiB")
    if match is not None and hashlib.new(match[1], data).hexdigest() != match[2]:
        raise _BadImageError(f"has other bytes than {digest} says")
    return data


def _json(data: bytes, name: str) -> object:
    try:
        value: object = json.loads(data)
    except ValueError:
        raise _BadImageError(f"is no image: {name[:80]} is not JSON") from None
    return value


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _BadImageError(f"is no image: {name[:80]} is no JSON object")
    return value


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [it for it in value if isinstance(it, dict)] if isinstance(value, list) else []


def _strings(value: object) -> list[str]:
    return [it for it in value if isinstance(it, str)] if isinstance(value, list) else []


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise _BadImageError("has a layer without a size")
    return float(value)
