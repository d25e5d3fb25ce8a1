"""What the rules about the configured label schema share."""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Instruction
from dockstrata.syntax.shell import unquote


def label_values(
    context: Context, kind: str | None = None
) -> Iterator[tuple[Instruction, str, str]]:
    """LABEL, name and value of the labels that the schema names, of one ``kind`` or of any.

    A value with a variable in it is passed over: what it becomes is not written here.
    """
    schema = dict(context.settings.label_schema)
    if not schema:
        return
    for node in context.instructions("LABEL"):
        if node.fault is not None:
            continue
        for key, text in node.pairs():
            name, value = unquote(key), unquote(text)
            if name in schema and kind in (None, schema[name]) and "$" not in text:
                yield node, name, value
