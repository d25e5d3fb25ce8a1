"""A variable is used that neither the file nor a build argument sets.

It expands to nothing, unless the root image's environment has it, which the file does not show.

Bad:

    FROM debian:12.5
    WORKDIR /opt/$APP_NAME

Good:

    FROM debian:12.5
    ARG APP_NAME=shop
    WORKDIR /opt/$APP_NAME

Fix: unsafe, where a variable with almost the same name is set: that one is used.

Source: BuildKit UndefinedVar.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from dockstrata.rule import (
    Context,
    Finding,
    Fix,
    Fixable,
    Instruction,
    Severity,
    rule,
    unsafe,
)

# BuildKit sets PATH where an image has none, and gives the others to SBOM scanners.
_ALWAYS = frozenset({"PATH", "BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"})


@rule(code="UndefinedVar", name="undefined-var", severity=Severity.WARNING, fix=Fixable.SOMETIMES)
def undefined_var(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            # BuildKit leaves EXPOSE out; triggers of a parent stage stand above this one.
            node = item.instruction
            if not item.uses or node.keyword == "EXPOSE" or node.span < stage.node.span:
                continue
            known = item.before.env
            for name in sorted(item.uses):
                if name not in known and name not in _ALWAYS:
                    near = _near(name, known)
                    yield context.finding(
                        node,
                        f"Usage of undefined variable '${name}'"
                        f"{f' (did you mean ${near}?)' if near else ''}",
                        fix=_renamed(context, node, name, near) if near else None,
                    )


def _near(name: str, names: Iterable[str]) -> str:
    from rapidfuzz.distance import Levenshtein

    best, least = "", 3
    for other in ("PATH", *names):
        distance = Levenshtein.distance(name, other)
        if distance < least:
            best, least = other, distance
    return best


def _renamed(context: Context, node: Instruction, name: str, near: str) -> Fix | None:
    """Use the variable ``near``; not where quotes or escapes may hide a dollar sign."""
    if node.keyword in ("RUN", "ONBUILD") or "'" in node.line or f"{node.escape}$" in node.line:
        return None
    places = re.finditer(rf"\$\{{?({re.escape(name)})\b", node.line)
    edits = [context.edit(node.span_of(it.start(1), it.end(1)), near) for it in places]
    return unsafe(*edits) if edits else None
