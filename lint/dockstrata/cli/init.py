"""``dockstrata init``: a commented configuration file to start from."""

from __future__ import annotations

import os

import click

from dockstrata.errors import DockstrataError


@click.command("init")
@click.option("--from-hadolint", is_flag=True, help="Take over what .hadolint.yaml says.")
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(from_hadolint: bool, force: bool) -> None:
    """Write dockstrata.toml into this directory; all in it is optional."""
    from dockstrata.configuration import OWN_FILE
    from dockstrata.hadolint import find_hadolint, read_hadolint
    from dockstrata.report.toml import commented_configuration

    lint = {}
    if from_hadolint:
        path = find_hadolint(".")
        if path is None:
            raise DockstrataError("no .hadolint.yaml in this directory")
        lint = read_hadolint(path)
    try:
        # "x" leaves no moment in which another's file could be overwritten.
        with open(OWN_FILE, "w" if force else "x", encoding="utf-8") as file:
            file.write(commented_configuration(lint))
    except FileExistsError:
        message = "exists already; --force overwrites it"
        raise DockstrataError(message, OWN_FILE) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DockstrataError(f"cannot be written: {reason}", OWN_FILE) from None
    click.echo(f"{os.path.join('.', OWN_FILE)} written", err=True)
