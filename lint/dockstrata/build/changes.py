"""What sets one image apart in two states of a repository, told by the lines that people wrote."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from dockstrata.load.context import ContextError, context_for
from dockstrata.load.ignorefile import clean, path_pattern
from dockstrata.load.wiring import Build
from dockstrata.meaning.evaluate import Evaluated, Evaluation, Stage
from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.readable import readable
from dockstrata.syntax.words import is_symbolic

_FILES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an image must be rebuilt: a word in kebab-case, a sentence, and the line if there is one.

    ``kind``: ``new``, ``named``, ``parent``, ``root``, ``instruction``, ``files``, ``build``,
    ``broken`` or ``other``. ``line`` counts from 1 in the image's own Dockerfile.
    """

    kind: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """An image in one state: how it is built and what that gives.

    ``stage`` is the one that is built, ``top`` the state's directory, ``text`` the Dockerfile.
    """

    build: Build
    evaluation: Evaluation
    stage: Stage | None
    top: str

    @property
    def text(self) -> str:
        return self.evaluation.document.source.text


def needed_stages(evaluation: Evaluation, stage: Stage) -> list[Stage]:
    """The stages of its file that a stage is built from, itself included, in order."""
    found: set[int] = set()
    todo = [stage.index]
    while todo:
        index = todo.pop()
        if index in found:
            continue
        found.add(index)
        at = evaluation.stages[index]
        todo += [] if at.parent is None else [at.parent]
        todo += [source for step in at.steps for source in step.stages]
    return [evaluation.stages[index] for index in sorted(found)]


def is_changed(old: Side, new: Side) -> bool:
    """Whether the two states would build other images."""
    if old.stage is None or new.stage is None:
        return old.text != new.text or (old.stage is None) != (new.stage is None)
    return (
        old.stage.meaning != new.stage.meaning
        or old.stage.config_digest() != new.stage.config_digest()
        or (old.stage.problem is None) != (new.stage.problem is None)
    )


def reasons(old: Side, new: Side, touched: Sequence[str]) -> list[Reason]:
    """What changed of an image itself, in order of lines; its parents are left out.

    ``touched`` are the files that git knows to differ, relative to the tops: they only name what
    the digests found.
    """
    if new.stage is None:
        faults = new.evaluation.document.faults
        if faults:
            message = f"line {faults[0].line}: {faults[0].message}"
            return [Reason("broken", message, faults[0].line)]
        return [Reason("broken", f"there is no stage {new.build.target or ''}".rstrip())]
    found = list(_of_build(old, new))
    if old.stage is None:
        return [*found, Reason("other", "it could not be built before")]
    before = dict(_keyed(needed_stages(old.evaluation, old.stage)))
    found += _texts(old.evaluation.globals, new.evaluation.globals)
    for key, stage in _keyed(needed_stages(new.evaluation, new.stage)):
        match = before.get(key)
        if match is None and stage is new.stage:
            match = old.stage
        if match is None:
            line = stage.node.start_line
            found.append(Reason("instruction", f"stage {stage.label} at line {line} is new", line))
        else:
            found += _of_stage(match, stage, new, touched)
    return sorted(dict.fromkeys(found), key=lambda reason: reason.line or 0)


def _keyed(stages: Sequence[Stage]) -> Iterator[tuple[object, Stage]]:
    """Stages by name, unnamed ones by their number among those."""
    unnamed = 0
    for stage in stages:
        yield (stage.name if stage.name is not None else unnamed), stage
        unnamed += stage.name is None


def _of_build(old: Side, new: Side) -> Iterator[Reason]:
    """What compose, bake or configuration say otherwise; no values, which may be secret."""
    one, other = old.build, new.build
    where = f"{os.path.relpath(other.origin, new.top)}:{other.line}"
    were, are = dict(one.args), dict(other.args)
    for name in sorted({*were, *are}):
        if were.get(name) != are.get(name) or (name in were) != (name in are):
            yield Reason("build", f"build argument {name} changed ({where})")
    if sorted(one.platforms) != sorted(other.platforms):
        yield Reason("build", f"platforms changed ({where})")
    contexts = [os.path.relpath(side.build.context, side.top) for side in (old, new)]
    if contexts[0] != contexts[1]:
        yield Reason("build", f"build context {contexts[0]} → {contexts[1]} ({where})")
    named = [
        {name: _seen(value, side.top) for name, value in side.build.contexts} for side in (old, new)
    ]
    if named[0] != named[1]:
        yield Reason("build", f"named contexts changed ({where})")


def _seen(value: str, top: str) -> str:
    return os.path.relpath(value, top) if os.path.isabs(value) or os.path.exists(value) else value


