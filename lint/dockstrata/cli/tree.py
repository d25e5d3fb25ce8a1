"""``dockstrata tree``: the image tree of a set, and what repeats in it."""

from __future__ import annotations

import json
import shutil

import click

from dockstrata.cli.refactoring import tell


@click.command("tree")
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out (gitignore syntax).")
def command(paths: tuple[str, ...], form: str, exclude: tuple[str, ...]) -> None:
    """Show root images, what repeats, and the depth of each image."""
    from dockstrata.meaning.repository import read_repository
    from dockstrata.similarity.trie import build_trie

    repository = read_repository(paths or (".",), exclude=exclude)
    tell(repository)
    trie = build_trie(repository.set.images)
    if form == "json":
        from dockstrata.report.tree_json import tree_json

        click.echo(json.dumps(tree_json(repository, trie), indent=2))
        raise SystemExit(2 if repository.unreadable else 0)
    from dockstrata.report.tree_text import tree_text

    width = shutil.get_terminal_size((100, 24)).columns
    for line in tree_text(repository, trie, max(60, width)):
        click.echo(line)
    raise SystemExit(2 if repository.unreadable else 0)
