"""dockstrata's own rules, one a file; the engine finds them by entry point like anyone's pack."""

from __future__ import annotations

from dockstrata.rule import Rule
from dockstrata_rules.images.latest_tag import latest_tag
from dockstrata_rules.instructions.maintainer_deprecated import maintainer_deprecated

RULES: tuple[Rule, ...] = (
    latest_tag,
    maintainer_deprecated,
)
