"""``dockstrata verify``: prove that the images of a tree are what they were in a commit."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dockstrata.build.builders import Given
    from dockstrata.build.order import Job
    from dockstrata.load.wiring import Build
    from dockstrata.rewrite.verify import Verdict

_OUTCOMES = ("equal", "different", "removed", "dissolved", "new")


@click.command("verify")
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@click.option("--against", metavar="REF", required=True, help="The commit to compare with.")
@click.option(
    "--build", is_flag=True, help="Run the Dockerfiles of both states and compare the images."
)
@click.option(
    "--builder",
    type=click.Choice(["docker", "podman", "buildah"]),
    help="Build with this program (default: the first of them that works).",
)
@click.option(
    "--build-arg",
    "arguments",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="With --build: for every Dockerfile that declares it.",
)
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="id=ID,src=FILE|env=NAME",
    help="With --build: for every Dockerfile that mounts it.",
)
@click.option(
    "--ssh",
    multiple=True,
    metavar="ID[=PATH]",
    help="With --build: for every Dockerfile that mounts an agent.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Of the verdicts on stdout (default text).",
)
def command(
    paths: tuple[str, ...],
    against: str,
    build: bool,
    builder: str | None,
    arguments: tuple[str, ...],
    secrets: tuple[str, ...],
    ssh: tuple[str, ...],
    form: str,
) -> None:
    """Prove every image equal to what it is in another commit, whoever made the change.

    Without --build nothing is built: Dockerfiles are evaluated, and the files that COPY takes
    compared. With it the Dockerfiles of both states are run, the images thrown away, and their
    files and configurations compared; times are ignored. Exit code: 0 all equal, 1 an image
    differs or is gone, 2 the job could not be done.
    """
    from dockstrata.cli.refactoring import tell_cut_off
    from dockstrata.meaning.repository import common_root
    from dockstrata.report.terminal import printable

    tell_cut_off(common_root(paths or (".",)))
    if build:
        from dockstrata.build.builders import read_given

        given = read_given(arguments, secrets, ssh)
        verdicts = _built(paths or (".",), against, builder, given)
    else:
        if builder or arguments or secrets or ssh:
            raise click.UsageError(
                "--builder, --build-arg, --secret and --ssh are for --build: nothing is built"
                " without it"
            )
        from dockstrata.rewrite.verify import verify_against

        verdicts = verify_against(paths or (".",), against, _configured)
    counts = Counter(verdict.outcome for verdict in verdicts)
    bad = counts["different"] + counts["removed"]
    outcomes = (*_OUTCOMES, "failed") if build else _OUTCOMES
    if form == "json":
        record = {
            "version": 1,
            "against": against,
            "totals": {name: counts[name] for name in outcomes},
            "images": [
                {"id": verdict.id, "outcome": verdict.outcome, "message": verdict.message}
                for verdict in verdicts
            ],
        }
        click.echo(json.dumps(record, indent=2))
    else:
        for verdict in verdicts:
            if verdict.outcome in ("different", "removed", "dissolved", "failed"):
                why = f": {printable(verdict.message)}" if verdict.message else ""
                click.echo(f"{printable(verdict.id)} {verdict.outcome}{why}")
        failed = f", {counts['failed']} could not be built" if counts["failed"] else ""
        gone = counts["dissolved"]
        dissolved = f", {gone} base{'' if gone == 1 else 's'} dissolved" if gone else ""
        equal = f"{counts['equal']} image{'' if counts['equal'] == 1 else 's'}"
        click.echo(
            f"{equal} equal to {printable(against)}, {counts['different']}"
            f" different, {counts['removed']} removed{dissolved}, {counts['new']} new{failed}."
        )
    raise SystemExit(2 if counts["failed"] else int(bad > 0))


def _built(
    paths: tuple[str, ...], against: str, builder: str | None, given: Given
) -> list[Verdict]:
    """Both states built and compared; what is done is told on stderr."""
    from dockstrata.build.builders import CLASSIC, program_of
    from dockstrata.build.compare import Ways, compare_builds
    from dockstrata.build.finding import find_builder
    from dockstrata.report.terminal import printable

    kind = find_builder(builder, lambda said: click.echo(f"note: {printable(said)}", err=True))
    click.echo(
        f"Building the work tree and {printable(against)} with {program_of(kind)}; this runs what"
        " the Dockerfiles say. The images are thrown away.",
        err=True,
    )
    if kind == "classic":
        click.echo(f"note: {CLASSIC}", err=True)

    def begin(state: str, job: Job) -> None:
        click.echo(f"== {printable(state)}: {printable(job.tags[0])}", err=True)

    def warn(message: str) -> None:
        click.echo(f"warning: {printable(message)}", err=True)

    return compare_builds(paths, against, Ways(kind, given, begin, warn), _configured)


def _configured(top: str) -> tuple[Build, ...]:
    """The builds that the configuration of a tree tells."""
    from dockstrata.configuration import load_configuration

    return load_configuration(start=top, hadolint=False).builds
