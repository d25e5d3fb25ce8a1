"""``dockstrata plan``: which shared base images would pay, and what they would change."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

import click

from dockstrata.cli.refactoring import options, read

FORMATS = ("text", "json", "diff", "markdown", "html")


@click.command("plan")
@options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text")
def command(form: str, **given: Any) -> None:
    """Say which base images would pay, who would use them, and what stays as it is.

    Nothing is written. markdown is for a pull request, html a page that needs nothing else. Every
    rewritten image is proved equal before it is proposed.
    """
    from dockstrata.rewrite.refactor import refactor

    repository, asked = read(**given)
    refactoring = refactor(repository, asked)
    if form == "diff":
        from dockstrata.report.plan_diff import plan_diff

        sys.stdout.flush()
        sys.stdout.buffer.write(plan_diff(refactoring))
    else:
        from dockstrata.similarity.near import near_misses
        from dockstrata.similarity.trie import build_trie

        near = near_misses(build_trie(repository.set.images))
        if form == "json":
            from dockstrata.report.plan_json import plan_json

            click.echo(json.dumps(plan_json(repository, refactoring, near), indent=2))
        elif form == "markdown":
            from dockstrata.report.plan_markdown import plan_markdown

            click.echo(plan_markdown(repository, refactoring, near), nl=False)
        elif form == "html":
            from dockstrata.report.plan_html import plan_html

            click.echo(plan_html(repository, refactoring, near), nl=False)
        else:
            from dockstrata.report.plan_text import plan_text

            width = max(60, shutil.get_terminal_size((160, 24)).columns)
            for line in plan_text(repository, refactoring, near, width):
                click.echo(line)
    raise SystemExit(2 if not repository.is_done else 0)
