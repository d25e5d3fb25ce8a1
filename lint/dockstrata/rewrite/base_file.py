"""The text of a new base image: a Dockerfile of its own, or a stage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dockstrata.load.secrets import mounted_by
from dockstrata.load.wiring import Build
from dockstrata.meaning.evaluate import Evaluated, Evaluation
from dockstrata.meaning.images import Image
from dockstrata.meaning.library import BUILD_MARK, CONTEXT_MARK, default_build, given_text
from dockstrata.meaning.marks import BASE_MARK, BUILDERS_MARK
from dockstrata.meaning.step import Step
from dockstrata.plan.model import Base
from dockstrata.rewrite.blocks import block_of, comment_lines, text_of
from dockstrata.rewrite.lift import Lift, kept_arguments, lift
from dockstrata.syntax.nodes import Instruction

_VARIABLE = re.compile(r"\$\{?(\w+)")


def base_text(base: Base, exemplar: Image, root: str) -> tuple[str, Build]:
    """The Dockerfile of a base, from its exemplar's text; and how it is to be built."""
    document = exemplar.evaluation.document
    newline = document.source.newline
    directives = [f"# {directive.name}={directive.value}" for directive in document.directives]
    count = len(base.served)
    shown = [_seen(image.id, root) for image in base.served[:5]]
    if count > len(shown):
        shown.append(f"and {count - len(shown)} more")
    header = [
        f"{BASE_MARK}{base.ref}",
        f"# Written for the first steps of {count} images: {', '.join(shown)}.",
        "# Edit it by hand from now on: every image built on it changes along.",
    ]
    if not any(map(_lasting, base.served)):
        header.append(BUILDERS_MARK)
    context = _context(base, exemplar)
    build = default_build(base.path, context or None)
    given = exemplar.evaluation.build
    if given is not None:
        declared = _declared(exemplar)
        args = tuple((name, value) for name, value in given.args if name in declared)
        build = replace(build, args=args, platforms=given.platforms)
        asked = mounted_by(step.instruction for step in _own_steps(base, exemplar))
        secrets = tuple(secret for secret in given.secrets if secret.id in asked.secrets)
        build = replace(build, secrets=secrets, ssh=given.ssh if asked.ssh else ())
    if text := given_text(build):
        header.insert(1, f"{BUILD_MARK}{text}")
    if context:
        header.insert(1, f"{CONTEXT_MARK}{relative(base.path, context)}")
    head = newline.join([*directives, *header, "", ""])
    return head + base_body(base, exemplar, _source_numbers(base, exemplar)), build


def _own_steps(base: Base, exemplar: Image) -> list[Step]:
    """The steps that the base adds to what it stands on, as they are in its exemplar."""
    return exemplar.steps[base.lifted_below(exemplar) : base.lifted(exemplar)]


def _lasting(image: Image) -> bool:
    """Whether an image's file system is in one that somebody keeps: it is its file's last stage,
    another stage is built on it, or its build asks for it."""
    evaluation, stage = image.evaluation, image.stage
    return (
        stage is evaluation.stages[-1]
        or any(other.parent == stage.index for other in evaluation.stages)
        or (evaluation.build is not None and evaluation.build.target in (stage.name, stage.label))
    )


def _seen(path: str, root: str) -> str:
    """An image's id as seen from the root, on one line whatever its path holds."""
    return " ".join(os.path.relpath(path, root).replace(os.sep, "/").split())


def _declared(exemplar: Image) -> set[str]:
    """The names of the arguments that a base may declare: those of its exemplar's file."""
    return {
        word.partition("=")[0]
        for node in exemplar.evaluation.document.instructions
        if node.keyword == "ARG"
        for word in node.arguments
    }


def relative(path: str, context: str) -> str:
    """A directory as seen from the folder of the file at ``path``."""
    return os.path.relpath(context, os.path.dirname(path) or ".").replace(os.sep, "/")


def _context(base: Base, exemplar: Image) -> str:
    """The one build context that the base's own steps take files from, ``""`` for none."""
    steps = _own_steps(base, exemplar)
    found = {directory for step in steps for directory in step.contexts if directory}
    return min(found, default="")


