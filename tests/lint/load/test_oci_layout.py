"""A local OCI layout tells its platforms; whatever else is in it is no more than unknown."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from dockstrata.load.oci_layout import layout_platforms

REF = "org.opencontainers.image.ref.name"


def blob(root: Path, content: object) -> str:
    data = json.dumps(content).encode()
    digest = hashlib.sha256(data).hexdigest()
    folder = root / "blobs" / "sha256"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / digest).write_bytes(data)
    return f"sha256:{digest}"


def layout(root: Path, *manifests: object) -> str:
    root.mkdir(exist_ok=True)
    (root / "index.json").write_text(json.dumps({"manifests": manifests}))
    return f"oci-layout://{root.name}"


@pytest.fixture
def image(tmp_path: Path) -> str:
    config = blob(tmp_path / "it", {"os": "linux", "architecture": "s390x"})
    return blob(tmp_path / "it", {"config": {"digest": config}})


def test_tag_and_digest_choose(tmp_path: Path, image: str) -> None:
    arm = {"digest": "sha256:" + "a" * 64, "platform": {"os": "linux", "architecture": "arm64"}}
    context = layout(
        tmp_path / "it",
        {"digest": image, "annotations": {REF: "latest"}},
        {**arm, "annotations": {REF: "1"}},
    )
    folder = str(tmp_path)
    assert layout_platforms(context, folder) == {"linux/s390x"}
    assert layout_platforms(f"{context}:1", folder) == {"linux/arm64"}
    assert layout_platforms(f"{context}@{image}", folder) == {"linux/s390x"}
    assert layout_platforms(f"{context}:1@{image}", folder) == {"linux/s390x"}
    assert layout_platforms(f"{context}:2", folder) is None
    assert layout_platforms(context, str(tmp_path / "elsewhere"), folder) == {"linux/s390x"}


@pytest.mark.parametrize(
    "descriptor",
    [
        {"digest": "sha256:../../../secret"},
        {"digest": "sha256:" + "b" * 64},
        {"digest": 1},
        {"platform": {"os": ["linux"], "architecture": "arm64"}},
        {"platform": {"os": "unknown", "architecture": "unknown"}},
    ],
)
def test_what_cannot_be_told(tmp_path: Path, descriptor: dict[str, object]) -> None:
    context = layout(tmp_path / "it", {**descriptor, "annotations": {REF: "latest"}})
    assert layout_platforms(context, str(tmp_path)) is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"manifests": {}}', "[" * 100_000])
def test_no_index(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    assert layout_platforms(f"oci-layout://{tmp_path}") is None
    assert layout_platforms(f"oci-layout://{tmp_path}", str(tmp_path)) is None


def test_indexes_that_nest_without_end(tmp_path: Path) -> None:
    inner = blob(tmp_path / "it", {"manifests": [{"digest": "sha256:" + "c" * 64}]})
    for _ in range(9):
        inner = blob(tmp_path / "it", {"manifests": [{"digest": inner}]})
    context = layout(tmp_path / "it", {"digest": inner, "annotations": {REF: "latest"}})
    assert layout_platforms(context, str(tmp_path)) is None
