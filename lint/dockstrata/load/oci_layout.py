"""Which platforms the image in a local OCI layout has (OCI Image Layout and Image Index)."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

from dockstrata.load.witness import witnessed

PREFIX = "oci-layout://"
_DIGEST = re.compile(r"(sha256|sha512):([0-9a-f]{64,128})")
_LARGEST = 4 << 20
_DEPTH = 3
_NAME = "org.opencontainers.image.ref.name"


@witnessed
def layout_platforms(context: str, *folders: str) -> frozenset[str] | None:
    """The platforms of a named context ``oci-layout://PATH[:TAG][@DIGEST]``; ``None``: not known.

    A relative path is looked for in each of ``folders``.
    """
    path, _, digest = context.removeprefix(PREFIX).partition("@")
    folder, colon, tag = path.rpartition(":")
    path, tag = (folder, tag) if colon and "/" not in tag else (path, "")
    for start in folders:
        layout = os.path.join(start, path)
        index = _read(os.path.join(layout, "index.json"))
        if index is not None:
            chosen = [it for it in _manifests(index) if _is_meant(it, tag or "latest", digest)]
            found = [name for it in chosen for name in _platforms(layout, it, 0)]
            known = frozenset(name for name in found if name is not None)
            return known if known and None not in found else None
    return None


def _is_meant(descriptor: dict[str, Any], tag: str, digest: str) -> bool:
    if digest:
        return descriptor.get("digest") == digest
    annotations = descriptor.get("annotations")
    return isinstance(annotations, dict) and annotations.get(_NAME) == tag


def _platforms(layout: str, descriptor: dict[str, Any], depth: int) -> Iterator[str | None]:
    """``os/architecture`` of each image below a descriptor, ``None`` for one not to be told."""
    given = descriptor.get("platform")
    if isinstance(given, dict):
        yield from _named(given)
        return
    blob = _blob(layout, descriptor)
    if blob is None or depth > _DEPTH:
        yield None
    elif "manifests" in blob:
        for below in _manifests(blob):
            yield from _platforms(layout, below, depth + 1)
    else:
        config = blob.get("config")
        found = _blob(layout, config) if isinstance(config, dict) else None
        yield from [None] if found is None else _named(found)


def _named(platform: dict[str, Any]) -> Iterator[str | None]:
    system, architecture = platform.get("os"), platform.get("architecture")
    if not isinstance(system, str) or not isinstance(architecture, str):
        yield None
    elif system != "unknown":  # such are attestations
        yield f"{system}/{architecture}"


def _manifests(index: dict[str, Any]) -> list[dict[str, Any]]:
    listed = index.get("manifests")
    return [it for it in listed if isinstance(it, dict)] if isinstance(listed, list) else []


def _blob(layout: str, descriptor: dict[str, Any]) -> dict[str, Any] | None:
    match = _DIGEST.fullmatch(str(descriptor.get("digest")))
    return _read(os.path.join(layout, "blobs", match[1], match[2])) if match else None


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST + 1)
        content = json.loads(data) if len(data) <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
