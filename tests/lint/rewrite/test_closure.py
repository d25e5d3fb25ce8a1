"""Steps that take files from another stage: the base takes along what that stage is by then."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.meaning.repository import read_repository
from dockstrata.rewrite.journal import write_all
from dockstrata.rewrite.proof import difference
from dockstrata.rewrite.refactor import Options, refactor

SHARED = """\
FROM golang:1.22 AS tool
RUN go install example.com/tool@v1

FROM debian:12
RUN apt-get update
COPY --from={source} /go/bin/tool /usr/bin/
RUN tool init
"""


def lay(folder: Path, source: str) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "Dockerfile").write_text(SHARED.format(source=source) + f"RUN {name}\n")


def test_a_stage_that_became_a_base_comes_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lay(tmp_path, "tool")
    before = read_repository(["."])
    done = refactor(before, Options())
    assert not done.plan.refused
    whole = next(text for text in done.new.values() if "tool init" in text)
    head = [line for line in whole.splitlines() if line and not line.startswith("#")]
    tool = next(base.ref for base in done.plan.bases if base.ref.startswith("localhost/golang"))
    assert head[0] == f"FROM {tool} AS tool"
    assert head[-2:] == ["COPY --from=tool /go/bin/tool /usr/bin/", "RUN tool init"]
    write_all(".", {**done.new, **done.changed})
    after = read_repository(["."])
    now = {image.id: image for image in after.set.images}
    for image in before.set.images:
        assert difference(image.stage, now[image.id].stage) is None
    again = refactor(after, Options())
    assert (again.new, again.changed) == ({}, {})


def test_a_stage_that_is_counted_comes_along_with_its_new_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lay(tmp_path, "1")
    for name in ("a", "b"):
        file = tmp_path / name / "Dockerfile"
        file.write_text(f"FROM scratch\n\n{file.read_text().replace(' AS tool', '')}")
    before = read_repository(["."])
    done = refactor(before, Options())
    assert not done.plan.refused
    whole = next(text for text in done.new.values() if "tool init" in text)
    head = [line for line in whole.splitlines() if line and not line.startswith("#")]
    tool = next(base.ref for base in done.plan.bases if base.ref.startswith("localhost/golang"))
    assert head[0] == f"FROM {tool}"
    assert head[-2:] == ["COPY --from=0 /go/bin/tool /usr/bin/", "RUN tool init"]
    write_all(".", {**done.new, **done.changed})
    now = {image.id: image for image in read_repository(["."]).set.images}
    for image in before.set.images:
        assert difference(image.stage, now[image.id].stage) is None
