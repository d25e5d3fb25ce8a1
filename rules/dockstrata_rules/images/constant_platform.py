"""FROM pins the platform to a constant.

The image can then be built for that platform alone, and the stage built for another one by mistake
runs under emulation. Where a stage is for one platform by design, its name should say so.

Bad:

    FROM --platform=linux/amd64 debian:12.5 AS build

Good:

    FROM --platform=$BUILDPLATFORM debian:12.5 AS build

Fix: unsafe. The flag goes: the stage is built for the platform that is asked for.

Source: hadolint DL3029; BuildKit FromPlatformFlagConstDisallowed, which lets a stage pass whose
name contains the platform's system or architecture.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fix, Fixable, Severity, Stage, rule, unsafe
from dockstrata.source import Span


@rule(
    code="DL3029",
    name="constant-platform",
    severity=Severity.WARNING,
    aliases=("FromPlatformFlagConstDisallowed",),
    fix=Fixable.SOMETIMES,
)
def constant_platform(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        platform = stage.node.flag("platform")
        if not platform or "BUILDPLATFORM" in platform or "TARGETPLATFORM" in platform:
            continue
        constant = "$" not in platform and not _named_for(stage, platform)
        yield context.finding(
            stage.node,
            f'FROM --platform flag should not use constant value "{platform}"',
            aliases=None if constant else (),
            fix=_without(context, stage, platform) if constant else None,
        )


def _named_for(stage: Stage, platform: str) -> bool:
    return any(part in (stage.name or "") for part in platform.lower().split("/")[:2])


def _without(context: Context, stage: Stage, platform: str) -> Fix | None:
    found = stage.node.find(f"--platform={platform}")
    if found is None:
        return None
    end = found.end
    while context.source.text[end] in " \t":
        end += 1
    return unsafe(context.edit(Span(found.start, end), ""))
