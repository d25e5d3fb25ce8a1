"""``impact`` for programs: all that is known of each image, or a matrix for GitHub Actions."""

from __future__ import annotations

from dockstrata.build.impact import Impact, Rebuild
from dockstrata.report.plain import valid

MATRIX_LIMIT = 256
"""Jobs that GitHub makes of one matrix at most (its documentation: "Usage limits")."""


def impact_json(impact: Impact, since: str | None, images: tuple[str, ...]) -> dict[str, object]:
    """The images to rebuild in build order; ``levels`` has their names, level by level."""
    return {
        "version": 1,
        "since": since,
        "images_asked": list(images),
        "totals": {
            "images": impact.images,
            "rebuild": len(impact.rebuilds),
            "levels": len(impact.levels),
            "removed": len(impact.removed),
        },
        "images": [
            {
                **_entry(rebuild),
                "tags": [valid(tag) for tag in rebuild.job.tags],
                "args": {valid(name): value for name, value in rebuild.job.build.args},
                "platforms": list(rebuild.job.build.platforms),
                "needs": list(rebuild.job.needs),
                "reasons": [
                    {"kind": why.kind, "message": valid(why.message), "line": why.line}
                    for why in rebuild.reasons
                ],
            }
            for rebuild in impact.rebuilds
        ],
        "levels": [[rebuild.job.name for rebuild in level] for level in impact.levels],
        "removed": [valid(path) for path in impact.removed],
        "problems": [
            {"path": valid(it.path), "line": it.line, "message": valid(it.message)}
            for it in impact.repository.problems
        ],
    }


def github_matrix(impact: Impact, level: int | None) -> dict[str, object]:
    """What ``strategy.matrix: ${{ fromJSON(…) }}`` takes: one job an image, or those of a level."""
    chosen = [it for it in impact.rebuilds if level is None or it.level == level]
    return {"include": [_entry(rebuild) for rebuild in chosen]}


def _entry(rebuild: Rebuild) -> dict[str, object]:
    job = rebuild.job
    return {
        "name": valid(job.name),
        "dockerfile": valid(job.dockerfile),
        "context": valid(job.build.context),
        "target": valid(job.build.target or ""),
        "tag": valid(job.tags[0]),
        "level": rebuild.level,
    }
