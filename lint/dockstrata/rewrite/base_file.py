"""The text of a new base image: a Dockerfile of its own, or a stage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from dockstrata.meaning.evaluate import Evaluation
from dockstrata.meaning.images import Image
from dockstrata.meaning.repository import BASE_MARK, CONTEXT_MARK
from dockstrata.plan.model import Base
from dockstrata.rewrite.blocks import block_of, comment_lines, text_of
from dockstrata.rewrite.lift import lift
from dockstrata.syntax.nodes import Instruction

_VARIABLE = re.compile(r"\$\{?(\w+)")


def base_text(base: Base, exemplar: Image) -> tuple[str, str]:
    """The Dockerfile of a base, from its exemplar's text; and its build context."""
    document = exemplar.evaluation.document
    newline = document.source.newline
    directives = [f"# {directive.name}={directive.value}" for directive in document.directives]
    count = len(base.served)
    shown = [image.id for image in base.served[:5]]
    if count > len(shown):
        shown.append(f"and {count - len(shown)} more")
    header = [
        f"{BASE_MARK}{base.ref}",
        f"# The first steps of {count} images: {', '.join(shown)}.",
        "# Edit it by hand from now on: every image built on it changes along.",
    ]
    context = _context(base, exemplar)
    if context:
        header.insert(1, f"{CONTEXT_MARK}{relative(base.path, context)}")
    head = newline.join([*directives, *header, "", ""])
    return head + base_body(base, exemplar), context


def relative(path: str, context: str) -> str:
    """A directory as seen from the folder of the file at ``path``."""
    return os.path.relpath(context, os.path.dirname(path) or ".").replace(os.sep, "/")


def _context(base: Base, exemplar: Image) -> str:
    """The one build context that the base's own steps take files from, ``""`` for none."""
    steps = exemplar.steps[base.first_step : base.node.length]
    found = {directory for step in steps for directory in step.contexts if directory}
    return min(found, default="")


def base_body(base: Base, exemplar: Image) -> str:
    """ARG before FROM, FROM, and the lifted instructions with their comments, byte by byte."""
    evaluation, stage = exemplar.evaluation, exemplar.stage
    document = evaluation.document
    newline = document.source.newline
    below = set(lift(stage, base.first_step).taken) if base.first_step else set()
    taken = [index for index in lift(stage, base.node.length).taken if index not in below]
    nodes = [stage.evaluated[index].instruction for index in taken]
    lines: list[str] = []
    if base.kind == "file":
        words = {
            word.partition("=")[0]
            for node in nodes
            if node.keyword == "ARG"
            for word in node.arguments
            if "=" not in word
        }
        if base.parent is None:
            words |= set(_VARIABLE.findall(stage.node.rest))
        lines += _globals(evaluation, words)
    image = base.parent.ref if base.parent is not None else stage.node.arguments[0]
    lines.append(f"FROM {image} AS {base.name}" if base.kind == "stage" else f"FROM {image}")
    text = newline.join([*lines, ""])
    comments = comment_lines(document)
    previous = None
    for node in nodes:
        block = block_of(document, node, comments)
        lines_of_node = text_of(document, block)
        apart = block.first - previous > 1 if previous is not None else block.first != block.last
        text += newline * apart + lines_of_node
        previous = block.last
    return text


def _globals(evaluation: Evaluation, names: set[str]) -> list[str]:
    """The arguments before the first FROM that ``names`` need, and what those need in turn."""
    wanted: list[Instruction] = []
    names = set(names)
    for node in reversed(evaluation.globals):
        if not names.isdisjoint(word.partition("=")[0] for word in node.arguments):
            names |= set(_variables(node.arguments))
            wanted.append(node)
    return [line for node in reversed(wanted) for line in node.text.splitlines()]


def _variables(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        yield from _VARIABLE.findall(word)
