"""Checks the set that the files are: what it is as a whole, and the rules about it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dockstrata.checker import Checker, Failure, failure
from dockstrata.finding import Finding
from dockstrata.parents import Lookup
from dockstrata.source import Source

if TYPE_CHECKING:  # loaded where something is built as a file says
    from dockstrata.load.wiring import Build


@dataclass(slots=True)
class SetOutcome:
    """What the rules about the set said; ``ran`` has the codes of those that came to their end.

    ``lookups``: what in other files it depends on; ``None`` where that cannot be said.
    """

    findings: list[Finding] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    lookups: tuple[Lookup, ...] | None = ()


Wired = Mapping[str, Sequence["Build"]]
"""How each Dockerfile is built, by path."""


def how_built(paths: Sequence[str], wiring: Sequence[str], builds: Sequence[Build]) -> Wired:
    """As compose and bake files say, or the configuration."""
    if not wiring and not builds:
        return {}
    from dockstrata.load.builds import load_builds
    from dockstrata.meaning.repository import all_builds, written_by_us

    others = [path for path in wiring if not written_by_us(path)]
    return all_builds(load_builds((), paths, wiring=others), builds)


def check_set(
    sources: Sequence[Source], checker: Checker, wired: Wired | None = None
) -> SetOutcome:
    """Run the rules about the set; for one image few of them. ``wired`` says how it is built."""
    outcome = SetOutcome()
    rules = checker.set_rules
    if not rules or not sources:
        return outcome
    from dockstrata.syntax.parse import parse

    documents = [parse(source) for source in sources]
    stages = (node.keyword == "FROM" for document in documents for node in document.instructions)
    if sum(stages) < 2:
        rules = tuple(rule for rule in rules if rule.alone)
        if not rules or not (wired or _has_ignore_file(sources)):
            return outcome
    from dockstrata.facts import Facts
    from dockstrata.meaning.images import image_set
    from dockstrata.meaning.library import Library, unread
    from dockstrata.rule import SetContext
    from dockstrata.similarity.trie import build_trie

    # What COPY takes is of interest only where there is a second image to compare.
    library = Library(documents, wired or {}, unread if rules != checker.set_rules else None)
    images = image_set(library.all())
    if len(images.images) < 2:
        rules = tuple(rule for rule in rules if rule.alone)
    trie = build_trie(images.images)
    settings, plan = checker.options.settings, checker.options.plan
    facts = Facts(library, images, checker.parents, plan)
    for rule in rules:
        assert rule.check_set is not None
        try:
            context = SetContext(rule, images, trie, settings, plan, facts)
            outcome.findings += rule.check_set(context)
            outcome.ran.add(rule.code)
        except Exception as error:
            outcome.failures.append(failure(rule, "the set", error))
    outcome.lookups = checker.parents.answers(facts.lookups)
    return outcome


def _has_ignore_file(sources: Sequence[Source]) -> bool:
    from dockstrata.load.context import has_ignore_file

    return any(has_ignore_file(os.path.dirname(it.path), it.path) for it in sources)
