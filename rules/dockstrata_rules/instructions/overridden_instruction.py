"""CMD, ENTRYPOINT or HEALTHCHECK that a later one in the same stage replaces.

It has no effect at all: remove it, or the later one.

Bad:

    FROM debian:12.5
    CMD ["serve"]
    CMD ["serve", "--fast"]

Good:

    FROM debian:12.5
    CMD ["serve", "--fast"]

Fix: safe. What is removed had no effect on the image.

Source: BuildKit MultipleInstructionsDisallowed, which points at the replaced instruction;
hadolint's DL3012, DL4003 and DL4004 point at the one that replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Related, Severity, rule
from dockstrata_rules.instructions.overridden import overridden, removal


@rule(
    code="MultipleInstructionsDisallowed",
    name="overridden-instruction",
    severity=Severity.WARNING,
    fix=Fixable.ALWAYS,
)
def overridden_instruction(context: Context) -> Iterator[Finding]:
    for replaced, node in overridden(context, "CMD", "ENTRYPOINT", "HEALTHCHECK"):
        here = Related(context.document.path, node.start_line, "replaced by this one")
        yield context.finding(
            replaced,
            f"Multiple {node.keyword} instructions should not be used in the same stage"
            " because only the last one will be used",
            related=[here],
            fix=removal(context, replaced),
        )
