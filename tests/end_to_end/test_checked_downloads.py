"""ADD from a server on this machine, and what stands behind a digest; ``bench`` builds both."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from checked_downloads import checksums, put_right, spoilt
from recorded_set import prepare
from taken_files import taken_files

from dockstrata.meaning.images import image_set
from dockstrata.meaning.repository import read_repository

SERVER = "http://127.0.0.1:1/"
OLD = "0123456789abcdef" * 4
NEW = hashlib.sha256(b"/example.com/1.2/tool").hexdigest()


def test_checksums_are_those_of_what_the_server_sends(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.mkdir()
    (source / "Dockerfile").write_text(
        f"FROM debian:12\nARG V=1.2 URL=https://example.com\nARG SUM=sha256:{OLD}\n"
        "ADD --checksum=$SUM \\\n  $URL/$V/tool /\n"
        f"ADD --chmod=755 --checksum=sha256:{OLD} \\\n  https://example.com/1.2/tool /b\n"
    )
    prepare(source, copy, SERVER)
    assert put_right(read_repository([str(copy)]).library, SERVER) == 1
    text = (copy / "Dockerfile").read_text()
    assert f"SUM=sha256:{NEW}" in text
    assert f"--checksum=sha256:{NEW} \\\n  {SERVER}example.com/1.2/tool" in text
    assert OLD not in text
    (image,) = image_set(read_repository([str(copy)]).library.all()).images
    assert checksums(image) == [f"sha256:{NEW}"]  # the other is an argument's, without a value
    file = spoilt(str(copy / "Dockerfile"), f"sha256:{NEW}")
    assert file is not None
    assert NEW not in Path(file).read_text()


def test_the_files_behind_a_digest(tmp_path: Path) -> None:
    for name in ("a/b/one.txt", "a/b/two.md", "a/three.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "a/link").symlink_to("b")
    digest = hashlib.sha256(b"a/b/one.txt").hexdigest()
    assert taken_files(str(tmp_path), "", "a", ("*.txt", "b/*.md"), False) == {
        "b": ("dir", "executable"),
        "b/one.txt": ("file", "plain", digest),
        "link": ("link", "b"),
    }
    # With --parents: the folders above too, and what is left out all the same.
    third = hashlib.sha256(b"a/three.txt").hexdigest()
    assert taken_files(str(tmp_path), "", "a/./**/*.txt", ("three.txt",), True) == {
        "b": ("dir", "executable"),
        "b/one.txt": ("file", "plain", digest),
        "three.txt": ("file", "plain", third),
    }
