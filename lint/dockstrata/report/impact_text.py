"""``impact`` for people: each image to rebuild with the reason why, in build order."""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.build.impact import Impact, Rebuild
from dockstrata.report.plain import count
from dockstrata.report.terminal import printable

_SHOWN = 5


def impact_text(impact: Impact, cause: str) -> Iterator[str]:
    """The lines; ``cause`` says since when or for what (``since main``)."""
    total = f"{impact.images} image{'' if impact.images == 1 else 's'}"
    count = len(impact.rebuilds)
    if not count:
        yield f"None of {total} must be rebuilt {printable(cause)}."
    else:
        levels = len(impact.levels)
        order = "all at once" if levels == 1 else f"in {levels} levels, one after the other"
        yield f"{count} of {total} must be rebuilt {printable(cause)}, {order}:"
    for number, level in enumerate(impact.levels, 1):
        yield ""
        if len(impact.levels) > 1:
            yield f"Level {number}:"
        for rebuild in level:
            yield from _image(rebuild)
    if impact.removed:
        yield ""
        yield "No longer there:"
        for path in impact.removed:
            yield f"  {printable(path)}"


def _image(rebuild: Rebuild) -> Iterator[str]:
    job = rebuild.job
    target = f", target {job.build.target}" if job.build.target else ""
    yield f"  {printable(job.name)}  ({printable(job.dockerfile + target)})"
    for reason in rebuild.reasons[:_SHOWN]:
        yield f"    {printable(reason.message)}"
    if len(rebuild.reasons) > _SHOWN:
        more = count(len(rebuild.reasons) - _SHOWN, "more reason")
        yield f"    and {more} (--format json has all)"
