"""Which step of a set which measured layer belongs to.

A builder writes the text of an instruction into an image's history: BuildKit as it was executed,
the classic builder and buildah with a digest in place of the files that COPY took. Layers are
followed from step to step along the prefixes of the set; where that leads nowhere (a Dockerfile
has changed above), a text that leaves no doubt is enough.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from dockstrata.meaning.images import ImageSet
from dockstrata.meaning.step import Step
from dockstrata.plan.layers import Image
from dockstrata.similarity.trie import Node, Trie, build_trie

MEGABYTE = 1_000_000
_KINDS = ("RUN", "COPY", "ADD", "WORKDIR")
_OTHERS = re.compile(
    r"^(?:ARG|CMD|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|SHELL|STOPSIGNAL"
    r"|USER|VOLUME) "
)
_NOTHING = re.compile(r"^\S.*?#\(nop\)\s+")
"""How the classic builder and buildah begin what runs no command."""
_HASHED = re.compile(r"^(?:--\S+?\s*)?(?:file|dir|multi):[0-9a-f]* in (.*)$")
_VARIABLE = re.compile(r"\$(?:\{[^}]*\}|\w+)")


class Match(Enum):
    """How well a layer's text fits a step: by all of it, or by what it does not hide."""

    EXACT = 2
    OPEN = 1


@dataclass(frozen=True, slots=True)
class _Made:
    """A layer of one of the four kinds; ``text`` with its blanks made one."""

    kind: str
    text: str
    size: float


def sizes_of(trie: Trie, images: Sequence[Image]) -> dict[str, float]:
    """By chain digest, the measured size in MB of each step that the images tell of; the mean of
    several."""
    told = [list(_made(image)) for image in images]
    patterns = {node.chain: _Pattern(node.step) for node in trie.walk() if node.step is not None}
    found: dict[str, list[float]] = defaultdict(list)
    for layers in told:
        for chain, size in _followed(trie, patterns, layers):
            found[chain].append(size)
    loose = [layer for layers in told for layer in layers]
    for chain, pattern in patterns.items():
        if chain not in found:
            sizes = [layer.size for layer in loose if pattern.match(layer) is Match.EXACT]
            if sizes:
                found[chain] = sizes
    return {chain: sum(sizes) / len(sizes) / MEGABYTE for chain, sizes in found.items()}


def coverage(images: ImageSet, measured: Sequence[Image]) -> tuple[int, int]:
    """How many distinct steps of a set have a measured size, and how many there are."""
    trie = build_trie(images.images)
    return len(sizes_of(trie, measured)), sum(node.step is not None for node in trie.walk())


def _made(image: Image) -> Iterator[_Made]:
    for layer in image:
        text = " ".join(layer.created_by.strip().removesuffix("# buildkit").split())
        text = _NOTHING.sub("", text, count=1)
        keyword, _, rest = text.partition(" ")
        if keyword in _KINDS:
            yield _Made(keyword, rest, layer.size)
        elif text and not _OTHERS.match(text):
            yield _Made("RUN", text, layer.size)


def _followed(
    trie: Trie, patterns: dict[str, _Pattern], layers: Sequence[_Made]
) -> Iterator[tuple[str, float]]:
    """Steps that an image's layers lead through one after another, with their sizes.

    What only fits by what it does not hide counts where something on the same way fits by all of
    it, or where the way begins with nothing below.
    """
    starts = [child for root in trie.roots for child in root.children]
    ways: list[dict[str, tuple[Node, Match]]] = []
    before: list[Node] = []
    for number, layer in enumerate(layers):
        reached: dict[str, tuple[Node, Match]] = {}
        for node in [*(child for parent in before for child in parent.children), *starts]:
            match = patterns[node.chain].match(layer)
            if match is not None:
                if number == 0 and node.images[0].stage.root == "scratch":
                    match = Match.EXACT
                reached[node.chain] = (node, match)
        ways.append(reached)
        skipped = before if layer.kind == "WORKDIR" else []  # one that changes nothing is no step
        before = [*(node for node, _ in reached.values()), *skipped]
    trusted = _trusted(ways)
    for layer, chains in zip(layers, trusted, strict=True):
        for chain in chains:
            yield chain, layer.size


def _trusted(ways: Sequence[dict[str, tuple[Node, Match]]]) -> list[set[str]]:
    """Of the steps that each layer may be those with an exact one on their way, above or below."""
    found: list[set[str]] = []
    for reached in ways:
        above = found[-1] if found else set()
        found.append(
            {
                chain
                for chain, (node, match) in reached.items()
                if match is Match.EXACT or _parent(node) in above
            }
        )
    for number in range(len(ways) - 1, 0, -1):
        below = {_parent(ways[number][chain][0]) for chain in found[number]}
        found[number - 1] |= below & ways[number - 1].keys()
    return found


def _parent(node: Node) -> str:
    return "" if node.parent is None else node.parent.chain


class _Pattern:
    """What builders may have written of a step."""

    def __init__(self, step: Step) -> None:
        self.step = step

    def match(self, layer: _Made) -> Match | None:
        """How the layer fits, ``None`` where it does not."""
        if layer.kind != self.step.kind:
            return None
        if layer.kind == "WORKDIR":
            return Match.OPEN
        if layer.kind == "RUN":
            fits = any(
                layer.text == command
                or (layer.text.startswith("|") and layer.text.endswith(f" {command}"))
                for command in self.commands
            )
            return Match.EXACT if fits else None
        if (hashed := _HASHED.match(layer.text)) is not None:
            return Match.OPEN if self.target.match(hashed[1].strip()) else None
        return Match.EXACT if self.words.match(layer.text) else None

    @cached_property
    def commands(self) -> frozenset[str]:
        """As BuildKit and the classic builder write it, with the shell; as buildah does, which
        knows no other shell in OCI images and leaves the exec form as it was written."""
        arguments = self.step.body[0]
        words = arguments if isinstance(arguments, tuple) else ()
        texts = (" ".join(words), f"/bin/sh -c {self.step.instruction.rest}")
        return frozenset(" ".join(text.split()) for text in texts)

    @cached_property
    def words(self) -> re.Pattern[str]:
        """Sources and target of a COPY, where variables may be anything."""
        return _fitting(" ".join(self.step.instruction.arguments))

    @cached_property
    def target(self) -> re.Pattern[str]:
        return _fitting(
            self.step.instruction.arguments[-1] if self.step.instruction.arguments else ""
        )


def _fitting(text: str) -> re.Pattern[str]:
    text = " ".join(text.replace('"', "").replace("'", "").split())
    return re.compile(".*".join(map(re.escape, _VARIABLE.split(text))) + "$")
