"""``dockstrata verify``: prove that the images of a tree are what they were in a commit."""

from __future__ import annotations

import json
from collections import Counter

import click


@click.command("verify")
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@click.option("--against", metavar="REF", required=True, help="The commit to compare with.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(paths: tuple[str, ...], against: str, form: str) -> None:
    """Prove every image equal to what it is in another commit, whoever made the change.

    Nothing is built: Dockerfiles are evaluated, and the files that COPY takes compared. Exit
    code: 0 all equal, 1 an image differs or is gone, 2 the job could not be done.
    """
    from dockstrata.report.terminal import printable
    from dockstrata.rewrite.verify import verify_against

    verdicts = verify_against(paths or (".",), against)
    counts = Counter(verdict.outcome for verdict in verdicts)
    bad = counts["different"] + counts["removed"]
    if form == "json":
        record = {
            "version": 1,
            "against": against,
            "totals": {name: counts[name] for name in ("equal", "different", "removed", "new")},
            "images": [
                {"id": verdict.id, "outcome": verdict.outcome, "message": verdict.message}
                for verdict in verdicts
            ],
        }
        click.echo(json.dumps(record, indent=2))
    else:
        for verdict in verdicts:
            if verdict.outcome in ("different", "removed"):
                why = f": {printable(verdict.message)}" if verdict.message else ""
                click.echo(f"{printable(verdict.id)} {verdict.outcome}{why}")
        click.echo(
            f"{counts['equal']} images equal to {printable(against)}, {counts['different']}"
            f" different, {counts['removed']} removed, {counts['new']} new."
        )
    raise SystemExit(1 if bad else 0)