def _of_stage(old: Stage, new: Stage, side: Side, touched: Sequence[str]) -> Iterator[Reason]:
    line = new.node.start_line
    images = readable(old.image), readable(new.image)
    # The value of a variable in it has a reason of its own.
    if images[0] != images[1] and new.parent is None and new.base is None:
        yield Reason("root", f"FROM at line {line}: {images[0]} → {images[1]}", line)
    elif (old.parent is None) != (new.parent is None) or old.platform != new.platform:
        yield Reason("instruction", f"FROM at line {line} changed", line)
    mine = [item for item in old.evaluated if item.instruction.source is old.node.source]
    theirs = [item for item in new.evaluated if item.instruction.source is new.node.source]
    matcher = SequenceMatcher(None, list(map(_key, mine)), list(map(_key, theirs)), autojunk=False)
    for operation, start, end, at, to in matcher.get_opcodes():
        if operation == "equal":
            for one, other in zip(mine[start:end], theirs[at:to], strict=True):
                yield from _files(one, other, side, touched)
        else:
            yield from _edited(mine[start:end], theirs[at:to])


def _key(item: Evaluated) -> tuple[str, ...]:
    return _text(item.instruction)


def _text(node: Instruction) -> tuple[str, ...]:
    """An instruction's text as far as blanks between words do not matter to people."""
    inner = node.trigger or node
    bodies = (heredoc.content for heredoc in inner.heredocs)
    return (" ".join(node.line.split()), *bodies)


def _texts(old: Sequence[Instruction], new: Sequence[Instruction]) -> Iterator[Reason]:
    were = set(map(_text, old))
    for node in new:
        if _text(node) not in were:
            yield Reason("instruction", _changed(node), node.start_line)


def _edited(old: Sequence[Evaluated], new: Sequence[Evaluated]) -> Iterator[Reason]:
    """Instructions that stand in the place of others; of one kind they are a change of it."""
    left = list(old)
    for item in new:
        node = item.instruction
        match = next((was for was in left if was.instruction.keyword == node.keyword), None)
        if match is None:
            message = f"{node.keyword} at line {node.start_line} is new"
            yield Reason("instruction", message, node.start_line)
            continue
        left.remove(match)
        # Another way to write the same step is no change.
        if match.step is None or item.step is None or match.step.body != item.step.body:
            yield Reason("instruction", _changed(node), node.start_line)
    for was in left:
        node = was.instruction
        yield Reason("instruction", f"{node.keyword} at line {node.start_line} before is gone")


def _changed(node: Instruction) -> str:
    return f"{node.keyword} at line {node.start_line} changed"


def _files(old: Evaluated, new: Evaluated, side: Side, touched: Sequence[str]) -> Iterator[Reason]:
    """What one COPY, ADD or bind mount, its text unchanged, takes otherwise."""
    if old.step is None or new.step is None or not new.step.contexts:
        return
    if _contents(old.step.body) == _contents(new.step.body):
        return
    node = new.instruction.trigger or new.instruction
    names = sorted(_taken(node, side.build, side.top, touched))
    what = ", ".join(names[:_FILES_SHOWN]) or f"what {node.keyword} takes"
    if len(names) > _FILES_SHOWN:
        what += f" and {len(names) - _FILES_SHOWN} more"
    line = new.instruction.start_line
    if names:
        message = f"{what} changed, taken by {node.keyword} at line {line}"
    else:
        message = f"the files that {node.keyword} at line {line} takes changed"
    yield Reason("files", message, line)


def _contents(body: object) -> list[object]:
    """The digests of files that a step's body holds."""
    if not isinstance(body, tuple):
        return []
    if len(body) == 2 and body[0] == "files":
        return [body]
    if body and body[0] in ("absent", "symbolic"):
        return [body]
    return [found for part in body for found in _contents(part)]


def _taken(node: Instruction, build: Build, top: str, touched: Iterable[str]) -> Iterator[str]:
    """Those of the touched files (relative to ``top``) that the instruction may take."""
    context = os.path.relpath(build.context, top)
    prefix = "" if context == "." else context.replace(os.sep, "/") + "/"
    sources = _sources(node)
    try:
        ignore = context_for(build.context, build.dockerfile).ignore
    except ContextError:
        return
    for name in touched:
        relative = name.removeprefix(prefix)
        inside = name.startswith(prefix) and not ignore.ignores(relative)
        if inside and any(_covers(source, relative) for source in sources):
            yield name


def _sources(node: Instruction) -> list[str]:
    if node.keyword != "RUN":
        return list(node.arguments[:-1])
    found = []
    for mount in node.all_flags("mount"):
        options = dict(part.partition("=")[::2] for part in mount.split(","))
        if options.get("type", "bind") == "bind" and "from" not in options:
            found.append(options.get("source", options.get("src", ".")))
    return found


def _covers(source: str, path: str) -> bool:
    """Whether ``COPY source`` may take a file; one with a variable in it may take any."""
    if "$" in source or is_symbolic(source):
        return True
    anchored = clean("/" + source)[1:]
    if anchored in ("", "."):
        return True
    wanted, parts = anchored.split("/"), path.split("/")
    if len(parts) < len(wanted):
        return False
    try:
        return all(
            path_pattern(pattern).fullmatch(part)
            for pattern, part in zip(wanted, parts, strict=False)
        )
    except ValueError:
        return False
