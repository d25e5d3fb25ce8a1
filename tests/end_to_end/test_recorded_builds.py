"""What real Dockerfiles are prepared with before they are built; ``bench`` builds them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from build_failures import missing_root, reason, why_not_built
from recorded_root import RecordedRoot
from recorded_sources import context_lacks, copy_cleaned, make_up

DIGEST = "sha256:" + "0123456789abcdef" * 4
NOT_FOUND = """\
   2 | >>> {}
ERROR: failed to build: failed to solve: failed to compute cache key: failed to calculate checksum \
of ref x::y: "/target/app.jar": not found
"""


def test_a_copy_needs_no_frontend_and_no_digest(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    (source / ".git").mkdir(parents=True)
    text = "# syntax=docker/dockerfile:1\r\nFROM debian:12@{0}\nCOPY --from=busybox@{0} / /\n# x\n"
    (source / "Dockerfile").write_bytes(text.format(DIGEST).encode())
    copy_cleaned(source, copy, (re.compile(rb"# x"), b"# y"))
    assert (copy / "Dockerfile").read_bytes() == (
        b"FROM debian:12-01234567\nCOPY --from=busybox:01234567 / /\n# y\n"
    )
    assert not (copy / ".git").exists()


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("/target/app.jar", "target/app.jar"),
        ("/dist/", "dist/made-up"),
        ("/dist", "dist/made-up"),
        ("/a[bc]/*.t?t", "ab/x.txt"),
    ],
)
def test_a_file_is_made_up_once(tmp_path: Path, path: str, made: str) -> None:
    assert make_up(tmp_path, path)
    assert (tmp_path / made).is_file()
    assert not make_up(tmp_path, path)


def test_nothing_is_made_up_outside(tmp_path: Path) -> None:
    assert not make_up(tmp_path, "/../x")
    assert not make_up(tmp_path, "/")


def test_a_context_lacks_what_no_stage_was_asked_for(tmp_path: Path) -> None:
    assert not context_lacks(tmp_path, NOT_FOUND.format("COPY --from=build target/app.jar /"))
    assert not context_lacks(tmp_path, "ERROR: no such thing")
    assert context_lacks(tmp_path, NOT_FOUND.format("COPY target/app.jar /"))
    assert (tmp_path / "target/app.jar").is_file()


def test_a_build_goes_on_as_long_as_something_is_mended(tmp_path: Path) -> None:
    script = (
        'for n in a b c; do test -e $n || { echo "$n"; echo "ERROR: no file" >&2; exit 1; }; done'
    )

    def mend(why: str) -> bool:
        (tmp_path / why.split()[0]).touch()
        return not why.startswith("c")

    assert why_not_built(["sh", "-c", script], tmp_path, mend) == "ERROR: no file"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b", "c"]
    assert why_not_built(["sh", "-c", script], tmp_path, mend) is None


def test_what_a_failure_says() -> None:
    why = (
        "ERROR: failed to build: failed to solve: acme/x:1: failed to resolve source metadata for x"
    )
    assert missing_root(why) == "acme/x:1"
    assert missing_root("ERROR: no") is None
    assert reason(why) == "a root for another platform"
    told = f'ERROR: failed to build: failed to solve: ref {"0a" * 20}::x: "/y": not found\n\n'
    assert reason(told) == 'failed to solve: ref … "/y": not found'
    assert reason("") == "?"


def test_a_root_gets_what_builds_miss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "busybox").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    root = RecordedRoot(tmp_path / "root", ["FROM a\nCOPY --from=b /app/x.conf /etc/\n"])
    assert (root.folder / "app/x.conf/made-up").is_file()
    why = "cannot replace to directory /var/lib/docker/overlay2/l5/merged/app/x.conf with file"
    assert root.lacks(why)
    assert (root.folder / "app/x.conf").read_text() == "app/x.conf\n"
    assert not root.lacks(why)
    assert root.lacks('exec: "npm": executable file not found in $PATH')
    assert (root.folder / "bin/npm").is_symlink()
    assert root.lacks("unable to find group wheel: no matching entries")
    assert "wheel" in root.users
    assert root.lacks(
        "  7 | >>> COPY --from=b /lib/x* /\nERROR: lstat /lib: no such file or directory"
    )
    assert (root.folder / "lib/made-up").is_file()
