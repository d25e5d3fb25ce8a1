"""``tree --format json``: every image with its steps and chain digests, and what repeats."""

from __future__ import annotations

from dockstrata.meaning.images import Image
from dockstrata.meaning.repository import Repository
from dockstrata.similarity.trie import Trie
from dockstrata.syntax.readable import readable


def tree_json(repository: Repository, trie: Trie) -> dict[str, object]:
    """The object of the JSON contract, version 1."""
    images = repository.set.images
    chains = {step.chain for image in images for step in image.steps}
    return {
        "version": 1,
        "totals": {
            "dockerfiles": len(repository.set.evaluations),
            "images": len(images),
            "steps": sum(len(image.steps) for image in images),
            "steps_distinct": len(chains),
        },
        "images": [_image(image, repository) for image in images],
        "prefixes": [
            {"chain": node.chain, "steps": node.length, "images": [i.id for i in node.images]}
            for node in trie.shared()
        ],
        "skipped": [
            {"path": skip.path, "reason": skip.reason, "message": skip.message}
            for skip in repository.skipped
        ],
        "problems": [
            {"path": problem.path, "line": problem.line, "message": problem.message}
            for problem in repository.problems
        ],
    }


def _image(image: Image, repository: Repository) -> dict[str, object]:
    generated = repository.generated.get(image.path)
    return {
        "id": image.id,
        "path": image.path,
        "stage": image.stage.label,
        "index": image.stage.index,
        "root": readable(image.stage.root),
        "depth": image.depth,
        "parent": image.parent.id if image.parent is not None else None,
        "steps": [
            {
                "line": step.instruction.start_line,
                "instruction": step.kind,
                "chain": step.chain,
            }
            for step in image.steps
        ],
        "config": image.stage.config_digest(),
        "generated": generated.reason if generated is not None else None,
        "problem": image.stage.problem,
    }
