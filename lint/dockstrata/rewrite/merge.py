"""Merges images: one takes over the instructions of its parent.

Chains that are too deep are made shorter; which parent goes is decided by what is lost: the cost
of the steps that are then written twice. A base that dockstrata wrote and that only one image is
left on goes altogether. Every image of the set is proved equal before a merge counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from dockstrata.finding import Edit, apply_edits
from dockstrata.meaning.images import Image, image_set
from dockstrata.meaning.images_named import images_named
from dockstrata.meaning.library import Library, default_build
from dockstrata.meaning.stage import canonical_image
from dockstrata.plan.model import Refusal
from dockstrata.plan.settings import PlanSettings
from dockstrata.rewrite.base_file import needed_globals, variables
from dockstrata.rewrite.blocks import block_of, comment_lines
from dockstrata.rewrite.elsewhere import name_pattern
from dockstrata.rewrite.proof import difference
from dockstrata.source import Source, Span
from dockstrata.syntax.nodes import Document, Instruction
from dockstrata.syntax.parse import parse


@dataclass(frozen=True, slots=True)
class Merge:
    """One image that takes over its parent's instructions; ``steps`` of them stand twice
    afterwards, and ``cost`` is theirs, nothing where nobody builds the parent any more.
    ``removed`` is the parent's file where that goes; no ``image`` takes
    over a base that none is left on."""

    image: str | None
    parent: str
    path: str
    cost: float
    removed: str | None = None
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """A library after merges, as far as could be proved, and its changed texts by path."""

    library: Library
    texts: Mapping[str, str]
    merges: tuple[Merge, ...]
    refused: tuple[Refusal, ...]


def merge_deep(library: Library, settings: PlanSettings, may_edit: Callable[[str], bool]) -> Merged:
    """Shorten chains that are deeper than ``settings.max_depth``; ``may_edit`` says of a path
    whether it may be written. Nothing is."""
    texts: dict[str, str] = {}
    merges: list[Merge] = []
    refused: dict[str, Refusal] = {}
    images = image_set(library.all()).images
    while True:
        deep = [i for i in images if i.depth > settings.max_depth and i.id not in refused]
        if not deep:
            return Merged(library, texts, tuple(merges), tuple(refused.values()))
        deepest = max(deep, key=lambda image: (image.depth, image.id))
        found = _shorten(library, deepest, images, settings, may_edit)
        if isinstance(found, str):
            message = (
                f"its chain has {deepest.depth} images and --max-depth is {settings.max_depth};"
                f" no image of it can take over the one below it and be proved equal: {found}"
            )
            refused[deepest.id] = Refusal(deepest.id, "too-deep", message)
            continue
        library, images, merge, text = found
        texts[merge.path] = text
        merges.append(merge)


def merge_single(
    library: Library, may_edit: Callable[[str], bool], elsewhere: Callable[[str], bool]
) -> Merged:
    """Bases of dockstrata's that one image alone is built on go into that, and those that none is
    built on; nothing is written.

    One that is called after a registry stays: another repository may use it. So does one that
    ``elsewhere`` knows: whether something outside the set may name it.
    """
    texts: dict[str, str] = {}
    merges: list[Merge] = []
    mentions = _Mentions(library)
    for path, reference in sorted(library.marked.items()):
        named_in = mentions.of.get(canonical_image(reference), [])
        if (
            not reference.startswith("localhost/")
            or not may_edit(path)
            or len(named_in) > 1
            or _is_wired(library, path, reference)
            or _is_named(library, reference, {path, *named_in})
            or elsewhere(reference)
        ):
            continue
        documents = dict(library.documents)
        found = _only_child(library, path, named_in[0]) if named_in else None
        if found is not None:
            image, parent = found
            text = merged_text(image, parent) if may_edit(image.path) else None
            if text is None:
                continue
            documents[image.path] = parse(Source(image.path, text))
            after = library.with_documents(documents)
            if documents[image.path].faults or not _equal(library, after, image.path):
                continue
            texts[image.path] = text
            merges.append(Merge(image.id, parent.id, image.path, 0.0, path))
            mentions.forget(image.path)
            mentions.enter(documents[image.path])
        elif not named_in and path not in library.told:
            merges.append(Merge(None, reference, path, 0.0, path))
        else:
            continue
        texts.pop(path, None)
        del documents[path]
        mentions.forget(path)
        library = library.with_documents(documents)
    return Merged(library, texts, tuple(merges), ())


class _Mentions:
    """Which files name which images, once for each place."""

    def __init__(self, library: Library) -> None:
        self.of: dict[str, list[str]] = defaultdict(list)
        self.names: dict[str, list[str]] = {}
        for document in library.documents.values():
            self.enter(document)

    def enter(self, document: Document) -> None:
        self.names[document.path] = list(images_named(document))
        for name in self.names[document.path]:
            self.of[name].append(document.path)

    def forget(self, path: str) -> None:
        for name in self.names.pop(path):
            self.of[name].remove(path)


def _is_wired(library: Library, path: str, reference: str) -> bool:
    """Whether somebody's own wiring counts on a base."""
    ours = {f"service:{build.service}" for build in library.builds[path]}
    ours |= {canonical_image(reference), reference}
    contexts = (item for builds in library.builds.values() for b in builds for item in b.contexts)
    return any(not ours.isdisjoint(item) for item in contexts)


