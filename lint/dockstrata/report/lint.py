"""Which module writes which format of ``lint``; each is loaded when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from dockstrata.result import Result

_FORMATS = {
    "json": "lint_json",
    "sarif": "sarif",
    "github": "github",
    "gitlab": "gitlab",
    "checkstyle": "checkstyle",
    "junit": "junit",
}


def render(result: Result, form: str, statistics: bool, colour: bool, show_source: bool) -> str:
    """The report, each line ended. ``statistics`` counts by rule instead, as text only."""
    if form == "text":
        from dockstrata.report import lint_text

        lines = (
            lint_text.statistics(result)
            if statistics
            else lint_text.lint_text(result, colour=colour, show_source=show_source)
        )
        return "".join(f"{line}\n" for line in lines)
    name = _FORMATS[form]
    module = importlib.import_module(f"dockstrata.report.{name}")
    return cast("Callable[[Result], str]", getattr(module, name))(result)
