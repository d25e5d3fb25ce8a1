"""With the arguments' defaults, FROM names no valid image.

Such a file builds only for those who know which ``--build-arg`` to pass. A default makes it build
for everyone.

Bad:

    ARG RELEASE
    FROM debian:${RELEASE}

Good:

    ARG RELEASE=12.5
    FROM debian:${RELEASE}

Source: BuildKit InvalidDefaultArgInFrom.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.meaning.evaluate import PLATFORM_ARGUMENTS
from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata.syntax.reference import parse_reference
from dockstrata.syntax.words import Lookup, WordError, expand

# What the build platform is does not matter to whether a name is valid.
_PLATFORM = dict.fromkeys(PLATFORM_ARGUMENTS, "linux")


@rule(code="InvalidDefaultArgInFrom", name="invalid-default-arg-in-from", severity=Severity.WARNING)
def invalid_default_arg_in_from(context: Context) -> Iterator[Finding]:
    lookup = _defaults(context)
    for stage in context.stages:
        written = stage.node.argument
        try:
            image = expand(written, lookup, context.document.escape)
        except WordError:
            return
        if not parse_reference(image).valid:
            yield context.finding(
                stage.node,
                f"Default value for ARG {written} results in empty or invalid base image name",
            )


def _defaults(context: Context) -> Lookup:
    values: dict[str, str] = dict(_PLATFORM)
    for node in context.evaluation.globals:
        for word in node.arguments:
            name, _, value = word.partition("=")
            try:
                values[name] = expand(value, values.get, context.document.escape)
            except WordError:
                values[name] = ""
    return values.get
