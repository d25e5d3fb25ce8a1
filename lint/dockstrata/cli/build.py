"""``dockstrata build``: build base images and the images on them, in order."""

from __future__ import annotations

import os
import shlex

import click

from dockstrata.cli.refactoring import tell, with_bases


@click.command("build")
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@click.option(
    "--builder",
    type=click.Choice(["docker", "podman", "buildah"]),
    help="Build with this program (default: the first of them that works).",
)
@click.option("--dry-run", is_flag=True, help="Print the commands, quoted for a shell; run none.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="Only this image and what it needs: its name, tag, service or Dockerfile.",
)
@click.option(
    "--no-deps", is_flag=True, help="With --only: what they need is there, pulled or built before."
)
@click.option(
    "--build-arg",
    "arguments",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="For every Dockerfile that declares it; without a value as in the environment.",
)
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="id=ID,src=FILE|env=NAME",
    help="For every Dockerfile that mounts it.",
)
@click.option(
    "--ssh", multiple=True, metavar="ID[=PATH]", help="For every Dockerfile that mounts an agent."
)
@click.option("--bases", metavar="DIR", help="Folder of the bases (default bases).")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out (gitignore syntax).")
@click.option("--config", metavar="FILE", help="Configuration file.")
@click.option("--no-config", is_flag=True, help="Read no configuration.")
def command(
    paths: tuple[str, ...],
    builder: str | None,
    dry_run: bool,
    only: tuple[str, ...],
    no_deps: bool,
    arguments: tuple[str, ...],
    secrets: tuple[str, ...],
    ssh: tuple[str, ...],
    bases: str | None,
    exclude: tuple[str, ...],
    config: str | None,
    no_config: bool,
) -> None:
    """Build every base image and every image on one, in order.

    This runs what the Dockerfiles say, with docker, podman or buildah, whichever is there. A base
    gets the tag by which others call it, other images what compose or bake files call them, else
    localhost/NAME. What fails stops what needs it, and nothing else.

    Exit code: 0 all built, 1 a build failed, 2 the job could not be done.
    """
    from dockstrata.build.builders import (
        CLASSIC,
        build_command,
        clearing,
        environment_of,
        program_of,
        read_given,
        unheard,
    )
    from dockstrata.build.finding import find_builder
    from dockstrata.build.order import Job, chosen, jobs_of
    from dockstrata.build.run import Outcome, run_all
    from dockstrata.configuration import Configuration, load_configuration
    from dockstrata.errors import DockstrataError
    from dockstrata.meaning.repository import read_repository
    from dockstrata.report.terminal import printable

    given = read_given(arguments, secrets, ssh)
    configuration = Configuration() if no_config else load_configuration(config, hadolint=False)
    folder = bases or dict(configuration.placement).get("bases", "bases")
    repository = read_repository(
        with_bases(paths or (".",), folder),
        exclude=[*configuration.exclude, *exclude],
        builds=configuration.builds,
    )
    tell(repository)
    values = {name: value for name, value in given.arguments.items() if value is not None}
    jobs = chosen(jobs_of(repository, values), only, no_deps)
    for message in unheard(given, jobs):
        click.echo(f"warning: {printable(message)}", err=True)
    for image in dict.fromkeys(image for job in jobs for image in job.missing):
        click.echo(f"note: no Dockerfile here builds {printable(image)}", err=True)
    try:
        kind = find_builder(builder, lambda said: click.echo(f"note: {printable(said)}", err=True))
    except DockstrataError as error:
        if not dry_run:
            raise
        kind = "buildx" if builder in (None, "docker") else str(builder)
        click.echo(f"note: {error}; these are the commands for {kind}", err=True)
    variables = environment_of(kind)
    if dry_run:
        failed = False
        for job in jobs:
            try:
                line = shlex.join(build_command(kind, job, given))
                if before := clearing(kind, job):
                    click.echo(printable(" && ".join(map(shlex.join, before))))
            except DockstrataError as error:
                failed = True
                message = f"{job.dockerfile}: cannot be built so: {error}"
                click.echo(f"error: {printable(message)}", err=True)
                continue
            click.echo(printable(" ".join([*(f"{k}={v}" for k, v in variables.items()), line])))
        raise SystemExit(int(failed))
    count = f"{len(jobs)} image{'' if len(jobs) == 1 else 's'}"
    program = program_of(kind)
    click.echo(f"Building {count} with {program}; this runs what the Dockerfiles say.", err=True)
    if kind == "classic":
        click.echo(f"note: {CLASSIC}", err=True)

    def begin(job: Job) -> None:
        click.echo(f"== {printable(job.dockerfile)} → {printable(job.tags[0])}", err=True)

    def after(outcome: Outcome) -> None:
        if outcome.state != "built":
            what = "the build failed" if outcome.state == "failed" else "not built"
            place = printable(outcome.job.dockerfile)
            click.echo(f"error: {place}: {what}: {printable(outcome.message)}", err=True)

    outcomes = run_all(
        jobs,
        lambda job: build_command(kind, job, given),
        after,
        begin,
        {**os.environ, **variables},
        lambda job: clearing(kind, job),
    )
    built = [outcome.job for outcome in outcomes if outcome.state == "built"]
    for job in built:
        click.echo(printable(job.tags[0]))
    click.echo(f"Built {len(built)} of {count}.", err=True)
    raise SystemExit(2 if not repository.is_done else int(len(built) < len(jobs)))
