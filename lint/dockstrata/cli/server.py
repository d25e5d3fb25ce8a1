"""``dockstrata server``: the language server, on standard input and output."""

from __future__ import annotations

import os
import sys

import click

from dockstrata.errors import DockstrataError


@click.command("server")
def command() -> None:
    """Speak the Language Server Protocol on standard input and output; an editor starts this.

    Findings as one types, quick fixes (unsafe ones say so), a rule's page on hover, with the
    project's configuration. Needs pygls: pip install 'dockstrata[server]'.
    """
    try:
        from dockstrata.server.language_server import Server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol"):
            raise
        raise DockstrataError(
            f"the language server needs {error.name}: pip install 'dockstrata[server]'"
        ) from None
    from dockstrata.cli.lint_session import Request, options_for
    from dockstrata.configuration import is_excluded, load_configuration
    from dockstrata.registry import load_registry
    from dockstrata.runner import Job

    registry = load_registry()

    def job_for(root: str, path: str) -> Job | None:
        configuration = load_configuration(start=root)
        excluded = (*configuration.exclude, *configuration.lint.exclude)
        if is_excluded(path, ((excluded, configuration.base),)):
            return None
        return Job(options_for(Request(paths=()), configuration, registry))

    if sys.stdin.isatty():
        click.echo("An editor starts this and talks to it; press Ctrl-C to end it.", err=True)
    # pygls closes what it writes to.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output:
        Server(registry, job_for).protocol.start_io(sys.stdin.buffer, output)
