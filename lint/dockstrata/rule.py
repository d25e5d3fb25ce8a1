"""The contract a rule is written against.

A rule is a pure function of read-only facts: of one file (:class:`Context`) or of the whole set
(:class:`SetContext`). It yields findings; it neither reads files nor knows other rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from dockstrata.finding import Edit, Finding, Fix, Location, Related, Safety, Severity
from dockstrata.meaning.evaluate import Evaluated, Evaluation, Stage
from dockstrata.meaning.images import ImageSet
from dockstrata.meaning.marks import base_reference, is_for_builders
from dockstrata.plan.settings import PlanSettings
from dockstrata.similarity.trie import Trie
from dockstrata.source import Source, Span
from dockstrata.syntax.gotext import SPACE
from dockstrata.syntax.nodes import Document, Instruction

if TYPE_CHECKING:
    from dockstrata.facts import Facts
    from dockstrata.shellcheck.scripts import Remark
    from dockstrata.syntax.shell import Command, Shell

_WORD = re.compile(r"[^\t\v\f\r ]+")

__all__ = [
    "Context",
    "Edit",
    "Evaluated",
    "Evaluation",
    "Finding",
    "Fix",
    "Fixable",
    "Instruction",
    "Related",
    "Rule",
    "Safety",
    "SetContext",
    "Severity",
    "Span",
    "Stage",
    "rule",
    "set_rule",
]


class Fixable(Enum):
    """Whether a rule's findings carry a fix."""

    NEVER = "never"
    SOMETIMES = "sometimes"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Settings:
    """What configuration tells rules. All lists are empty where the user said nothing."""

    trusted_registries: tuple[str, ...] = ()
    label_schema: tuple[tuple[str, str], ...] = ()
    strict_labels: bool = False
    max_layers: int = 127


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the registry knows it: its identity, its function, and its page."""

    code: str
    name: str
    severity: Severity
    aliases: tuple[str, ...]
    fix: Fixable
    check: Callable[[Context], Iterable[Finding]] | None
    check_set: Callable[[SetContext], Iterable[Finding]] | None
    module: str
    default: bool = True
    """Off by default where false: runs only when selected by code or name."""
    changes_meaning: bool = False
    """Its safe fixes change what is built, because that is their point: they are not proved."""
    family: bool = False
    """``code`` is a prefix: findings bring codes of their own that begin with it (``SC2086``)."""
    twin: str | None = None
    """Another rule's code: what both find at one place is one finding, under this rule's code."""
    reads_shellcheck: bool = False
    """Reads :attr:`Context.remarks`: runs when ShellCheck is done, and not at all without it."""
    alone: bool = False
    """About the set, but has something to say of a single image too, where compose, bake or an
    ignore file tells how it is built."""

    def page(self) -> str:
        """The rule's documentation: the docstring of its module."""
        import sys

        return (sys.modules[self.module].__doc__ or "").strip()

    @property
    def summary(self) -> str:
        return self.page().split("\n", 1)[0]

    @property
    def codes(self) -> tuple[str, ...]:
        """Every name that selects, ignores and silences it."""
        return (self.code, *self.aliases, self.name)