def base_body(base: Base, exemplar: Image, moved: Mapping[int, int]) -> str:
    """ARG before FROM, FROM, and the lifted instructions with their comments, byte by byte.

    ``moved`` has the new numbers of stages that have others than in the exemplar's file.
    """
    evaluation, stage = exemplar.evaluation, exemplar.stage
    document = evaluation.document
    newline = document.source.newline
    taken = list(lift(stage, base.lifted(exemplar)).taken)
    again: list[str] = []
    # Where nothing of the exemplar is lifted below, its own FROM names the parent: a stage of the
    # file only where that stands above all that the base serves.
    parent = base.parent if base.lifted_below(exemplar) else None
    one = {image.stage.parent for image in base.served} == {stage.parent}
    origin = stage if base.kind == "stage" and one else exemplar.named.stage
    if parent is not None:
        lower = lift(stage, base.lifted_below(exemplar))
        taken = [index for index in taken if index not in lower.taken]
        again = _declared_again(lower, [stage.evaluated[index] for index in taken])
    nodes = [stage.evaluated[index].instruction for index in taken]
    lines: list[str] = []
    if base.kind == "file":
        declared = [node.arguments for node in nodes if node.keyword == "ARG"]
        words = {word for words in declared for word in words if "=" not in word}
        words |= {word for line in again for word in line.split() if "=" not in word}
        if parent is None:
            words |= set(variables([origin.node.rest]))
        for node in needed_globals(evaluation, words):
            lines += node.text.splitlines()
    if base.kind == "file":
        lines += _source_stages(base, exemplar)
    image = parent.ref if parent is not None else origin.node.arguments[0]
    if base.kind == "stage":
        platform = origin.platform is not None and parent is None
        flags = [flag for flag in origin.node.flags if platform]
        lines.append(" ".join(["FROM", *flags, image, "AS", base.name]))
    else:
        lines.append(f"FROM {image}")
    text = newline.join([*lines, *again, "", ""])
    comments = comment_lines(document)
    previous = None
    for node in nodes:
        block = block_of(document, node, comments)
        if previous is not None and block.first - previous > 1:
            text += newline
        text += text_of(document, block, node, moved)
        previous = block.last
    return text


def _source_stages(base: Base, exemplar: Image) -> list[str]:
    """The stages that the base's own steps take files from: names for images of the set."""
    stages = exemplar.evaluation.stages
    lines: list[str] = []
    for index in _source_numbers(base, exemplar):
        name = f" AS {stages[index].name}" if stages[index].name else ""
        lines += [f"FROM {stages[index].node.arguments[0]}{name}", ""]
    return lines


def _source_numbers(base: Base, exemplar: Image) -> dict[int, int]:
    """By their number in the exemplar's file, the number of those stages in the base's."""
    used = {index for step in _own_steps(base, exemplar) for index in step.stages}
    return {index: number for number, index in enumerate(sorted(used))}


def _declared_again(lower: Lift, items: Sequence[Evaluated]) -> list[str]:
    """ARG and SHELL of the base below, which do not cross FROM, where ``items`` see them."""
    kept = kept_arguments(lower, items, every=False)
    lines = [text for text in kept.values() if text is not None]
    shells = [node.text for node in lower.instructions() if node.keyword == "SHELL"]
    return lines + shells[-1:]


def needed_globals(evaluation: Evaluation, names: set[str]) -> list[Instruction]:
    """The arguments before the first FROM that ``names`` need, and what those need in turn."""
    wanted: list[Instruction] = []
    names = set(names)
    for node in reversed(evaluation.globals):
        if not names.isdisjoint(word.partition("=")[0] for word in node.arguments):
            names |= set(variables(node.arguments))
            wanted.append(node)
    return wanted[::-1]


def variables(words: Iterable[str]) -> Iterable[str]:
    """The names of the variables in ``words``."""
    for word in words:
        yield from _VARIABLE.findall(word)
