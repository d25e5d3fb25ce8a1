"""COPY or ADD names a file that the ignore file keeps out of the build context.

It is not there when the image is built: the build fails, or a wildcard copies nothing.

Bad:

    # .dockerignore
    */tmp/*
    # Dockerfile
    FROM scratch
    COPY ./app/tmp/helloworld.txt /helloworld.txt

Good:

    # .dockerignore
    */tmp/*
    # Dockerfile
    FROM scratch
    COPY ./forever/helloworld.txt /helloworld.txt

Good:

    # .dockerignore
    *
    !src
    # Dockerfile
    FROM scratch
    COPY . /src

Good:

    # .dockerignore
    src/*
    !src/main
    # Dockerfile
    FROM scratch
    COPY src/ /src

Source: BuildKit. The build context is what compose, bake or configuration say; a Dockerfile that
nothing mentions is built with its own folder where a ``.dockerignore`` lies in it, and else only
``<Dockerfile>.dockerignore`` counts. Unlike BuildKit's, the check is
silent where a ``!`` pattern may bring back some of what is copied, and for the whole context unless
all of it is left out; it knows ``./file``, ``../file`` and folders of which all files are left out
(``COPY conf``, ``conf/*``). Arguments have their defaults, or what the build gives.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dockstrata.rule import Evaluation, Finding, SetContext, Severity, set_rule
from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.readable import by_default

if TYPE_CHECKING:
    from dockstrata.load.ignorefile import IgnoreFile

_WILDCARD = re.compile(r"\*|\?|\[[^/]*?\]")
_ANY = "\x01\x02"
"""What a wildcard stands for: text that no pattern names, of more than one character."""


@set_rule(code="CopyIgnoredFile", name="copy-ignored-file", severity=Severity.WARNING, alone=True)
def copy_ignored_file(context: SetContext) -> Iterator[Finding]:
    for evaluation in context.images.evaluations:
        copies = list(_copies(evaluation))
        if not copies or evaluation.build is None:
            continue
        ignore = context.facts.ignore_file(evaluation.build)
        if ignore is None:
            continue
        for node, source, path in copies:
            pattern = _excluding(ignore, path)
            if pattern is not None:
                yield context.finding(
                    node,
                    f'Attempting to {node.keyword.capitalize()} file "{source}" that is excluded'
                    f" by {posixpath.normpath(ignore.path)} (`{pattern}`)",
                )


def _copies(evaluation: Evaluation) -> Iterator[tuple[Instruction, str, str]]:
    """What the file's own COPYs and ADDs take from the build context: to show, and its path."""
    for stage in evaluation.stages:
        for item in stage.evaluated:
            node, step = item.instruction, item.step
            if step is None or step.kind not in ("COPY", "ADD"):
                continue
            origin, items, *_ = step.body
            if origin is not None or node.source is not evaluation.document.source:
                continue
            assert isinstance(items, tuple)
            for written, (source, *rest) in zip(node.arguments, items, strict=False):
                if len(rest) != 1 or source == "remote":
                    continue  # a heredoc, or from elsewhere
                path = by_default(source)
                if path is not None:
                    yield node, path if "$" in written else written, path


def _clean(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))[1:] or "."


def _excluding(ignore: IgnoreFile, path: str) -> str | None:
    """The pattern that keeps all that ``path`` names out of the context."""
    is_folder = path.endswith("/")
    path = _clean(path)
    back = any(pattern.negated for pattern in ignore.patterns)
    if path == ".":
        return None if back else ignore.excluding(_ANY)
    if back and (wildcard := _WILDCARD.search(path)):
        path, is_folder = path[: wildcard.start()].rpartition("/")[0], True
    if not path:
        return None
    path = _WILDCARD.sub(_ANY, path)
    found = ignore.excluding(path)
    if found is None and not ignore.reaches_into(path):
        found = ignore.excluding(f"{path}/{_ANY}")
        # What is no folder has nothing below it: the pattern must name it as one.
        if found is not None and not (is_folder or found.startswith(f"{path}/")):
            return None
    return found
