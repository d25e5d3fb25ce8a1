"""A pipe's failure is not seen: the step fails only where the pipe's last command does.

``curl … | tar x`` goes on with half a download. With ``pipefail`` the whole pipe fails.

Bad:

    FROM debian:12.5
    RUN curl -fsS https://example.com/x.tar | tar x

Good:

    FROM debian:12.5
    SHELL ["/bin/bash", "-o", "pipefail", "-c"]
    RUN curl -fsS https://example.com/x.tar | tar x

Fix: unsafe. SHELL is set above the RUN, to ash on Alpine and to bash elsewhere, which has to be
there.

Source: hadolint DL4006. The SHELL of the stage that FROM names is known, and so is
``set -o pipefail`` in the script itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockstrata.meaning.state import DEFAULT_SHELL
from dockstrata.rule import Context, Evaluated, Finding, Fix, Fixable, Severity, rule, unsafe
from dockstrata.source import Span
from dockstrata.syntax.shell import Script, Shell

_HAVE_PIPEFAIL = frozenset({"bash", "ash", "zsh", "ksh", "busybox"})


@rule(code="DL4006", name="pipefail", severity=Severity.WARNING, fix=Fixable.SOMETIMES)
def pipefail(context: Context) -> Iterator[Finding]:
    fixed: set[int] = set()
    for item, shell in context.shells("|"):
        if not shell.script.pipes or _by_shell(item.before.shell) or _by_set(shell.script):
            continue
        yield context.finding(
            shell.instruction,
            "Set the SHELL option -o pipefail before RUN with a pipe in it. If you are using"
            " /bin/sh in an alpine image or if your shell is symlinked to busybox then consider"
            " explicitly setting your SHELL to /bin/ash, or disable this check",
            fix=_fix(context, item, shell, fixed),
        )


def _fix(context: Context, item: Evaluated, shell: Shell, fixed: set[int]) -> Fix | None:
    """SHELL above the RUN and its comments: the stage's first such RUN is enough."""
    node, source = shell.instruction, context.source
    line = source.line_span(node.start_line)
    if item.instruction is not node or line.start != node.span.start or node.json:
        return None
    stage = next(stage for stage in context.stages if item in stage.evaluated)
    if item.before.shell != DEFAULT_SHELL or stage.index in fixed:
        return None
    fixed.add(stage.index)
    above, start = node.start_line - 1, line.start
    while above and source.text[source.line_span(above).start :].startswith("#"):
        start = source.line_span(above).start
        above -= 1
    program = "/bin/ash" if "alpine" in stage.root else "/bin/bash"
    text = f'SHELL ["{program}", "-o", "pipefail", "-c"]\n'
    return unsafe(context.edit(Span(start, start), text))


def _by_shell(shell: Sequence[str]) -> bool:
    name = shell[0].rsplit("/", 1)[-1]
    if name == "env" and len(shell) > 1:
        name = shell[1]
    return name in _HAVE_PIPEFAIL and "pipefail" in shell


def _by_set(script: Script) -> bool:
    first = min((c.start for c in script.commands if c.pipe is not None), default=0)
    return any(
        command.start < first and "pipefail" in command.values for command in script.named("set")
    )
