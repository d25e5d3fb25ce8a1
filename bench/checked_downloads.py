"""Checksums of ADD that are those of what a server on this machine sends, and wrong ones."""

from __future__ import annotations

import hashlib
from pathlib import Path

from concrete_values import concrete

from dockstrata.meaning.images import Image, image_set
from dockstrata.meaning.library import Library
from dockstrata.source import encode

_KIND = "sha256:"


def put_right(library: Library, server: str) -> int:
    """Write into the Dockerfiles the checksums of what ``server`` sends; how many were written.

    It sends its path (``recorded_set.served``). A checksum stands where it is written out: in the
    flag, or in an argument's default.
    """
    with concrete():
        images = image_set(library.again(carry_shell=True).all()).images
        right = {
            checksum: hashlib.sha256(f"/{url.removeprefix(server)}".encode()).hexdigest()
            for image in images
            for checksum, url in _checked(image)
            if url.startswith(server)
        }
    written = 0
    for path, document in library.documents.items():
        text = document.source.text
        for checksum, digest in right.items():
            text = text.replace(checksum, _KIND + digest)
        if text != document.source.text:
            Path(path).write_bytes(encode(text))
            written += 1
    return written


def checksums(image: Image) -> list[str]:
    """The checksums of an image's own ADDs of one URL each, evaluated with values."""
    return [checksum for checksum, _ in _checked(image)]


def _checked(image: Image) -> list[tuple[str, str]]:
    found = []
    for step in image.steps:
        if step.kind != "ADD":
            continue
        _, items, _, _, options = step.body
        checksum = dict(options).get("checksum", "")  # type: ignore[call-overload]
        for item in items:  # type: ignore[attr-defined]
            if item[0] == "remote" and checksum.startswith(_KIND):
                found.append((checksum, item[1]))
    return found


def spoilt(dockerfile: str, checksum: str) -> str | None:
    """Another file beside a Dockerfile, with another checksum; None where it does not say it."""
    text = Path(dockerfile).read_bytes()
    digits = checksum.removeprefix(_KIND)
    if digits.encode() not in text:
        return None
    other = digits[:-1] + ("0" if digits[-1] != "0" else "1")
    file = dockerfile + ".spoilt"
    Path(file).write_bytes(text.replace(digits.encode(), other.encode()))
    return file
