"""Adds to a YAML file without touching what is there: text goes in between, nothing is dumped.

A round trip through a YAML library would lay out other lines anew (indentation, quotes, line
breaks); a reviewer should see the added lines alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockstrata.finding import Edit
from dockstrata.source import Source, Span

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node, ScalarNode  # type: ignore[import-untyped]

_PLAIN = re.compile(r"[A-Za-z0-9_./~-][A-Za-z0-9_./~ -]*")


class NotEditableError(Exception):
    """The file says this in a way that text cannot be added to; ``str()`` says how."""


class YamlText:
    """One YAML document: its text, its nodes, and edits of the text.

    Raises ``yaml.YAMLError`` where it is none, :class:`NotEditableError` where it is no mapping.
    """

    def __init__(self, path: str, text: str) -> None:
        import yaml  # type: ignore[import-untyped]

        self.path, self.text = path, text
        self.newline = Source(path, text).newline
        self.skipped = int(text.startswith("\ufeff"))
        node = yaml.compose(text[self.skipped :], Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.nodes.MappingNode):
            raise NotEditableError("is no mapping")
        self.root: MappingNode = node

    def start(self, node: Node) -> int:
        return int(node.start_mark.index) + self.skipped

    def end(self, node: Node) -> int:
        return min(int(node.end_mark.index) + self.skipped, len(self.text))

    def written(self, node: Node) -> str:
        """A node's text as it stands."""
        return self.text[self.start(node) : self.end(node)]

    def is_alias(self, key: ScalarNode, value: Node) -> bool:
        """Whether the value is written elsewhere (``*name``)."""
        return self.start(value) < self.end(key)

    # -- edits

    def replaced(self, start: int, end: int, text: str) -> Edit:
        return Edit(self.path, Span(start, end), text)

    def lines_after(self, index: int, lines: Sequence[str]) -> Edit:
        """Whole lines below the line that ``index`` is in."""
        end = self.text.find("\n", index)
        if end < 0:
            text = "".join(self.newline + line for line in lines)
            return self.replaced(len(self.text), len(self.text), text)
        text = "".join(line + self.newline for line in lines)
        return self.replaced(end + 1, end + 1, text)

    def inside(self, node: Node, item: str) -> Edit:
        """One more item in a flow mapping or sequence."""
        start, end = self.start(node), self.end(node) - 1
        start = self.text.find("{" if self.text[end] == "}" else "[", start, end)
        inner = self.text[start + 1 : end]
        if start < 0 or "#" in inner:
            raise NotEditableError("has a comment between braces")
        kept = inner.rstrip()
        comma = "" if not kept or kept.endswith(",") else ","
        space = " " if kept else ""
        at = start + 1 + len(kept)
        return self.replaced(at, at, f"{comma}{space}{item}")

    def tail(self, node: Node, start: int) -> int:
        """Where the last text of a node is that begins behind ``start``."""
        from yaml.nodes import MappingNode, ScalarNode

        if self.start(node) < start:
            return start  # an alias: its name is on the line of its key
        if isinstance(node, ScalarNode):
            return max(start, len(self.text[: self.end(node)].rstrip()))
        if node.flow_style or not node.value:
            return self.end(node)
        if isinstance(node, MappingNode):
            key, value = node.value[-1]
            return self.tail(value, self.end(key))
        last = node.value[-1]
        if self.start(last) < self.start(node):
            raise NotEditableError("ends in an alias")
        return self.tail(last, self.start(last))


def entry(mapping: Node, name: str) -> tuple[ScalarNode, Node] | None:
    """A mapping's own key and value; what comes by a merge key (``<<``) does not count."""
    from yaml.nodes import MappingNode, ScalarNode

    if isinstance(mapping, MappingNode):
        for key, value in mapping.value:
            if isinstance(key, ScalarNode) and key.value == name:
                return key, value
    return None


def scalar(text: str) -> str:
    """A text as a YAML scalar that compose leaves alone: quoted where it must be."""
    if _PLAIN.fullmatch(text) and text == text.strip() and not _is_other(text):
        return text
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)


def _is_other(text: str) -> bool:
    """Whether YAML would take the word for something else than a text."""
    other = {"null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "-", "."}
    if text.startswith(("./", "../")):
        return False
    return text.lower() in other or text[0] in "-." or bool(re.match(r"[0-9]", text))


def plain(node: Node | None, known: dict[int, object] | None = None) -> object:
    """A node as dicts, lists and texts; what is an alias of one thing is one object."""
    from yaml.nodes import MappingNode, SequenceNode

    known = {} if known is None else known
    if node is None or id(node) in known:
        return None if node is None else known[id(node)]
    if isinstance(node, MappingNode):
        mapping: dict[object, object] = {}
        known[id(node)] = mapping
        for key, value in node.value:
            mapping[str(plain(key, known))] = plain(value, known)
        return mapping
    if isinstance(node, SequenceNode):
        items: list[object] = []
        known[id(node)] = items
        items += [plain(item, known) for item in node.value]
        return items
    known[id(node)] = node.value
    return node.value
