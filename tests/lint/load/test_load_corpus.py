"""The real sets: each Dockerfile that BuildKit's parser was asked about is found or skipped."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dockstrata.load.builds import load_builds
from dockstrata.load.context import ContextError, context_for
from dockstrata.load.discover import Discovery, discover
from dockstrata.load.generated import generated_by, template_for
from dockstrata.load.names import in_template_folder


@pytest.fixture(scope="module")
def records(shared: Path) -> dict[str, dict[str, Any]]:
    with gzip.open(shared / "conformance" / "parse.jsonl.gz", "rt", encoding="utf-8") as lines:
        return {record["file"]: record for record in map(json.loads, lines)}


@pytest.fixture
def found(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> Discovery:
    monkeypatch.chdir(corpus)
    return discover(["."])


def test_every_dockerfile_is_found_or_skipped(
    found: Discovery, records: dict[str, dict[str, Any]]
) -> None:
    assert len(records) == 2163
    skipped = {skip.path: skip for skip in found.skipped}
    assert set(records) <= set(found.files) | set(skipped)
    assert not set(found.files) & set(skipped)


def test_only_templates_are_skipped(found: Discovery, records: dict[str, dict[str, Any]]) -> None:
    for skip in found.skipped:
        record = records.get(skip.path)
        if record is None:
            continue
        assert skip.reason == "template", skip
        if "error" not in record and "instr_error" not in record:
            # Parses, and is a template all the same: by its name, with %%PARENT%% in its FROM.
            assert skip.path.endswith("Dockerfile.template")


def test_no_template_is_taken(found: Discovery, records: dict[str, dict[str, Any]]) -> None:
    for path in found.files:
        assert not in_template_folder(path)
        record = records[path]
        assert "error" not in record, path
        assert "instr_error" not in record, path


def test_generated_files_and_their_templates(corpus: Path, found: Discovery) -> None:
    generated: Counter[str] = Counter()
    templates: Counter[str] = Counter()
    for path in found.files:
        text = (corpus / path).read_bytes().decode("utf-8", "surrogateescape")
        owner = path.split("/")[0]
        generated[owner] += generated_by(text) is not None
        templates[owner] += template_for(path, text=text) is not None
    everything = {
        "adoptium+containers": 148,
        "docker-library+php": 70,
        "docker-library+python": 42,
        "docker-library+tomcat": 48,
        "osrf+docker_images": 194,  # of 201; the others are hand-written
        "CircleCI-Public+cimg-python": 8,
    }
    assert +generated == Counter(everything)
    # The dotnet set says nothing in its files; a folder of templates yields them.
    assert templates.pop("dotnet+dotnet-docker") > 550
    assert +templates == Counter(everything)


def test_builds(found: Discovery) -> None:
    builds = load_builds(["."], found.files, wiring=found.wiring)
    assert [problem for problem in builds.problems if problem.reason != "unknown-value"] == []
    owners = Counter(path.split("/")[0] for path in builds.by_dockerfile)
    assert owners["FudanSELab+train-ticket"] == 41
    assert owners["docker+awesome-compose"] == 35
    for path, of_one in builds.by_dockerfile.items():
        assert path in found.files
        assert all(Path(build.context).is_dir() for build in of_one)


def test_contexts_have_digests(found: Discovery) -> None:
    reasons: Counter[str] = Counter()
    for path in found.files:
        context = context_for(path.rpartition("/")[0], path)
        try:
            assert len(context.digest(".")) == 64
        except ContextError as error:
            reasons[error.reason] += 1
    assert reasons == {}


def test_the_walk_is_quick(corpus: Path, found: Discovery) -> None:
    start = time.perf_counter()
    discover([str(corpus)])
    assert time.perf_counter() - start < 5  # 0.2 s on an idle machine
