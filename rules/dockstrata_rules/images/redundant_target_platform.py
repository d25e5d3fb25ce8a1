"""``--platform=$TARGETPLATFORM`` says what is so anyway.

A stage is built for the target platform unless told otherwise.

Bad:

    FROM --platform=$TARGETPLATFORM debian:12.5

Good:

    FROM debian:12.5

Fix: safe. The platform stays the target's; the flag alone goes.

Source: hadolint DL3065; BuildKit RedundantTargetPlatform.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, Span, rule, safe, word_spans


@rule(
    code="DL3065",
    name="redundant-target-platform",
    severity=Severity.STYLE,
    aliases=("RedundantTargetPlatform",),
    fix=Fixable.SOMETIMES,
)
def redundant_target_platform(context: Context) -> Iterator[Finding]:
    for node in context.instructions("FROM"):
        platform = node.flag("platform")
        if platform not in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
            continue
        fix = None
        flag, words = node.find(f"--platform={platform}"), word_spans(node)
        if flag is not None and words:
            fix = safe(context.edit(Span(flag.start, words[0].start), ""))
        yield context.finding(
            node,
            f"Setting platform to predefined {platform} in FROM is redundant"
            " as this is the default behavior",
            fix=fix,
        )
