"""The framework's own rules, about sources and ignore comments; the framework itself finds them."""

from __future__ import annotations

from dockstrata.builtin.ignore_without_reason import IGNORE_WITHOUT_REASON
from dockstrata.builtin.parse_error import PARSE_ERROR
from dockstrata.builtin.unknown_ignore import UNKNOWN_IGNORE
from dockstrata.builtin.unused_ignore import UNUSED_IGNORE
from dockstrata.rule import Rule

BUILTIN: tuple[Rule, ...] = (PARSE_ERROR, UNUSED_IGNORE, UNKNOWN_IGNORE, IGNORE_WITHOUT_REASON)
