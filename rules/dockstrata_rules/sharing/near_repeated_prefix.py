"""Images begin almost alike: a small edit would let them share more steps.

Such steps were one once, or were meant to be: a package list in another order, a version that
was raised in one file alone. Made the same, they are a repeated prefix (DS101), which one base
image can hold.

Bad:

    # shop/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl git make
    COPY shop /
    # cart/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl make git
    COPY cart /

Good:

    # shop/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl git make
    COPY shop /
    # cart/Dockerfile
    FROM debian:12.5
    RUN apt-get update && apt-get install -y curl git make
    COPY cart /

Source: dockstrata. Compared are steps on the same prefix, and root images of one repository whose
tags differ in numbers. What the files' paths differ in is meant and not reported, nor is another
version beside another version in the path (``3.12/Dockerfile`` and ``3.13/Dockerfile``), nor lists
of packages that have little in common, nor copies from another stage; ``dockstrata plan`` lists
these too, under near misses.
Files that a program writes are passed over, and bases that ``apply`` wrote: their paths no longer
say what is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.meaning.images import Image
from dockstrata.rule import Finding, Instruction, Related, SetContext, Severity, set_rule
from dockstrata.similarity.near import NearEdit, NearMiss, near_misses

_ALL = 10_000
_ALIKE = 0.75
"""The least share of packages that two lists must have in common."""
_NUMBERS = re.compile(r"\d+")
_PART = re.compile(r"\d+(?:\.\d+)*|[A-Za-z]{3,}")
# In a path one digit behind letters is no version: it only counts (`app1`, `app2`).
_VERSION = r"(?<![A-Za-z])\d+(?:\.\d+)*|\d+(?:\.\d+)+|\d{2,}"
_PATH_PART = re.compile(rf"{_VERSION}|[A-Za-z]{{3,}}")
_PATH_VERSION = re.compile(_VERSION)
_PACKAGES = re.compile(r"\b(?:install|add|require)\b([^&;|]*)")
_APART = {
    "whitespace": "in white space",
    "order": "in the order of its words",
    "version": "in versions",
    "root-version": "in its tag",
    "packages": "in what is installed",
}


@set_rule(code="DS102", name="near-repeated-prefix", severity=Severity.INFO)
def near_repeated_prefix(context: SetContext) -> Iterator[Finding]:
    seen: set[tuple[str, int, Related]] = set()
    for miss in near_misses(context.trie, _ALL):
        passed = (context.facts.generated, context.facts.library.marked)
        if any(edit.path in files for edit in miss.edits for files in passed):
            continue
        if not _is_worth_it(miss):
            continue
        first, *others = miss.edits
        wanted = _wanted(miss)
        if (first.path, first.line, wanted) in seen:
            continue  # the same two steps, as another build has them
        seen.add((first.path, first.line, wanted))
        node = _node(context, first)
        related = [Related(edit.path, edit.line, "the same edit here") for edit in others]
        yield context.finding(node, _message(miss), related=[*related, wanted])


def _is_worth_it(miss: NearMiss) -> bool:
    edit, like = miss.edits[0], miss.images[0]
    if edit.kind not in _APART or _is_meant(edit, like.path):
        return False
    if any(word.startswith("--from=") for word in _apart(edit.old, edit.new)):
        return False  # the number of a stage is no version
    if edit.kind == "root-version":
        gained = like.all_steps[: miss.gained]
        plain = _NUMBERS.sub("#", edit.old) == _NUMBERS.sub("#", edit.new)
        return plain and any(step.kind != "WORKDIR" for step in gained)
    if edit.kind == "packages":
        mine, theirs = _packages(edit.old), _packages(edit.new)
        return len(mine & theirs) >= _ALIKE * len(mine | theirs)
    return True


def _is_meant(edit: NearEdit, path: str) -> bool:
    """Whether the paths say why: ``3.12/Dockerfile`` and ``3.13/Dockerfile``."""
    if edit.path != path and _PATH_VERSION.sub("#", edit.path) == _PATH_VERSION.sub("#", path):
        return edit.kind not in ("whitespace", "order")
    said = set(_PATH_PART.findall(edit.path)) ^ set(_PATH_PART.findall(path))
    apart = {part for word in _apart(edit.old, edit.new) for part in _PART.findall(word)}
    return any(
        f"{name}.".startswith(f"{part}.") or f"{part}.".startswith(f"{name}.")
        for name in said
        for part in apart
    )


def _apart(old: str, new: str) -> list[str]:
    """The words that one of the two has and the other has not, each once, in their order."""
    mine, theirs = dict.fromkeys(old.split()), dict.fromkeys(new.split())
    return [word for word in mine if word not in theirs] + [w for w in theirs if w not in mine]


def _packages(text: str) -> set[str]:
    words = (word for part in _PACKAGES.findall(text) for word in part.split())
    return {word for word in words if not word.startswith("-")}


def _node(context: SetContext, edit: NearEdit) -> Instruction:
    nodes = context.facts.library.documents[edit.path].instructions
    return next(node for node in nodes if node.start_line == edit.line)


def _wanted(miss: NearMiss) -> Related:
    """Where the text is that the others would be given."""
    image, edit = miss.images[0], miss.edits[0]
    return Related(image.path, _line(image, edit.new), "what it is compared with")


def _line(image: Image, text: str) -> int:
    lines = (s.instruction.start_line for s in image.steps if s.instruction.line == text)
    return next(lines, image.stage.node.start_line)


def _how(edit: NearEdit) -> str:
    if edit.kind == "packages" and _packages(edit.old) == _packages(edit.new):
        return "in a few words"
    return _APART[edit.kind]


def _message(miss: NearMiss) -> str:
    edit = miss.edits[0]
    subject = "the root image" if edit.kind == "root-version" else "this step"
    words = ", ".join(f"`{word}`" for word in _apart(edit.old, edit.new)[:4])
    edits = "one edit" if len(miss.edits) == 1 else f"{len(miss.edits)} edits"
    steps = "1 more step" if miss.gained == 1 else f"{miss.gained} more steps"
    return (
        f"{subject} differs from that of {miss.images[0].id} only {_how(edit)}"
        f"{f' ({words})' if words else ''}: after {edits}, {len(miss.images)} images share {steps}"
    )
