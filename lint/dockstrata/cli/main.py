"""The command ``dockstrata``: loads a subcommand's module when it is called, not before."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Sequence

import click

from dockstrata import __version__
from dockstrata.errors import DockstrataError

# Documents live to the end: looking through them for garbage would cost a fifth of a run.
GC_THRESHOLDS = (20_000, 20, 20)

# One line each, so that --help imports none of them.
COMMANDS = {
    "lint": "Check Dockerfiles, and fix them.",
    "tree": "Show the image tree and what repeats in it.",
    "plan": "Say which shared base images would pay.",
    "apply": "Write the shared base images and the changed children.",
    "build": "Build bases and the images on them, in order.",
    "verify": "Prove every image equal to what it is in a commit.",
    "impact": "Say which images must be rebuilt, and in which order.",
    "rule": "Explain a rule, or list all.",
    "parse": "Print what Dockerfiles say, as JSON.",
    "server": "Speak the Language Server Protocol to an editor.",
    "init": "Write a commented configuration file.",
}


class LazyGroup(click.Group):
    """A group whose subcommands are modules ``dockstrata.cli.NAME`` with a ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"dockstrata.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from dockstrata.selection import suggestion

            ctx.fail(f"No such command '{name}'{suggestion(name, COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="dockstrata")
def group() -> None:
    """Lint Dockerfiles, and lift what a set of them repeats into shared base images."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code; only what a user can act on is printed.

    0 nothing found, 1 findings (or nobody reads them: a closed pipe), 2 the job could not be
    done, 130 where the user ended the run.
    """
    gc.set_threshold(*GC_THRESHOLDS)
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(given)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _settle_stdout()
        return 1  # as click has it
    except (KeyboardInterrupt, click.exceptions.Abort):
        return 130
    except DockstrataError as error:
        return _fail(str(error))
    except RecursionError:
        return _fail("the input is nested too deeply")
    except MemoryError:
        return _fail("out of memory")
    except OSError as error:
        _settle_stdout()
        reason = (error.strerror or str(error)).lower()
        return _fail(f"{error.filename}: {reason}" if error.filename else reason)
    except Exception as error:
        if "--verbose" in given or "-v" in given or os.environ.get("DOCKSTRATA_TRACEBACK"):
            import traceback

            traceback.print_exc()
        hint = "this is a bug in dockstrata; run again with DOCKSTRATA_TRACEBACK=1 for details"
        return _fail(f"internal error: {type(error).__name__}: {error} ({hint})")


def _settle_stdout() -> None:
    """Flush; where a closed pipe or a full disk takes no more, nothing may try again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(given: list[str]) -> int:
    try:
        value = group.main(given, prog_name="dockstrata", standalone_mode=False)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return value if isinstance(value, int) else 0


def _fail(message: str) -> int:
    from dockstrata.report.terminal import printable

    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
    with contextlib.suppress(OSError, ValueError):
        print(f"error: {printable(message)}", file=sys.stderr)
    return 2
