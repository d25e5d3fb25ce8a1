"""The whole build context is copied before dependencies are installed.

Any changed file then makes the installation run again. Copy what the installation reads, install,
and copy the rest after it.

Bad:

    FROM node:22.1
    WORKDIR /app
    COPY . .
    RUN npm ci

Good:

    FROM node:22.1
    WORKDIR /app
    COPY package.json package-lock.json ./
    RUN npm ci
    COPY . .

Source: dockstrata; Docker's guide on ordering layers for the build cache.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Instruction, Related, Severity, rule
from dockstrata.syntax.shell import Command

_INSTALLS = {
    "apk": {"add"},
    "apt": {"install"},
    "apt-get": {"install"},
    "bundle": {"install"},
    "cargo": {"fetch"},
    "composer": {"install"},
    "dnf": {"install"},
    "dotnet": {"restore"},
    "go": {"download"},
    "microdnf": {"install"},
    "npm": {"ci", "install", "i"},
    "pip": {"install"},
    "pip3": {"install"},
    "pnpm": {"install", "i"},
    "yarn": {"install"},
    "yum": {"install"},
}


@rule(code="DS203", name="volatile-before-stable", severity=Severity.INFO)
def volatile_before_stable(context: Context) -> Iterator[Finding]:
    reported: set[int] = set()
    for _item, shell, command in context.commands(*_INSTALLS):
        node = shell.instruction
        if not _installs(command):
            continue
        copied = _whole_context_before(context, node)
        if copied is not None and copied.start_line not in reported:
            reported.add(copied.start_line)
            what = f"{command.name} {next(v for v in command.values if not v.startswith('-'))}"
            yield context.finding(
                copied,
                f"everything is copied before `{what}`, so any changed file makes it run again:"
                " copy only what it reads before it, and the rest after it",
                related=[Related(context.document.path, node.start_line, "installed here")],
            )


def _installs(command: Command) -> bool:
    if not _INSTALLS[command.name] & set(command.values):
        return False
    # What is installed from the context itself needs it.
    return not any(value.startswith((".", "/", "-e")) for value in command.values)


def _whole_context_before(context: Context, node: Instruction) -> Instruction | None:
    found = None
    for other in context.document.instructions:
        if other.span >= node.span:
            return found
        if other.keyword == "FROM":
            found = None
        elif (
            found is None
            and other.keyword in ("COPY", "ADD")
            and other.flag("from") is None
            and any(source in (".", "./") for source in other.arguments[:-1])
        ):
            found = other
    return found
