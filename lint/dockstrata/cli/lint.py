"""``dockstrata lint``: options, and in which order things are done."""

from __future__ import annotations

import os
import sys

import click

from dockstrata.configuration import FAIL_ON

FORMATS = ("text", "json", "sarif", "github", "gitlab", "checkstyle", "junit")


@click.command("lint")
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@click.option("--fix", is_flag=True, help="Apply safe fixes, proved not to change any image.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: apply unsafe fixes too.")
@click.option("--diff", is_flag=True, help="Show what --fix would change; write nothing.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit 1 where --fix changed a file.")
@click.option("--select", multiple=True, metavar="RULES", help="Report these rules alone.")
@click.option("--extend-select", multiple=True, metavar="RULES", help="Report these as well.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Do not report these.")
@click.option("--no-set", is_flag=True, help="Leave out the rules about the whole set.")
@click.option("--no-shellcheck", is_flag=True, help="Leave out ShellCheck (SC) in RUN.")
@click.option("--no-cache", is_flag=True, help="Neither read nor keep earlier runs' results.")
@click.option("--require-reason", is_flag=True, help="Report ignore comments without a reason.")
@click.option("--fail-on", type=click.Choice(FAIL_ON), help="Exit 1 from this severity on: style.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", "-o", metavar="FILE", help="Write the report to a file.")
@click.option("--show-source/--no-show-source", default=None, help="Show the lines found.")
@click.option("--statistics", is_flag=True, help="Count findings by rule instead.")
@click.option("--baseline", metavar="FILE", help="Report only what this file does not list.")
@click.option("--write-baseline", is_flag=True, help="Write what is found to --baseline's file.")
@click.option("--python", is_flag=True, help="Search directories for .py files as well.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out (gitignore syntax).")
@click.option("--force-exclude", is_flag=True, help="Leave out files that are named, too.")
@click.option("--config", metavar="FILE", help="Read this configuration file.")
@click.option("--no-config", is_flag=True, help="Read no configuration file.")
@click.option("--stdin-filename", metavar="NAME", help="What to call the text read for '-'.")
@click.option("--jobs", "-j", type=click.IntRange(1), help="Number of processes.")
@click.option("--quiet", "-q", is_flag=True, help="No notes and no summary.")
@click.option("--verbose", "-v", is_flag=True, help="Say more; tracebacks of internal errors.")
def command(paths: tuple[str, ...], form: str, **options: object) -> int:
    """Check Dockerfiles: files as named, directories searched; '-' is standard input. Of a .py
    file the string literals that are Dockerfiles are checked, and fixed in place.

    RULES are codes, aliases, names, prefixes (DL, DL3, SC, DS), BuildKit or ALL, separated by
    commas. Exit code: 0 nothing at or above --fail-on, 1 findings (or --diff shows a change),
    2 the job could not be done.
    """
    from dockstrata.cli.lint_session import Request, run

    request = Request(paths=paths or (".",), form=form, **options)  # type: ignore[arg-type]
    return run(request, sys.stdout, _colour())


def _colour() -> bool:
    """Whether standard output takes colours: https://no-color.org, and FORCE_COLOR."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
