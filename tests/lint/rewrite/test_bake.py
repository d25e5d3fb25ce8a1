"""The bake file of a refactored set, as python-hcl2 reads it."""

from __future__ import annotations

from pathlib import Path

import hcl2
import pytest

from dockstrata.meaning.repository import read_repository
from dockstrata.rewrite.refactor import Options, refactor

COMPOSE = """\
services:
  first:
    image: acme/first
    build: {context: a, target: one}
  also-first:
    image: acme/also
    build: {context: a, target: one}
  second:
    image: acme/second
    build: {context: a, target: two}
"""


def test_each_target_that_is_asked_for_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("compose.yaml").write_text(COMPOSE)
    for name in ("a", "b"):
        Path(name).mkdir()
        Path(name, "Dockerfile").write_text(
            "".join(
                f"FROM debian:12 AS {stage}\nRUN common\nRUN {stage} {name}\n" for stage in STAGES
            )
        )
    done = refactor(read_repository(["."]), Options())
    read = hcl2.loads(done.new["bases/docker-bake.hcl"])
    targets = {name.strip('"'): body for block in read["target"] for name, body in block.items()}
    built = {
        (body.get("target", "").strip('"'), tuple(tag.strip('"') for tag in body.get("tags", [])))
        for name, body in targets.items()
        if body["context"].strip('"') == "a"
    }
    assert built == {("one", ("acme/first", "acme/also")), ("two", ("acme/second",))}


STAGES = ("one", "two")