def _is_named(library: Library, reference: str, but: Collection[str]) -> bool:
    """Whether a file of the set has a base's name in it, in a default say."""
    word = name_pattern(reference)
    others = (it for path, it in library.documents.items() if path not in but)
    return any(word.search(document.source.text) for document in others)


def _only_child(library: Library, path: str, named_in: str) -> tuple[Image, Image] | None:
    """The one image that a base is there for, and the base; ``None`` where there are others."""
    if len(library.builds[named_in]) != 1:
        return None
    evaluation = library.evaluation(path)
    images = image_set(library.all()).images
    parent = next((image for image in images if image.evaluation is evaluation), None)
    if parent is None or len(evaluation.stages) != 1:
        return None
    found = [image for image in images if image.below is parent]
    alone = len(found) == 1 and found[0].parent is parent
    return (found[0], parent) if alone else None


def _shorten(
    library: Library,
    deepest: Image,
    images: tuple[Image, ...],
    settings: PlanSettings,
    may_edit: Callable[[str], bool],
) -> tuple[Library, tuple[Image, ...], Merge, str] | str:
    """The cheapest merge on the chain of ``deepest`` that is proved, or why the cheapest is not.

    With the set as it is then, library and images.
    """
    children = Counter(image.parent.id for image in images if image.parent is not None)
    above = Counter(
        below.id for image in images if image.depth > settings.max_depth for below in _chain(image)
    )
    options: list[tuple[float, int, Image, Image]] = []
    at = deepest
    while at.parent is not None:
        kinds = (step.kind for step in at.parent.steps)
        alone = children[at.parent.id] == 1 and not _is_product(library, at.parent)
        cost = 0.0 if alone else sum(map(settings.cost, kinds))
        # Of equal losses the merge that shortens more chains.
        options.append((cost, -above[at.id], at, at.parent))
        at = at.parent
    why: list[str] = []
    for cost, _, image, parent in sorted(options, key=lambda option: option[:2]):
        if not may_edit(image.path):
            why.append(f"{image.path} may not be changed")
            continue
        if cost and image.path == parent.path and not settings.merge_stages:
            why.append(
                f"it and {parent.id} are stages of one file, and steps (cost {cost:g}) would stand"
                f" twice in it; `--max-depth {settings.max_depth}` in so many words does it"
            )
            continue
        text = merged_text(image, parent)
        if text is None:
            why.append(f"the instructions of {parent.id} mean something else in {image.path}")
            continue
        documents = dict(library.documents)
        documents[image.path] = parse(Source(image.path, text))
        after = library.with_documents(documents)
        if not documents[image.path].faults and _equal(library, after, image.path):
            now = image_set(after.all()).images
            # What the parent's FROM names may be built by another file for this one.
            if any(it.id == image.id and it.depth < image.depth for it in now):
                steps = len(parent.steps)
                return after, now, Merge(image.id, parent.id, image.path, cost, steps=steps), text
            name = parent.stage.node.arguments[0]
            why.append(f"FROM {name} is another image in {image.path} than in {parent.path}")
            continue
        why.append(_unequal(image, parent))
    return why[0] if why else "it has no parent in the repository"


def _unequal(image: Image, parent: Image) -> str:
    """Why an image with its parent's instructions would not be what it was, most likely."""
    own = (image.evaluation.build or default_build(image.path)).context
    others = {folder for step in parent.steps for folder in step.contexts if folder != own}
    if others:
        return f"{parent.id} copies files of {min(others)}, {image.path} has another build context"
    seen = parent.stage.end.arguments - image.stage.end.arguments
    if seen and image.steps:
        names = ", ".join(sorted(seen))
        return f"the steps of {image.path} would see build arguments of {parent.id}: {names}"
    return f"{image.path} with the instructions of {parent.id} would be another image"


