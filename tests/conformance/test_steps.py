"""Our chain digests against BuildKit's own build definitions, for every prefix of every image.

BuildKit's side gives every build argument its default and knows nothing of a root image; it names
the files of a build context by path alone. What we hold apart and it does not must be one of
these: ``symbols`` (an argument's or a root image's value, which we leave open) or ``context``
(files that differ behind one name).
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from dockstrata.meaning import evaluate as evaluator
from dockstrata.meaning import paths
from dockstrata.meaning.library import reader
from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse

STEPS = ("RUN", "COPY", "ADD", "WORKDIR")
BUILDKITS_PLATFORM = {
    "TARGETPLATFORM": "linux/amd64",
    "BUILDPLATFORM": "linux/amd64",
    "TARGETOS": "linux",
    "BUILDOS": "linux",
    "TARGETARCH": "amd64",
    "BUILDARCH": "amd64",
}


@dataclass(frozen=True)
class Row:
    """One prefix: where it ends, BuildKit's digest, and ours in every reading."""

    place: tuple[str, int, int]
    theirs: str
    chain: str
    meaning: str
    in_place: str
    as_values: str


@dataclass(frozen=True)
class Measured:
    heads: list[Row]
    configs: list[Row]
    unknown: list[tuple[str, int, str]]
    """Stages that BuildKit refuses and we do not, with its reason."""
    refused: list[tuple[str, int, str]]
    """Stages that we refuse and BuildKit does not."""


def _as_value(*parts: str) -> str:
    """What BuildKit had in the place of a symbol when the digests were made."""
    if parts[0] == "arg":
        return parts[2] if len(parts) > 2 else ""
    if parts[0] == "platform":
        return BUILDKITS_PLATFORM.get(parts[1], "")
    if parts[0] == "root-or":
        return parts[2]  # the root image had no environment there
    assert parts[0] == "root", parts
    return "/" if parts[1] == "workdir" else ""


def _by_line(evaluation: evaluator.Evaluation) -> dict[tuple[int, int], tuple[str, str]]:
    """Chain and meaning behind each instruction, by stage and first line."""
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for stage in evaluation.stages:
        chain, meaning = stage.start_chain, None
        for item in stage.evaluated:
            if item.step is not None:
                chain, meaning = item.step.chain, item.step.meaning
            found[stage.index, item.instruction.start_line] = (chain, meaning or chain)
    return found


