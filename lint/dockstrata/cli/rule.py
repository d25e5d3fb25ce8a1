"""``dockstrata rule [CODE]``: a rule's page, or the list."""

from __future__ import annotations

import json

import click

from dockstrata.errors import DockstrataError
from dockstrata.registry import load_registry
from dockstrata.report import rule_page
from dockstrata.report.terminal import printable


@click.command("rule")
@click.argument("code", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(code: str | None, form: str) -> None:
    """Explain a rule, by code, alias or name; without one, list all."""
    registry = load_registry()
    for problem in registry.problems:
        click.echo(f"error: {printable(problem)}", err=True)
    if code is None:
        rules = registry.rules
        if form == "json":
            click.echo(json.dumps([rule_page.as_json(rule) for rule in rules], indent=2))
        else:
            click.echo("\n".join(rule_page.listing(rules)))
        raise SystemExit(2 if registry.problems else 0)
    rule = registry.find(code)
    if rule is None:
        from dockstrata.selection import suggestion

        near = suggestion(code, (name for names in registry.names() for name in names))
        raise DockstrataError(f"unknown rule '{code}'{near}")
    if form == "json":
        click.echo(json.dumps(rule_page.as_json(rule), indent=2))
    else:
        click.echo(rule_page.page(rule))