def _chain(image: Image | None) -> Iterator[Image]:
    while image is not None:
        yield image
        image = image.parent


def _is_product(library: Library, image: Image) -> bool:
    """Whether somebody may ask for the image itself."""
    stages = image.evaluation.stages
    is_last = image.stage is stages[-1] and image.path not in library.marked
    targets = {build.target for build in library.builds[image.path]}
    return is_last or image.stage.name in targets


def _equal(before: Library, after: Library, path: str) -> bool:
    """Every image of a file the same, whether SHELL survives from image to image or not.

    What is built on them is the same then: it sees no more of them than is compared.
    """
    for carry_shell in (False, True):
        old, new = (library.again(carry_shell) for library in (before, after))
        for number in range(len(old.builds[path])):
            one, other = (library.evaluation(path, number).stages for library in (old, new))
            if len(one) != len(other):
                return False
            for stage, now in zip(one, other, strict=True):
                if difference(stage, now) is not None:
                    return False
    return True


def merged_text(image: Image, parent: Image) -> str | None:
    """The image's file with its parent's instructions in FROM's place; ``None`` where the two
    files cannot be one: other escape characters or newlines, ARGs before FROM that clash."""
    document, other = image.evaluation.document, parent.evaluation.document
    same_file = image.path == parent.path
    if document.escape != other.escape or document.source.newline != other.source.newline:
        return None
    edits: list[Edit] = []
    if not same_file:
        wanted = needed_globals(parent.evaluation, _names(parent))
        own = {node.text for node in image.evaluation.globals}
        taken = {name for node in image.evaluation.globals for name in _declared(node)}
        missing = [node for node in wanted if node.text not in own]
        if any(not taken.isdisjoint(_declared(node)) for node in missing):
            return None
        newline = document.source.newline
        text = "".join(node.text + newline for node in missing)
        if text:
            first = document.instructions[0]
            start = document.source.line_span(first.start_line).start
            edits.append(Edit(document.path, Span(start, start), text))
    edits += _inline(document, image, parent)
    return apply_edits(document.source.text, edits)


def _inline(document: Document, image: Image, parent: Image) -> list[Edit]:
    node, source = image.stage.node, document.source
    flags = "".join(f"{flag} " for flag in parent.stage.node.flags)
    alias = f" AS {node.arguments[2]}" if len(node.arguments) == 3 else ""
    line = f"FROM {flags}{parent.stage.node.arguments[0]}{alias}"
    body = _body(parent, image)
    end = source.line_span(node.end_line).end
    edits = [Edit(document.path, node.span, line)]
    if body:
        gap = "" if source.text[:end].endswith("\n") else source.newline
        edits.append(Edit(document.path, Span(end, end), gap + body))
    return edits


_ONLY_LAST = frozenset({"CMD", "ENTRYPOINT", "HEALTHCHECK", "STOPSIGNAL"})


def _body(parent: Image, image: Image) -> str:
    """The lines of the parent's stage below FROM, comments with them, less what the image sets
    anew: in one stage only the last counts."""
    document = parent.evaluation.document
    nodes = [item.instruction for item in parent.stage.evaluated]
    if not nodes:
        return ""
    again = _ONLY_LAST.intersection(it.instruction.keyword for it in image.stage.evaluated)
    first = parent.stage.node.end_line + 1
    last = max(node.end_line for node in nodes)
    lines = set(range(first, last + 1))
    comments = comment_lines(document)
    for node in nodes:
        if node.keyword in again:
            block = block_of(document, node, comments)
            lines -= set(range(block.first, block.last + 1))
    source = document.source
    spans = [source.line_span(number) for number in sorted(lines)]
    text = "".join(source.text[span.start : span.end] for span in spans)
    return text if not text or text.endswith("\n") else text + source.newline


def _names(parent: Image) -> set[str]:
    """Variables that FROM and bare ARGs of the parent take from before the first FROM."""
    names = {
        word
        for item in parent.stage.evaluated
        if item.instruction.keyword == "ARG"
        for word in item.instruction.arguments
        if "=" not in word
    }
    return names | set(variables([parent.stage.node.rest]))


def _declared(node: Instruction) -> set[str]:
    return {word.partition("=")[0] for word in node.arguments}
