"""``dockstrata impact``: which images must be rebuilt, and in which order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from dockstrata.cli.refactoring import tell, with_bases

if TYPE_CHECKING:
    from dockstrata.load.wiring import Build


@click.command("impact")
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@click.option("--since", metavar="REF", help="What is other than in this commit.")
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="REF",
    help="What is built from this image: debian:12, debian (any tag), or one of the set.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github-matrix"]), default="text"
)
@click.option(
    "--level", type=click.IntRange(1), help="With --format github-matrix: this level alone."
)
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out (gitignore syntax).")
@click.option("--config", metavar="FILE", help="Configuration file.")
@click.option("--no-config", is_flag=True, help="Read no configuration.")
def command(
    paths: tuple[str, ...],
    since: str | None,
    images: tuple[str, ...],
    form: str,
    level: int | None,
    exclude: tuple[str, ...],
    config: str | None,
    no_config: bool,
) -> None:
    """Say which images must be rebuilt, why, and in which order; nothing is built.

    --since compares the work tree with a commit: steps, files that COPY takes, configuration, what
    compose and bake files pass. Comments, blanks and other changes that change no image do not
    count; an image that stands on a changed one does. --image tells what is built from an image.

    Exit code: 0 told (be it nothing), 2 the job could not be done.
    """
    from dockstrata.build.impact import impact_of, impact_since
    from dockstrata.configuration import Configuration, load_configuration
    from dockstrata.report.impact_json import MATRIX_LIMIT, github_matrix, impact_json
    from dockstrata.report.impact_text import impact_text
    from dockstrata.report.terminal import printable
    from dockstrata.selection import suggestion

    if (since is None) == (not images):
        raise click.UsageError("give either --since REF or --image REF")
    if level is not None and form != "github-matrix":
        raise click.UsageError("--level is for --format github-matrix")
    given = Configuration() if no_config else load_configuration(config, hadolint=False)
    excluded = [*given.exclude, *exclude]

    def configured(top: str) -> Sequence[Build]:
        return () if no_config else load_configuration(start=top, hadolint=False).builds

    if since is not None:
        where = list(paths or (".",))
        impact = impact_since(
            where, since, exclude=excluded, builds=given.builds, configured=configured
        )
        cause = f"since {since}"
    else:
        bases = dict(given.placement).get("bases", "bases")
        where = with_bases(paths or (".",), bases)
        impact = impact_of(where, images, exclude=excluded, builds=given.builds)
        cause = f"when {', '.join(images)} changes"
    tell(impact.repository)
    for image in impact.unknown:
        message = f"no Dockerfile here names or builds '{image}'{suggestion(image, impact.known)}"
        click.echo(f"note: {printable(message)}", err=True)
    if form == "text":
        for line in impact_text(impact, cause):
            click.echo(line)
    elif form == "json":
        click.echo(json.dumps(impact_json(impact, since, images), indent=2))
    else:
        matrix = github_matrix(impact, level)
        include = matrix["include"]
        assert isinstance(include, list)
        if len(include) > MATRIX_LIMIT:
            message = f"{len(include)} images, and GitHub runs {MATRIX_LIMIT} jobs of a matrix"
            click.echo(f"warning: {message}; split it with --level or paths", err=True)
        click.echo(json.dumps(matrix, separators=(",", ":")))
    raise SystemExit(2 if impact.repository.unreadable else 0)
