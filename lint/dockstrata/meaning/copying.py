"""What a COPY or ADD is: where it takes files from, which ones, and how they are put down."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from dockstrata.meaning.paths import destination
from dockstrata.meaning.running import Taken, origin
from dockstrata.meaning.stage import Stage
from dockstrata.meaning.state import State
from dockstrata.syntax.heredoc import Heredoc, parse_opener
from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.words import Lexer, is_symbolic

if TYPE_CHECKING:
    from dockstrata.meaning.evaluate import Evaluator

_REMOTE = re.compile(r"^(?:https?|ftp|git|ssh)://|^[\w.-]+@[\w.-]+:|^github\.com/")


def body(
    node: Instruction, state: State, evaluator: Evaluator, stage: Stage, taken: Taken
) -> tuple[object, ...]:
    words = [evaluator.expand(word) for word in node.arguments]
    *sources, target = words or [""]
    excludes = tuple(node.all_flags("exclude"))
    expanded = tuple(map(evaluator.expand, excludes))
    # Not every BuildKit expands them; what is left out counts then all the same.
    certain = excludes if expanded == excludes else ()
    source_image, named = _origin(node, evaluator, stage, taken)
    parents = (node.flag("parents") or "true").lower() == "true"
    parents = parents and node.flag("parents") is not None
    items: list[object] = []
    remaining = list(node.heredocs)
    for written, source in zip(node.arguments, sources, strict=False):
        if not node.json and remaining and parse_opener(written) is not None:
            items.append(_inline(remaining.pop(0), evaluator))
        elif source_image is not None and named is None:
            items.append(source if parents else _clean(source))
        elif node.keyword == "ADD" and _REMOTE.match(source):
            items.append(("remote", source))
        else:
            content = _content(source, certain, evaluator, taken, parents, named)
            items.append((source if parents else _clean(source), content))
    return (
        source_image,
        tuple(items),
        destination(state.workdir, target),
        (excludes, expanded),
        _options(node, evaluator),
    )


def _origin(
    node: Instruction, evaluator: Evaluator, stage: Stage, taken: Taken
) -> tuple[tuple[str, ...] | None, str | None]:
    """``--from``: a stage (told apart by its chain, elsewhere), an image, a named context and its
    folder; twice ``None``: the build's own context."""
    name = node.flag("from") if node.keyword == "COPY" else None
    if not name:
        return None, None
    return origin(name, evaluator, stage, taken, numbers=True)


def _content(
    source: str,
    excludes: tuple[str, ...],
    evaluator: Evaluator,
    taken: Taken,
    parents: bool,
    named: str | None,
) -> tuple[object, ...]:
    # --parents gives "/./" in a source a meaning of its own.
    path = source if parents else _clean(source).lstrip("/") or "."
    found = evaluator.context(path, excludes, parents=parents, named=named)
    taken.add(found)
    return found.key


def _inline(heredoc: Heredoc, evaluator: Evaluator) -> tuple[str, str, str]:
    text = heredoc.body
    if heredoc.expand:
        # Always with the backslash, whatever the escape directive says.
        text = Lexer(text, evaluator.lookup, "\\", keep_quotes=True).word()
    return ("heredoc", heredoc.name, text)


def _clean(source: str) -> str:
    """``./a``, ``a`` and ``/a`` are one path of a build context."""
    if is_symbolic(source):
        return source
    return posixpath.normpath("/" + source.lstrip("/"))


def _options(node: Instruction, evaluator: Evaluator) -> tuple[tuple[str, str], ...]:
    options: list[tuple[str, str]] = []
    if not node.flags:
        return ()
    for name in ("chown", "chmod", "checksum", "link", "parents", "keep-git-dir", "unpack"):
        value = node.flag(name)
        if value is None or (value.lower() == "false" and name != "unpack"):
            continue
        value = evaluator.expand(value)
        if name == "chmod" and re.fullmatch(r"[0-7]+", value):
            value = oct(int(value, 8))
        options.append((name, "true" if value.lower() == "true" else value))
    return tuple((name, value or "true") for name, value in options)
