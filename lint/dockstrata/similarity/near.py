"""Near misses: which small edits would let images share more steps.

Candidates are steps with the same parent in the trie, and roots of one repository with different
tags. Texts are compared by rapidfuzz inside blocks of steps that begin alike, so that the cost
stays near-linear in the number of steps.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dockstrata.meaning.images import Image
from dockstrata.meaning.step import Step
from dockstrata.similarity.trie import Node, Trie
from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.readable import readable
from dockstrata.syntax.reference import parse_reference
from dockstrata.syntax.words import is_symbolic

SCORE = 82.0
"""The least rapidfuzz ratio (0 to 100) of two steps that may be meant to be one."""
_LARGEST_BLOCK = 400
_VERSION = re.compile(r"\bv?\d+(?:[._-]\d+)*(?:[-+~][\w.]+)?\b|\b[0-9a-f]{12,}\b")
_INSTALL = re.compile(r"\b(?:install|add|require)\b")


@dataclass(frozen=True, slots=True)
class NearEdit:
    """Replace ``old`` by ``new`` in the instruction at ``path:line``.

    ``kind`` is what sets them apart: ``whitespace``, ``order``, ``version``, ``packages``,
    ``root-version``, ``context`` (the same text with another environment, user or folder) or
    ``text``.
    """

    path: str
    line: int
    kind: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class NearMiss:
    """After ``edits``, ``images`` would share ``gained`` steps more than now."""

    images: tuple[Image, ...]
    gained: int
    edits: tuple[NearEdit, ...]

    @property
    def payoff(self) -> tuple[int, int]:
        """What ranks it: steps saved in all, less one for each edit; then fewer edits."""
        files = len({edit.path for edit in self.edits})
        return (self.gained * min(files, len(self.images) - files) * 2 - len(self.edits), -files)


def near_misses(trie: Trie, limit: int = 100) -> list[NearMiss]:
    """The best near misses, best first."""
    found = list(_roots(trie.roots))
    for node in trie.walk():
        if len(node.children) > 1:
            found += _siblings(node.children)
    found = [miss for miss in found if miss.payoff[0] > 0]
    found.sort(key=lambda miss: (miss.payoff, miss.images[0].id), reverse=True)
    return found[:limit]


def _roots(roots: Sequence[Node]) -> Iterator[NearMiss]:
    """One repository with several tags, where the first steps are the same."""
    groups: dict[str, list[Node]] = defaultdict(list)
    for root in roots:
        image = _any_image(root)
        if image is not None and not is_symbolic(image.stage.root):
            reference = parse_reference(image.stage.root)
            if reference.digest is None:
                groups[f"{reference.registry}/{reference.repository}"].append(root)
    for nodes in groups.values():
        nodes.sort(key=lambda node: -len(_below(node)))
        for other in nodes[1:]:
            gained, mine, theirs = _alike(nodes[0], other)
            if gained and theirs:
                if _older(mine[0].stage.root, theirs[0].stage.root):
                    mine, theirs = theirs, mine
                target = mine[0].stage.node.arguments[0]
                edits = [
                    _edit(image.stage.node, "root-version", image.stage.node.arguments[0], target)
                    for image in theirs
                ]
                if any(edit.old == edit.new for edit in edits):
                    continue  # one image for two platforms
                yield NearMiss((*mine, *theirs), gained, tuple(edits))


def _siblings(children: Sequence[Node]) -> Iterator[NearMiss]:
    blocks: dict[tuple[str, str], list[Node]] = defaultdict(list)
    for node in children:
        if node.step is not None and node.images and node.step.kind != "WORKDIR":
            blocks[node.step.kind, _beginning(node.step)].append(node)
    for nodes in blocks.values():
        if 1 < len(nodes) <= _LARGEST_BLOCK:
            yield from _block(sorted(nodes, key=lambda node: -len(node.images)))


def _block(nodes: list[Node]) -> Iterator[NearMiss]:
    """Each node that is like a more frequent one of its block, measured against that one."""
    from rapidfuzz import fuzz, process

    texts = [_canonical(_step(node)) for node in nodes]
    leaders: list[int] = []
    for at, node in enumerate(nodes):
        best = process.extractOne(
            texts[at], [texts[leader] for leader in leaders], scorer=fuzz.ratio, score_cutoff=SCORE
        )
        if best is None:
            leaders.append(at)
            continue
        leader = nodes[leaders[best[2]]]
        gained, mine, theirs = _alike_steps(leader, node)
        kind = difference(_step(node), _step(leader))
        if kind == "context" and _step(node).env is None:
            continue  # the same words, other files: no edit of a Dockerfile brings them together
        old, new = _texts(_step(node), _step(leader))
        if old == new:
            continue  # what the builds are given differs
        if kind == "version" and _older(new, old):
            old, new, node, mine, theirs = new, old, leader, theirs, mine
        if gained and mine and theirs:
            edits = [_edit(_own(image, node).instruction, kind, old, new) for image in theirs]
            # Images on one parent share its instruction.
            yield NearMiss((*mine, *theirs), gained, tuple(dict.fromkeys(edits)))


def difference(step: Step, other: Step) -> str:
    """What sets two similar steps apart, the most harmless name that fits."""
    mine, theirs = _said(step), _said(other)
    if mine == theirs:
        return "context"
    words, others = mine.split(), theirs.split()
    if words == others:
        return "whitespace"
    if sorted(words) == sorted(others):
        return "order"
    if _VERSION.sub("#", " ".join(words)) == _VERSION.sub("#", " ".join(others)):
        return "version"
    apart = set(words) ^ set(others)
    plain = all(re.fullmatch(r"[\w.+:=<>~!@/-]+", word) for word in apart)
    if plain and _INSTALL.search(mine) and _INSTALL.search(theirs):
        return "packages"
    return "text"


def _said(step: Step) -> str:
    """The logical line but for its keyword, which may be written in any case."""
    node = step.instruction
    return node.line[len(node.written) :]


def _older(one: str, other: str) -> bool:
    """Whether the first number in which two texts differ is lower in ``one``: nobody goes back."""
    pairs = zip(re.findall(r"\d+", one), re.findall(r"\d+", other), strict=False)
    return next((int(mine) < int(theirs) for mine, theirs in pairs if mine != theirs), False)


def _texts(step: Step, other: Step) -> tuple[str, str]:
    if _said(step) != _said(other):
        return step.instruction.line, other.instruction.line
    mine, theirs = _context(step), _context(other)
    if set(mine) == set(theirs):
        return " ".join(mine), " ".join(theirs)  # another order
    return (
        " ".join(sorted(set(mine) - set(theirs))),
        " ".join(sorted(set(theirs) - set(mine))),
    )


def _context(step: Step) -> list[str]:
    """The environment in its order, user and folder of a step, one text each."""
    env = [f"{name}={readable(value)}" for name, value in step.env or ()]
    return env + [readable(part) for part in step.body if isinstance(part, str) and part]


def _edit(node: Instruction, kind: str, old: str, new: str) -> NearEdit:
    return NearEdit(node.source.path, node.start_line, kind, old, new)


def _alike_steps(one: Node, other: Node) -> tuple[int, list[Image], list[Image]]:
    """As :func:`_alike`, for two steps that are taken to be equal themselves."""
    gained, mine, theirs = _alike(one, other)
    return (1 + gained, mine, theirs) if gained else (1, list(one.images), list(other.images))


def _alike(one: Node, other: Node) -> tuple[int, list[Image], list[Image]]:
    """How many steps below two nodes are the same but for their parents, and whose they are."""
    best: tuple[int, list[Image], list[Image]] = (0, [], [])
    mine = {_key(_step(child)): child for child in one.children if child.images}
    for child in other.children:
        twin = mine.get(_key(_step(child))) if child.images else None
        if twin is None:
            continue
        deeper = _alike(twin, child)
        here = (1 + deeper[0], deeper[1] or list(twin.images), deeper[2] or list(child.images))
        best = max(best, here, key=lambda found: found[0])
    return best


def _key(step: Step) -> tuple[object, ...]:
    return (step.kind, step.body, step.env)


def _step(node: Node) -> Step:
    assert node.step is not None
    return node.step


def _own(image: Image, node: Node) -> Step:
    """The instruction for the step of ``node``: the image's own, or that of one it is built on."""
    return next(step for step in image.all_steps if step.chain == node.chain)


def _any_image(node: Node) -> Image | None:
    return next(iter(_below(node)), None)


def _below(node: Node) -> list[Image]:
    images = list(node.ends)
    for child in node.children:
        images += child.images
    return images


def _canonical(step: Step) -> str:
    return " ".join(step.instruction.line.split())


def _beginning(step: Step) -> str:
    """What two steps must agree in to be compared: the first words, numbers left out."""
    words: Iterable[str] = step.instruction.line.split()[1:3]
    return " ".join(_VERSION.sub("#", word) for word in words)
