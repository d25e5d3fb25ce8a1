"""CMD or ENTRYPOINT in shell form puts a shell between the signals and the program.

``docker stop`` signals the shell, which does not pass it on; the program is killed after the grace
period. The JSON form starts the program itself.

Bad:

    FROM debian:12.5
    CMD serve --port 80

Good:

    FROM debian:12.5
    CMD ["serve", "--port", "80"]

Source: hadolint DL3025, which wants it of HEALTHCHECK too; BuildKit JSONArgsRecommended, which lets
a stage pass that sets its SHELL.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule


@rule(
    code="DL3025",
    name="json-args-recommended",
    severity=Severity.WARNING,
    aliases=("JSONArgsRecommended",),
)
def json_args_recommended(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            if node.json or node.fault is not None:
                continue
            if node.keyword in ("CMD", "ENTRYPOINT"):
                aliases = () if item.before.shell_set else None
            elif node.keyword == "HEALTHCHECK" and node.arguments[0].upper() == "CMD":
                aliases = ()
            else:
                continue
            yield context.finding(
                node,
                f"JSON arguments recommended for {node.keyword}"
                " to prevent unintended behavior related to OS signals",
                aliases=aliases,
            )
