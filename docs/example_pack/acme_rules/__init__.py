"""Acme's rules for Dockerfiles; dockstrata finds ``RULES`` by the entry point in pyproject.toml."""

from __future__ import annotations

from acme_rules.image_not_mirrored import image_not_mirrored
from acme_rules.several_tags import several_tags
from dockstrata.rule import Rule

RULES: tuple[Rule, ...] = (image_not_mirrored, several_tags)
