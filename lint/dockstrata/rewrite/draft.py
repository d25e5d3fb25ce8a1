"""Drafts every file that a plan changes or adds, in memory."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from dockstrata.finding import Edit, apply_edits
from dockstrata.load.wiring import Build
from dockstrata.meaning.evaluate import Evaluation
from dockstrata.meaning.images import Image
from dockstrata.plan.model import Base, Plan
from dockstrata.rewrite.base_file import base_body, base_text
from dockstrata.rewrite.blocks import block_of, comment_lines, span_of
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
        changes += _stage_edits(evaluation, stages, exemplars, draft)
        draft.children[path] = apply_edits(evaluation.document.source.text, changes)
        draft.moved.setdefault(path, {stage.index: stage.index for stage in evaluation.stages})
    return draft


def _exemplar(base: Base, draft: Draft) -> Image:
    """The served image whose text the base takes: of the largest group that agrees, the first."""
    signatures = {
        image.id: lift(image.stage, base.node.length).signature() for image in base.served
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
    evaluation: Evaluation, bases: Sequence[Base], exemplars: dict[str, Image], draft: Draft
) -> list[Edit]:
    """New stages at the top of a file that repeats itself, and stage numbers moved along."""
    document = evaluation.document
    if not bases:
        return []
    first = min(image.stage.index for base in bases for image in base.served)
    at = _above(document, evaluation.stages[first].node)
    newline = document.source.newline
    text = "".join(base_body(base, exemplars[base.name]) + newline for base in bases)
    start = document.source.line_span(at).start
    edits = [Edit(document.path, Span(start, start), text)]
    draft.moved[document.path] = {
        stage.index: stage.index + (len(bases) if stage.index >= first else 0)
        for stage in evaluation.stages
    }
    for node in document.instructions:
        edits += _renumber(document, node, first, len(bases))
    return edits


def _above(document: Document, node: Instruction) -> int:
    """The line before which a stage may be put: not between a stage and its comment, but below
    the comment that a file begins with."""
    comments = comment_lines(document)
    first = block_of(document, node, comments).first
    return node.start_line if comments and first == min(comments) else first


def _renumber(document: Document, node: Instruction, first: int, added: int) -> list[Edit]:
    """``--from=N`` that counts stages, where new ones now stand before them."""
    edits = []
    for match in re.finditer(r"--from=(\d+)(?=\s|$)", node.line):
        if match.start() < node.arguments_at and int(match[1]) >= first:
            span = node.span_of(match.start(1), match.end(1))
            edits.append(Edit(document.path, span, str(int(match[1]) + added)))
    return edits
