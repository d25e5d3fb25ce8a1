"""``dockstrata tree``: the image tree of a set, and what repeats in it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import click

from dockstrata.cli.refactoring import tell

if TYPE_CHECKING:
    from dockstrata.meaning.repository import Repository
    from dockstrata.similarity.trie import Trie

FORMATS = ("text", "json", "dot", "mermaid", "svg", "html")


@click.command("tree")
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out (gitignore syntax).")
@click.option("--config", metavar="FILE", help="Configuration file.")
@click.option("--no-config", is_flag=True, help="Read no configuration.")
def command(
    paths: tuple[str, ...],
    form: str,
    exclude: tuple[str, ...],
    config: str | None,
    no_config: bool,
) -> None:
    """Show root images, what repeats, and the depth of each image.

    dot is for Graphviz, mermaid for Markdown on GitHub and in wikis; svg and html are whole files
    that need nothing else. The drawings fold what is too much to look at; text, json and html have
    every image.
    """
    from dockstrata.configuration import Configuration, load_configuration
    from dockstrata.meaning.repository import read_repository
    from dockstrata.similarity.trie import build_trie

    told = Configuration() if no_config else load_configuration(config, hadolint=False)
    excluded = (*told.exclude, *exclude)
    repository = read_repository(paths or (".",), exclude=excluded, builds=told.builds)
    tell(repository)
    trie = build_trie(repository.set.images)
    for line in _lines(form, repository, trie):
        click.echo(line)
    raise SystemExit(2 if not repository.is_done else 0)


def _lines(form: str, repository: Repository, trie: Trie) -> list[str]:
    from dockstrata.report.picture import roots, totals

    if form == "json":
        from dockstrata.report.tree_json import tree_json

        return [json.dumps(tree_json(repository, trie), indent=2)]
    if form == "dot":
        from dockstrata.report.tree_dot import tree_dot

        return list(tree_dot(roots(trie)))
    if form == "mermaid":
        from dockstrata.report.tree_mermaid import tree_mermaid

        return [tree_mermaid(roots(trie))]
    if form == "svg":
        from dockstrata.report.tree_svg import tree_svg

        return [tree_svg(roots(trie), totals(repository, trie)).rstrip("\n")]
    if form == "html":
        from dockstrata.report.tree_html import tree_html

        return [tree_html(roots(trie), totals(repository, trie)).rstrip("\n")]
    from dockstrata.report.tree_text import tree_text

    width = shutil.get_terminal_size((100, 24)).columns
    return list(tree_text(repository, trie, max(60, width)))
