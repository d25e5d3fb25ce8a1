"""``dockstrata apply``: write the new bases, the changed children and the bake file."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from dockstrata.cli.refactoring import half_written, options, read, with_bases

if TYPE_CHECKING:
    from dockstrata.load.wiring import Build
    from dockstrata.rewrite.refactor import Refactoring

_SHOWN = 4


@click.command("apply")
@options
@click.option("--check", is_flag=True, help="Write nothing; exit 1 where something would change.")
@click.option(
    "--allow-dirty", is_flag=True, help="Rewrite files that have uncommitted changes too."
)
@click.option(
    "--compose", is_flag=True, help="Add the bases to the compose files whose services need them."
)
@click.option("--undo", is_flag=True, help="Give back the bytes that the last apply replaced.")
def command(check: bool, undo: bool, allow_dirty: bool, compose: bool, **given: Any) -> None:
    """Write the base images that `plan` proposes and move their images onto them.

    Every image is proved equal before anything is written; all files are written, or none.
    """
    from dockstrata.errors import DockstrataError
    from dockstrata.meaning.repository import common_root
    from dockstrata.report.plain import count
    from dockstrata.report.terminal import printable
    from dockstrata.rewrite import journal
    from dockstrata.rewrite.hcl import command_of
    from dockstrata.rewrite.refactor import refactor, taken_along

    paths = given["paths"] or (".",)
    for path in paths:
        if not os.path.exists(path):
            raise DockstrataError("no such file or directory", path)
    root = common_root(paths)
    if undo and (check or compose):
        raise click.UsageError("--undo goes with neither --check nor --compose")
    if undo:
        restored = journal.undo(root)
        click.echo(f"Undone: {count(len(restored), 'file')} as before.")
        return
    cut_off = journal.cut_off(root)
    if check and cut_off is not None:
        raise DockstrataError(f"{half_written(cut_off, root)}. Nothing was checked")
    for path in journal.recover(root) if not check else ():
        now = "is again as it was" if os.path.exists(path) else "is gone again"
        click.echo(f"note: an earlier {cut_off} was cut off: {printable(path)} {now}", err=True)
    repository, asked = read(**given)
    refactoring = refactor(repository, asked)
    wired = (
        _wired(refactoring, with_bases(paths, asked.bases), repository.exclude) if compose else {}
    )
    gone = dict.fromkeys(refactoring.removed)
    files = {**refactoring.new, **refactoring.changed, **gone, **wired}
    done = 2 if not repository.is_done else 0
    if not files:
        click.echo("Nothing to change.")
        raise SystemExit(done)
    _refuse(refactoring)
    if check:
        click.echo(f"Would {_what(refactoring, wired)}. See `dockstrata plan`.")
        for path in sorted(gone):
            click.echo(f"Would remove {printable(path)}.")
        for path in sorted(wired):
            click.echo(f"Would tell {printable(path)} of its bases.")
        raise SystemExit(done or 1)
    if not allow_dirty:
        _refuse_dirty([*refactoring.changed, *gone, *wired], journal.written_before(root))
    journal.write_all(root, files)
    click.echo(f"{_what(refactoring, wired, past=True).capitalize()}; each image proved equal.")
    there = refactoring.originals
    for path in sorted(path for path in refactoring.new if path not in there):
        click.echo(f"  new      {printable(path)}")
    for path in sorted([*there.keys() - gone.keys(), *wired]):
        click.echo(f"  changed  {printable(path)}")
    for path in sorted(gone):
        click.echo(f"  removed  {printable(path)}")
    copied = taken_along(repository, with_bases(paths, asked.bases))
    bake = repository.under_root(asked.bases, "docker-bake.hcl")
    for path, note in _notes(refactoring, copied, bake, compose):
        click.echo(f"note: {printable(path)}{printable(note)}", err=True)
    if bake in refactoring.new:
        where = "" if root == "." else f" (from {printable(root)})"
        text = refactoring.new[bake]
        click.echo(f"Build all in order with: {printable(command_of(text))}{where}")
    click.echo("Take it back with: dockstrata apply --undo" + ("" if root == "." else f" {root}"))
    raise SystemExit(done)


def _notes(
    refactoring: Refactoring, copied: Sequence[str], bake: str, compose: bool
) -> Iterator[tuple[str, str]]:
    """What is to be known of what was written: of which files or images, and what.

    ``copied`` are images that copy written files themselves, ``bake`` is the bake file's path.
    """
    from dockstrata.report.plan_text import one_for_all
    from dockstrata.rewrite.hcl import secrets_needed

    for base in refactoring.plan.bases:
        if (note := one_for_all(base, refactoring)) is not None:
            yield base.path, f" {note}"
    if copied:
        more = f" and {len(copied) - _SHOWN} more" if len(copied) > _SHOWN else ""
        yield (
            ", ".join(copied[:_SHOWN]),
            f"{more}: copies files that were written now (Dockerfiles, bases); list them in"
            " .dockerignore to keep them out of the image",
        )
    if not compose and (origins := _compose_files(refactoring)):
        more = f" and {len(origins) - 1} more" if len(origins) > 1 else ""
        yield (
            origins[0],
            f"{more}: builds what stands on bases now; `dockstrata apply --compose` tells it of"
            " them, else build the bases first",
        )
    if bake not in refactoring.new:
        return
    if fixed := sorted({name for it in _moved_builds(refactoring) for name in it.variables}):
        yield (
            bake,
            f" has {', '.join(fixed)} as .env and defaults in compose files say; give others with"
            " --set, or build with compose",
        )
    if names := secrets_needed(refactoring.new[bake]):
        yield (
            bake,
            f" asks for what nothing here says where it is, secret {', '.join(names)}: set a"
            " variable of that name, or write its file into the bake file",
        )


def _compose_files(refactoring: Refactoring) -> list[str]:
    """The compose files that build what was put on a base."""
    from dockstrata.load.names import is_compose_name

    origins = {build.origin for build in _moved_builds(refactoring)}
    return sorted(it for it in origins if is_compose_name(os.path.basename(it)))


def _moved_builds(refactoring: Refactoring) -> list[Build]:
    """How wiring builds the files that were put on a base."""
    told, plan = refactoring.after.library.told, refactoring.plan
    paths = {member.image.path for base in (*plan.bases, *plan.reused) for member in base.members}
    return [build for path in sorted(paths) for build in told.get(path, ())]


def _wired(
    refactoring: Refactoring, paths: Sequence[str], exclude: Sequence[str]
) -> dict[str, str]:
    """The new texts of compose files; what could not be added is told."""
    from dockstrata.load.discover import discover
    from dockstrata.load.names import is_compose_name
    from dockstrata.report.terminal import printable
    from dockstrata.rewrite.compose import compose_changes

    met = discover(paths, exclude=exclude).wiring
    files = [path for path in met if is_compose_name(os.path.basename(path))]
    changes = compose_changes(refactoring.after.library, files)
    for path, message in changes.notes:
        click.echo(f"warning: {printable(path)}: {printable(message)}; left as it is", err=True)
    return changes.texts


def _refuse(refactoring: Refactoring) -> None:
    """Stop where a new file cannot lie where it must."""
    from dockstrata.errors import DockstrataError
    from dockstrata.rewrite.git import ignored_by_git

    if refactoring.blocked:
        raise DockstrataError(
            "a file that dockstrata did not write is in the way; move it, or choose another folder"
            " with --bases. Nothing was written",
            refactoring.blocked[0],
        )
    if (ignored := ignored_by_git(list(refactoring.new))) is not None:
        raise DockstrataError(
            "git ignores this path, so the base that children need would not be committed; change"
            " the ignore file, or choose another folder with --bases. Nothing was written",
            ignored,
        )


def _refuse_dirty(paths: list[str], ours: set[str]) -> None:
    """Stop where git could not give back what would be rewritten."""
    from dockstrata.errors import DockstrataError
    from dockstrata.rewrite.git import changed_since_commit

    dirty = changed_since_commit(sorted(paths))
    theirs = [path for path in dirty if os.path.realpath(path) not in ours]
    if theirs:
        more = f" (and {len(theirs) - 1} more)" if len(theirs) > 1 else ""
        raise DockstrataError(
            f"has uncommitted changes{more}; commit them, or use --allow-dirty. Nothing was"
            " written",
            theirs[0],
        )


def _what(refactoring: Refactoring, wired: Collection[str], past: bool = False) -> str:
    """What it does: ``move 2 files onto 1 new base, 6 → 4 steps``."""
    from dockstrata.report.plain import count

    plan = refactoring.plan
    said: list[str] = []
    if plan.bases or plan.reused:
        new, old = len(plan.bases), len(plan.reused)
        bases = count(new, "new base") if new else count(old, "existing base")
        said.append(
            f"move{'d' if past else ''} {count(len(refactoring.changed), 'file')} onto {bases},"
            f" {plan.steps} → {plan.steps_after} steps"
        )
    if merges := len(refactoring.merged.merges):
        parents = count(merges, "parent")
        said.append(f"merge{'d' if past else ''} {parents} into children, for --max-depth")
    if merges := len(refactoring.dissolved):
        bases = "the base" if merges == 1 else f"{merges} bases"
        alone = refactoring.dissolved[0].image is None
        left = "at most one image is" if merges > 1 else "no image is" if alone else "one image is"
        said.append(f"dissolve{'d' if past else ''} {bases} that {left} left on")
    if wired:
        said.append(f"{'told' if past else 'tell'} {count(len(wired), 'compose file')} of bases")
    return "; ".join(said) or ("wrote the bake file" if past else "write the bake file")
