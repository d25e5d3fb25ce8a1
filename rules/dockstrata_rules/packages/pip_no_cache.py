"""pip keeps what it downloaded in the image.

The cache is of use only to a later pip in the same image. ``--no-cache-dir``, the variable
``PIP_NO_CACHE_DIR`` or a cache mount keeps it out.

Bad:

    FROM python:3.12
    RUN pip install flask==3.0.3

Good:

    FROM python:3.12
    RUN pip install --no-cache-dir flask==3.0.3

Fix: unsafe. The image loses the cache, which is the point.

Source: hadolint DL3042.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata.syntax.shell import Command
from dockstrata_rules.packages.by_run import mounted
from dockstrata_rules.packages.pip import is_pip


@rule(code="DL3042", name="pip-no-cache", severity=Severity.WARNING, fix=Fixable.ALWAYS)
def pip_no_cache(context: Context) -> Iterator[Finding]:
    for item, shell in context.shells("pip"):
        if "PIP_NO_CACHE_DIR" in item.before.env or "PIP_NO_CACHE_DIR" in shell.script.text:
            continue
        caching = [command for command in shell.script.commands if _caches(command)]
        if not caching or mounted(shell.instruction, "/root/.cache/pip"):
            continue
        ends = [
            shell.span(next(word for word in command.words if word.value == "install")).end
            for command in caching
        ]
        yield context.finding(
            shell.instruction,
            "Avoid use of cache directory with pip. Use `pip install --no-cache-dir <package>`",
            fix=unsafe(*(context.edit(Span(end, end), " --no-cache-dir") for end in ends)),
        )


def _caches(command: Command) -> bool:
    if not is_pip(command) or "install" not in command.values:
        return False
    # pip takes any beginning of an option's name that is no other's.
    return not any(value.startswith("--no-ca") for value in command.values)