@dataclass(frozen=True, slots=True)
class Context:
    """One file as a rule sees it."""

    rule: Rule
    evaluation: Evaluation
    settings: Settings
    remarks: tuple[Remark, ...] = ()
    """ShellCheck's on the file's scripts, for the rules that read them."""

    @property
    def document(self) -> Document:
        return self.evaluation.document

    @property
    def source(self) -> Source:
        return self.evaluation.document.source

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages, evaluated: each instruction with the state before it."""
        return self.evaluation.stages

    @property
    def is_base(self) -> bool:
        """Whether other images stand on the last one, and nobody runs it: a base of ours."""
        return base_reference(self.document) is not None

    @property
    def is_for_builders(self) -> bool:
        """Whether it is such a base, and only build stages stand on it."""
        return is_for_builders(self.document)

    def instructions(self, *keywords: str) -> Iterator[Instruction]:
        """The file's instructions with one of ``keywords``, ONBUILD's triggers included."""
        for node in self.document.instructions:
            if node.keyword in keywords:
                yield node
            elif node.trigger is not None and node.trigger.keyword in keywords:
                yield node.trigger

    def shells(self, *words: str) -> Iterator[tuple[Evaluated, Shell]]:
        """Each RUN (ONBUILD's too) that a POSIX shell reads, with the state before it.

        With ``words``, only those in whose text one of them stands: a cheap test that keeps the
        shell's parser from being loaded for nothing.
        """
        if words and not any(word in self.source.text for word in words):
            return
        from dockstrata.syntax.shell import shell_of

        for stage in self.stages:
            for item in stage.evaluated:
                node = item.instruction.trigger or item.instruction
                # A parent's triggers run here too, but stand above.
                if node.keyword != "RUN" or node.span < stage.node.span:
                    continue
                if words and not any(word in node.text for word in words):
                    continue
                shell = shell_of(node, item.before.shell)
                if shell is not None:
                    yield item, shell

    def commands(self, *names: str) -> Iterator[tuple[Evaluated, Shell, Command]]:
        """The commands of these names in the file's RUNs."""
        for item, shell in self.shells(*names):
            for command in shell.script.named(*names):
                yield item, shell, command

    def finding(
        self,
        at: Span | Instruction,
        message: str,
        *,
        fix: Fix | None = None,
        related: Sequence[Related] = (),
        severity: Severity | None = None,
        code: str | None = None,
        aliases: tuple[str, ...] | None = None,
    ) -> Finding:
        """A finding at a span, or at an instruction (its heredoc bodies left out).

        ``code`` is for rules that are a family alone; ``aliases`` replaces the rule's where not
        every tool that knows it reports this one.
        """
        span = at.head_span if isinstance(at, Instruction) else at
        found = _finding(self.rule, self.source, span, message, fix, related, severity, code)
        return found if aliases is None else replace(found, aliases=aliases)

    def edit(self, span: Span, text: str) -> Edit:
        """Replace the file's characters in ``span`` by ``text``."""
        return Edit(self.document.path, span, text)


@dataclass(frozen=True, slots=True)
class SetContext:
    """The whole set as a rule sees it."""

    rule: Rule
    images: ImageSet
    trie: Trie
    settings: Settings
    plan: PlanSettings
    facts: Facts
    """What only some rules ask for: how the set is built, which files are generated."""

    def finding(
        self,
        node: Instruction,
        message: str,
        *,
        related: Sequence[Related] = (),
        severity: Severity | None = None,
    ) -> Finding:
        """A finding at an instruction of any file of the set."""
        return _finding(self.rule, node.source, node.head_span, message, None, related, severity)


def _finding(
    rule: Rule,
    source: Source,
    span: Span,
    message: str,
    fix: Fix | None,
    related: Sequence[Related],
    severity: Severity | None,
    code: str | None = None,
) -> Finding:
    return Finding(
        code=rule.code if code is None else code,
        name=rule.name,
        severity=rule.severity if severity is None else severity,
        message=message,
        location=Location.of(source, span),
        aliases=rule.aliases,
        related=tuple(related),
        fix=fix,
    )


def word_spans(node: Instruction) -> list[Span]:
    """Where the blank-separated words after keyword and flags stand in the file."""
    return [
        node.span_of(node.arguments_at + match.start(), node.arguments_at + match.end())
        for match in _WORD.finditer(node.rest.rstrip(SPACE))
    ]


def safe(*edits: Edit) -> Fix:
    """A fix that may be applied unasked."""
    return Fix(Safety.SAFE, edits)


def unsafe(*edits: Edit) -> Fix:
    """A fix that may change what is built; applied with ``--unsafe-fixes`` alone."""
    return Fix(Safety.UNSAFE, edits)


def rule(
    *,
    code: str,
    name: str,
    severity: Severity,
    aliases: tuple[str, ...] = (),
    fix: Fixable = Fixable.NEVER,
    default: bool = True,
    changes_meaning: bool = False,
    family: bool = False,
    twin: str | None = None,
    reads_shellcheck: bool = False,
) -> Callable[[Callable[[Context], Iterable[Finding]]], Rule]:
    """Make a function of one file a rule."""

    def wrap(check: Callable[[Context], Iterable[Finding]]) -> Rule:
        return Rule(
            code, name, severity, aliases, fix, check, None, check.__module__, default,
            changes_meaning, family, twin, reads_shellcheck,
        )  # fmt: skip

    return wrap


def set_rule(
    *,
    code: str,
    name: str,
    severity: Severity,
    aliases: tuple[str, ...] = (),
    default: bool = True,
    alone: bool = False,
) -> Callable[[Callable[[SetContext], Iterable[Finding]]], Rule]:
    """Make a function of the whole set a rule."""

    def wrap(check: Callable[[SetContext], Iterable[Finding]]) -> Rule:
        return Rule(
            code, name, severity, aliases, Fixable.NEVER, None, check, check.__module__, default,
            alone=alone,
        )  # fmt: skip

    return wrap
