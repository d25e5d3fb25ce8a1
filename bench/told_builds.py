"""What we read of a compose or bake file's build, as its own program prints it."""

from __future__ import annotations

import os
from typing import Any

from dockstrata.load.wiring import Build, is_remote


def told(build: Build) -> dict[str, Any]:
    """What compose and bake files have in common, by name; all paths are absolute."""
    return {
        "context": os.path.abspath(build.context),
        "dockerfile": os.path.abspath(build.dockerfile),
        "target": build.target,
        "args": dict(build.args),
        "contexts": {
            name: value if is_remote(value) else os.path.abspath(value)
            for name, value in build.contexts
        },
        "platforms": list(build.platforms),
    }


def without_unknown(ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Both without the names whose value we say only the environment knows."""
    if not isinstance(ours, dict):
        return ours, theirs
    known = {name: value for name, value in ours.items() if value is not None}
    return known, {k: value for k, value in theirs.items() if k in known or k not in ours}
