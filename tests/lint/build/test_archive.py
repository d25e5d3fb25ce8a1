"""Images read from archives: layers laid over each other, and the first difference of two."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from dockstrata.build.archive import Built, Entry, read_archive
from dockstrata.build.compare import first_difference


def layer(*members: tuple[str, str, str]) -> bytes:
    """A tar of (kind, name, content or target); every file has mode 640 and owner 1:2."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for kind, name, content in members:
            info = tarfile.TarInfo(name)
            info.mode, info.uid, info.gid, info.mtime = 0o640, 1, 2, len(name)
            info.type = {
                "file": tarfile.REGTYPE,
                "dir": tarfile.DIRTYPE,
                "link": tarfile.SYMTYPE,
                "same": tarfile.LNKTYPE,
                "pipe": tarfile.FIFOTYPE,
            }[kind]
            if kind in ("link", "same"):
                info.linkname = content
            body = content.encode() if kind == "file" else b""
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return data.getvalue()


def image(folder: Path, config: dict[str, object], *layers: bytes) -> Built:
    path = folder / "image.tar"
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    with tarfile.open(path, "w") as tar:
        manifest = json.dumps([{"Config": "c.json", "Layers": names}]).encode()
        for name, data in (
            ("manifest.json", manifest),
            ("c.json", json.dumps(config).encode()),
            *zip(names, layers, strict=True),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return read_archive(str(path))


def test_layers_lie_over_each_other(tmp_path: Path) -> None:
    built = image(
        tmp_path,
        {},
        layer(
            ("dir", "a/", ""),
            ("file", "a/one", "1"),
            ("file", "a/two", "2"),
            ("file", "b/gone", "x"),
            ("file", "b/kept", "x"),
            ("dir", "c", ""),
            ("file", "c/below", "x"),
        ),
        layer(
            ("file", "a/new", "new"),
            ("file", "a/.wh..wh..opq", ""),
            ("file", "b/.wh.gone", ""),
            ("file", "b/.wh.never", ""),
            ("link", "c", "b"),
            ("same", "b/again", "b/kept"),
            ("pipe", "./pipe", ""),
        ),
    )
    one = Entry("file", 0o640, 1, 2, hashlib.sha256(b"x").hexdigest())
    assert sorted(built.files) == ["a", "a/new", "b", "b/again", "b/kept", "c", "pipe"]
    assert built.files["b/again"] == built.files["b/kept"] == one
    assert built.files["b"] == Entry("directory", 0o755, 0, 0)
    assert built.files["c"] == Entry("symbolic link", 0o777, 1, 2, "b")
    assert built.files["pipe"].kind == "named pipe"


def test_configuration_without_what_changes_by_itself(tmp_path: Path) -> None:
    config: dict[str, object] = {
        "architecture": "amd64",
        "created": "now",
        "history": [1],
        "config": {
            "Env": ["B=2=3", "A=1"],
            "Labels": {"io.buildah.version": "1"},
            "Hostname": "x",
            "User": "",
            "Cmd": ["sh"],
        },
    }
    assert image(tmp_path, config).config == {
        "architecture": "amd64",
        "Env": {"A": "1", "B": "2=3"},
        "Cmd": ["sh"],
    }


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x28\xb5\x2f\xfd" + b"x" * 600, r"its layer 0/layer\.tar: .*\(zstd is known"),
        (b"nonsense" * 100, r"its layer 0/layer\.tar: "),
    ],
)
def test_a_layer_that_cannot_be_read(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        image(tmp_path, {}, data)


FILE = Entry("file", 0o644, 0, 0, "f", size=1)
OTHER = Entry("file", 0o644, 0, 0, "o", size=2)
LINK = Entry("symbolic link", 0o777, 0, 0, "x")
FOLDER = Entry("directory", 0o755, 0, 0)


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ({"a": FILE}, {"a": FILE}, None),
        ({"b": FILE, "a": FILE}, {}, "/a is gone"),
        ({}, {"a": FILE}, "/a is new"),
        ({"a": FILE}, {"a": OTHER}, "/a: other content (1 → 2 bytes)"),
        ({"a": FILE}, {"a": FOLDER}, "/a: file → directory"),
        ({"a": FILE}, {"a": replace(FILE, mode=0o4755)}, "/a: mode 644 → 4755"),
        ({"a": FILE}, {"a": replace(FILE, group=7)}, "/a: owner 0:0 → 0:7"),
        ({"a": LINK}, {"a": replace(LINK, content="y")}, "/a: x → y"),
        (
            {"a": FILE},
            {"a": replace(FILE, attributes=(("x", "y"),))},
            "/a: other extended attributes",
        ),
    ],
)
def test_the_first_difference(
    before: dict[str, Entry], after: dict[str, Entry], difference: str | None
) -> None:
    assert first_difference(Built(before, {}), Built(after, {})) == difference


def test_dockerfiles_that_an_image_copies_may_differ() -> None:
    own = (frozenset({"f"}), frozenset({"o"}))
    before = Built({"Dockerfile": FILE}, {})
    after = Built({"Dockerfile": OTHER, "bases": FOLDER, "bases/x": OTHER}, {})
    assert first_difference(before, after, own) is None
    assert first_difference(before, after) == "/Dockerfile: other content (1 → 2 bytes)"
    after.files["bases/y"] = FILE
    assert first_difference(before, after, own) == "/bases is new"


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        ({"Cmd": ["a"]}, {"Cmd": ["b"], "User": "7"}, 'CMD: ["a"] → ["b"]'),
        ({}, {"Cmd": ["é"]}, 'CMD: nothing → ["é"]'),
        ({"User": "7"}, {}, "USER: 7 → nothing"),
        ({"Env": {"A": "1", "B": "2"}}, {"Env": {"A": "1", "B": "3"}}, "ENV B: 2 → 3"),
        ({"Labels": {"x": "y"}}, {}, "LABEL x: y → nothing"),
        ({"ExposedPorts": {"80/tcp": {}}}, {"ExposedPorts": {"80/tcp": {}, "7/udp": {}}},
         "EXPOSE: 80/tcp → 7/udp, 80/tcp"),
        ({"Volumes": {"/a": {}}}, {}, "VOLUME: /a → nothing"),
        ({"Healthcheck": {"Test": ["CMD", "a"]}}, {},
         'HEALTHCHECK: {"Test": ["CMD", "a"]} → nothing'),
        ({"architecture": "arm64"}, {"architecture": "amd64"}, "architecture: arm64 → amd64"),
    ],
)  # fmt: skip
def test_configuration_differs(
    before: dict[str, object], after: dict[str, object], difference: str
) -> None:
    assert first_difference(Built({}, before), Built({}, after)) == f"configuration {difference}"
