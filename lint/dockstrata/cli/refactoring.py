"""What ``plan`` and ``apply`` have in common: their options, and reading the repository."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dockstrata.meaning.repository import Repository
    from dockstrata.plan.settings import PlanSettings
    from dockstrata.plan.weights import CostModel
    from dockstrata.rewrite.refactor import Options

_NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = re.compile(rf"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?(?:/{_NAME})*$")
_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("paths", nargs=-1, type=click.Path(path_type=str)),
    click.option(
        "--max-depth",
        type=click.IntRange(2, 126),
        help="Images on a FROM path at most, external root and image included (default 4).",
    ),
    click.option(
        "--min-images", type=click.IntRange(2), help="Images that a base must serve (default 2)."
    ),
    click.option(
        "--min-steps",
        type=click.IntRange(1),
        help="Steps other than WORKDIR that a base must add (default 1).",
    ),
    click.option("--include-generated", is_flag=True, help="Rewrite generated Dockerfiles too."),
    click.option("--bases", metavar="DIR", help="Folder for new bases (default bases)."),
    click.option("--registry", help="What children say before a base's name (default localhost)."),
    click.option(
        "--tag",
        type=click.Choice(["name", "content"]),
        help="Bases' tags: readable and stable (default), or a digest of the content.",
    ),
    click.option(
        "--cost",
        type=click.Choice(["kind", "history"]),
        default="kind",
        help="Weigh steps by instruction (default), or by how often git's history changed them.",
    ),
    click.option(
        "--measured",
        multiple=True,
        metavar="SOURCE",
        help="Weigh steps by the sizes of an image's layers: output of docker history --no-trunc"
        " --format json, an OCI layout, an archive of docker save, or docker://IMAGE, which asks"
        " the registry.",
    ),
    click.option(
        "--exclude", multiple=True, metavar="PATTERN", help="Leave out (gitignore syntax)."
    ),
    click.option("--config", metavar="FILE", help="Configuration file."),
    click.option("--no-config", is_flag=True, help="Read no configuration."),
)


def options(function: _Function) -> _Function:
    """The options that both commands take."""
    for decorate in reversed(_OPTIONS):
        function = decorate(function)
    return function


def read(
    paths: Sequence[str],
    max_depth: int | None,
    min_images: int | None,
    min_steps: int | None,
    include_generated: bool,
    bases: str | None,
    registry: str | None,
    tag: str | None,
    cost: str,
    measured: Sequence[str],
    exclude: Sequence[str],
    config: str | None,
    no_config: bool,
) -> tuple[Repository, Options]:
    """The repository and what is asked of it; skipped and broken files are told on stderr."""
    from dockstrata.configuration import Configuration, load_configuration
    from dockstrata.errors import DockstrataError
    from dockstrata.meaning.repository import read_repository
    from dockstrata.rewrite.refactor import Options

    configuration = Configuration() if no_config else load_configuration(config, hadolint=False)
    settings = configuration.plan
    if max_depth is not None:
        settings = replace(settings, max_depth=max_depth, merge_stages=True)
    if min_images is not None:
        settings = replace(settings, min_images=min_images)
    if min_steps is not None:
        settings = replace(settings, min_steps=min_steps)
    placement = dict(configuration.placement)
    bases = bases if bases is not None else placement.get("bases", "bases")
    registry = registry if registry is not None else placement.get("registry", "localhost")
    tag = tag if tag is not None else placement.get("tag", "name")
    if tag not in ("name", "content"):
        raise DockstrataError(
            f"'plan.tag' must be name or content, not '{tag}'", configuration.path
        )
    if bases.startswith("/") or ".." in bases.split("/") or not bases:
        raise DockstrataError("--bases must be a folder inside the directory that is refactored")
    if not _REGISTRY.match(registry):
        raise DockstrataError(
            f"--registry '{registry}' cannot begin an image reference; it must look like"
            " localhost, registry.example.com:5000 or registry.example.com/team"
        )
    exclude = [*configuration.exclude, *exclude]
    paths = with_bases(paths or (".",), bases)
    repository = read_repository(paths, exclude=exclude, builds=configuration.builds)
    tell(repository)
    model = _cost_model(cost, measured, paths[0], settings, repository)
    names = dict(configuration.names)
    return repository, Options(settings, bases, registry, tag, names, include_generated, model)


def _cost_model(
    cost: str, measured: Sequence[str], path: str, settings: PlanSettings, repository: Repository
) -> CostModel | None:
    if cost == "kind" and not measured:
        return None
    from dockstrata.plan import weights

    by_kind, by_history = weights.by_kind(settings), weights.by_history
    model = by_history(path, settings) if cost == "history" else by_kind
    if measured:
        from dockstrata.plan.measured import coverage

        model = weights.measured(model, measured, repository.set.images)
        told = coverage(repository.set.images, model.sizes)
        print(f"note: --measured tells the size of {told}", file=sys.stderr)
    return model


def with_bases(paths: Sequence[str], bases: str) -> list[str]:
    """The paths, and the folder of bases that earlier runs wrote for them."""
    from dockstrata.meaning.repository import common_root

    folder = os.path.join(common_root(paths), bases)
    return [*paths, folder] if os.path.isdir(folder) else list(paths)


_INLINE_SHOWN = 3


def half_written(what: str, root: str) -> str:
    """That an ``apply`` or its ``--undo`` was cut off in ``root``, and what helps."""
    where = "" if root == "." else f" {root}"
    both = f"`dockstrata apply{where}` or `dockstrata apply --undo{where}`"
    return f"an earlier {what} was cut off, and its files are half written; {both} puts them right"


def tell_cut_off(root: str) -> None:
    """A warning on stderr where files are half written."""
    from dockstrata.report.terminal import printable
    from dockstrata.rewrite.journal import cut_off

    if (what := cut_off(root)) is not None:
        print(f"warning: {printable(half_written(what, root))}", file=sys.stderr)


def tell(repository: Repository) -> None:
    """Notes on stderr: what was skipped, and what cannot be read."""
    from dockstrata.report.terminal import printable

    tell_cut_off(repository.root)
    for path, message in repository.unreadable:
        print(f"error: {printable(path)}: {message}", file=sys.stderr)
    inline = [skip for skip in repository.skipped if skip.reason == "inline"]
    for skip in inline[:_INLINE_SHOWN]:
        print(f"note: {printable(f'{skip.path}: {skip.message}')}", file=sys.stderr)
    if more := inline[_INLINE_SHOWN:]:
        print(f"note: {len(more)} more Dockerfiles inside such files are left out", file=sys.stderr)
    skipped = [skip for skip in repository.skipped if skip.reason not in ("unreadable", "inline")]
    if skipped:
        count = len(skipped)
        reasons = sorted({skip.reason for skip in skipped})
        what = "file" if count == 1 else "files"
        print(f"note: {count} {what} skipped ({', '.join(reasons)})", file=sys.stderr)
    for problem in repository.problems:
        place = printable(f"{problem.path}:{problem.line}: {problem.message}")
        print(f"warning: {place}; this file is left alone", file=sys.stderr)
