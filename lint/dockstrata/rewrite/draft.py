"""Drafts every file that a plan changes or adds, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dockstrata.finding import Edit, apply_edits
from dockstrata.load.wiring import Build
from dockstrata.meaning.evaluate import Evaluation
from dockstrata.meaning.images import Image
from dockstrata.plan.model import Base, Plan
from dockstrata.rewrite.base_file import base_body, base_text
from dockstrata.rewrite.blocks import block_of, comment_lines, renumbered, span_of
from dockstrata.rewrite.lift import behind, kept_arguments, lift
from dockstrata.source import Span
from dockstrata.syntax.nodes import Document, Instruction


@dataclass(slots=True)
class Draft:
    """New texts by path.

    ``bases`` are new files, ``children`` changed ones. ``builds`` says how
    each base is built.
    ``moved`` maps, for each changed file, an old stage index to the new one; ``mismatched`` are
    images whose lifted context differs from what their base would leave them.
    """

    bases: dict[str, str] = field(default_factory=dict)
    children: dict[str, str] = field(default_factory=dict)
    builds: dict[str, Build] = field(default_factory=dict)
    moved: dict[str, dict[int, int]] = field(default_factory=dict)
    mismatched: dict[str, str] = field(default_factory=dict)


def make_draft(plan: Plan, root: str) -> Draft:
    """The files of a plan for the directory ``root``. Nothing is read or written."""
    draft = Draft()
    exemplars = {base.name: _exemplar(base, draft) for base in plan.bases}
    edits: dict[str, list[Edit]] = defaultdict(list)
    evaluations: dict[str, Evaluation] = {}
    for base in (*plan.reused, *plan.bases):
        if base.kind == "file" and not base.existing:
            exemplar = exemplars[base.name]
            draft.bases[base.path], draft.builds[base.path] = base_text(base, exemplar, root)
        for member in base.members:
            if member.image.id not in draft.mismatched:
                evaluations[member.image.path] = member.image.evaluation
                edits[member.image.path] += _child_edits(member.image, member.steps, base)
    for path, changes in edits.items():
        evaluation = evaluations[path]
        stages = [base for base in plan.bases if base.kind == "stage" and base.path == path]
        moved = _moved(evaluation, stages)
        changes += _stage_edits(evaluation, stages, exemplars, moved)
        draft.children[path] = apply_edits(evaluation.document.source.text, changes)
        draft.moved[path] = moved
    return draft


def _first_served(base: Base) -> int:
    """The index of the stage that a new stage must stand above."""
    return min(image.stage.index for image in base.served)


def _moved(evaluation: Evaluation, bases: Sequence[Base]) -> dict[int, int]:
    """By a stage's index, the one that it has once the new stages are there."""
    starts = [_first_served(base) for base in bases]
    return {
        stage.index: stage.index + sum(start <= stage.index for start in starts)
        for stage in evaluation.stages
    }


def _exemplar(base: Base, draft: Draft) -> Image:
    """The served image whose text the base takes: of the largest group that agrees, the first."""
    signatures = {
        image.id: lift(image.stage, base.lifted(image)).signature() for image in base.served
    }
    counted = Counter(signatures.values())
    best = max(
        base.served, key=lambda image: counted[signatures[image.id]]
    )  # max() gives the first of equals
    for image in base.served:
        if signatures[image.id] != signatures[best.id]:
            draft.mismatched[image.id] = (
                f"sets its environment in another way than {best.id} before the shared steps end"
            )
    return best


def _child_edits(image: Image, steps: int, base: Base) -> list[Edit]:
    """FROM the base, and the lifted instructions gone."""
    evaluation, document = image.evaluation, image.evaluation.document
    lifted = lift(image.stage, steps)
    # Stages built on this one inherit its arguments, and nobody here knows what they see.
    has_children = any(other.parent == image.stage.index for other in evaluation.stages)
    kept = kept_arguments(lifted, behind(lifted), has_children)
    edits = [_from_edit(document, image.stage.node, base.ref)]
    removed: list[Instruction] = []
    for index in lifted.taken:
        node = image.stage.evaluated[index].instruction
        if node.keyword == "SHELL":
            continue
        text = kept.get(index)
        if text is None:
            removed.append(node)
        elif text != node.text:
            edits.append(Edit(document.path, node.span, text))
    edits += _removals(document, removed)
    return edits


def _from_edit(document: Document, node: Instruction, ref: str) -> Edit:
    """Put ``ref`` in the image's place; the flags go, AS and the rest stay."""
    line, image = node.line, node.arguments[0]
    start = node.arguments_at
    span = node.span_of(start, start + len(image))
    flags = line[len(node.written) : start]
    if flags.strip():
        at = len(node.written) + len(flags) - len(flags.lstrip())
        span = Span(node.offset(at), span.end)
    return Edit(document.path, span, ref)


def _removals(document: Document, removed: Sequence[Instruction]) -> list[Edit]:
    """Whole lines out; blank lines between two removed blocks go with them."""
    comments = comment_lines(document)
    text, edits = document.source.text, []
    blocks = sorted((block_of(document, node, comments) for node in removed), key=lambda b: b.first)
    runs: list[tuple[int, int]] = []
    for block in blocks:
        if runs:
            gap = text[
                document.source.line_span(runs[-1][1]).end : document.source.line_span(
                    block.first
                ).start
            ]
            if not gap.strip():
                runs[-1] = (runs[-1][0], block.last)
                continue
        runs.append((block.first, block.last))
    for first, last in runs:
        edits.append(Edit(document.path, span_of(document, first, last), ""))
    return edits


def _stage_edits(
    evaluation: Evaluation,
    bases: Sequence[Base],
    exemplars: dict[str, Image],
    moved: Mapping[int, int],
) -> list[Edit]:
    """New stages, each above the first that it serves, and stage numbers moved along."""
    document = evaluation.document
    if not bases:
        return []
    texts: dict[int, str] = defaultdict(str)
    for base in bases:
        body = base_body(base, exemplars[base.name], moved)
        texts[_first_served(base)] += body + document.source.newline
    edits: list[Edit] = []
    for index, text in texts.items():
        line = _above(document, evaluation.stages[index].node)
        start = document.source.line_span(line).start
        edits.append(Edit(document.path, Span(start, start), text))
    for node in document.instructions:
        edits += renumbered(node, moved)
    return edits


def _above(document: Document, node: Instruction) -> int:
    """The line before which a stage may be put: not between a stage and its comment, but below
    the comment that a file begins with."""
    first = block_of(document, node, comment_lines(document)).first
    begins = first < node.start_line and node is document.instructions[0]
    return node.start_line if begins else first