@pytest.fixture(scope="module")
def measured(shared: Path, corpus: Path) -> Measured:
    records: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(shared / "conformance" / "steps.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            records[record["file"]].append(record)
    documents = {
        file: parse(Source.from_bytes(str(corpus / file), (corpus / file).read_bytes()))
        for file in records
    }
    plain = {file: evaluator.evaluate(document) for file, document in documents.items()}
    placed = {
        file: evaluator.evaluate(document, reader(str((corpus / file).parent), document.path))
        for file, document in documents.items()
    }
    values = _evaluate_as_values(documents)
    result = Measured([], [], [], [])
    for file, rows in records.items():
        _measure(file, rows, plain[file], placed[file], values[file], result)
    return result


def _evaluate_as_values(documents: dict[str, Document]) -> dict[str, evaluator.Evaluation]:
    """Evaluate with every symbol replaced by the value that BuildKit had for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluator, "symbol", _as_value)
        patch.setattr(evaluator, "ROOT_DIRECTORY", "/")
        patch.setattr(paths, "ROOT_DIRECTORY", "/")
        patch.setattr(evaluator, "TARGET_PLATFORM", "linux/amd64")
        return {file: evaluator.evaluate(document) for file, document in documents.items()}


def _measure(
    file: str,
    records: list[dict[str, Any]],
    plain: evaluator.Evaluation,
    placed: evaluator.Evaluation,
    values: evaluator.Evaluation,
    result: Measured,
) -> None:
    lines, lines_placed, lines_values = map(_by_line, (plain, placed, values))
    for record in records:
        index = record["stage"]
        stage = plain.stages[index] if index < len(plain.stages) else None
        ours = plain.document.faults or stage is None or stage.problem is not None
        if "error" in record:
            if not ours:
                result.unknown.append((file, index, record["error"]))
            continue
        if ours:
            result.refused.append((file, index, str(stage and stage.problem)))
            continue
        place = (file, index, record["line"])
        assert stage is not None
        if record["cmd"] in STEPS:
            key = (index, record["line"])
            row = Row(
                place, record["head"], *lines[key], lines_placed[key][1], lines_values[key][1]
            )
            result.heads.append(row)
        if "config" in record:
            # BuildKit's root image has no user, so there USER with an empty value changes nothing.
            config = values.stages[index].config
            config.user = config.user or None
            digests = [e.stages[index].config_digest() for e in (plain, plain, placed, values)]
            result.configs.append(Row(place, record["config"], *digests))


def _apart(
    rows: list[Row], together: Callable[[Row], Hashable], by: Callable[[Row], Hashable]
) -> tuple[list[tuple[Row, Row]], int, int]:
    """Pairs equal by ``together`` and not by ``by``: one of each kind, their number, and all."""
    groups: dict[Hashable, dict[Hashable, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        groups[together(row)][by(row)].append(row)
    shown: list[tuple[Row, Row]] = []
    apart = total = 0
    for group in groups.values():
        sizes = [len(members) for members in group.values()]
        total += sum(sizes) * (sum(sizes) - 1) // 2
        apart += (sum(sizes) ** 2 - sum(size**2 for size in sizes)) // 2
        shown += combinations([members[0] for members in group.values()], 2)
    return shown, apart, total


def _report(name: str, count: int, total: int) -> None:
    share = 100 * count / total if total else 0.0
    print(f"\n{name}: {count} of {total} pairs ({share:.2f} %)")


@pytest.fixture(scope="module", params=["heads", "configs"])
def rows(request: pytest.FixtureRequest, measured: Measured) -> list[Row]:
    found: list[Row] = getattr(measured, request.param)
    assert len(found) > 2500
    return found


@pytest.mark.parametrize("digest", ["chain", "meaning", "in_place"])
def test_nothing_is_called_equal_that_buildkit_holds_apart(rows: list[Row], digest: str) -> None:
    shown, count, total = _apart(rows, lambda row: getattr(row, digest), lambda row: row.theirs)
    _report(f"equal by our {digest}, not by BuildKit", count, total)
    assert shown == []


@pytest.mark.parametrize("digest", ["chain", "meaning"])
def test_what_buildkit_calls_equal_is_equal(rows: list[Row], digest: str) -> None:
    shown, count, total = _apart(rows, lambda row: row.theirs, lambda row: getattr(row, digest))
    _report(f"equal by BuildKit, not by our {digest}", count, total)
    assert count < 0.005 * total
    assert [pair for pair in shown if not _symbols(*pair)] == []


def test_with_files_read_each_difference_is_symbols_or_context(rows: list[Row]) -> None:
    shown, count, total = _apart(rows, lambda row: row.theirs, lambda row: row.in_place)
    _report("equal by BuildKit, not by our digests with the contexts' files", count, total)
    kinds = {"context": 0, "symbols": 0, "neither": 0}
    for one, other in shown:
        by_context = one.meaning == other.meaning
        kind = "context" if by_context else "symbols" if _symbols(one, other) else "neither"
        kinds[kind] += 1
    print(", ".join(f"{kind}: {number}" for kind, number in kinds.items()))
    assert kinds["neither"] == 0


def _symbols(one: Row, other: Row) -> bool:
    """Whether the two are equal once every symbol has the value that BuildKit gave it."""
    return one.as_values == other.as_values


def test_defaults_in_place_of_symbols_give_buildkits_partition(rows: list[Row]) -> None:
    """With the same values on both sides the two partitions are one."""
    for together, by in (("theirs", "as_values"), ("as_values", "theirs")):
        shown, count, total = _apart(
            rows,
            lambda row, key=together: getattr(row, key),  # type: ignore[misc]
            lambda row, key=by: getattr(row, key),  # type: ignore[misc]
        )
        _report(f"equal by {together}, not by {by}", count, total)
        assert shown == []


def test_both_refuse_the_same_stages(measured: Measured) -> None:
    """A base name that only an argument can fill is an error for BuildKit, a symbol for us."""
    assert measured.refused == []
    print(f"\nstages that only BuildKit refuses: {len(measured.unknown)}")
    others = [row for row in measured.unknown if not _blank_without_arguments(row[2])]
    assert others == []


def _blank_without_arguments(error: str) -> bool:
    return error.startswith("base name (") and "should not be blank" in error
