"""Checks one file: parse, evaluate, run each rule, and hear the ignore comments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dockstrata.builtin.parse_error import PARSE_ERROR
from dockstrata.errors import DockstrataError
from dockstrata.finding import Finding, Location, Severity
from dockstrata.ignores import Ignores, apply_ignores, read_ignores
from dockstrata.meaning.evaluate import Evaluation, evaluate
from dockstrata.parents import Builder, Lookup, Lookups, Parents
from dockstrata.plan.settings import PlanSettings
from dockstrata.registry import Registry
from dockstrata.rule import Context, Rule, Settings
from dockstrata.selection import Selection, specificity
from dockstrata.shellcheck.program import find_program
from dockstrata.shells import apply_shells
from dockstrata.source import Source
from dockstrata.syntax.nodes import Document
from dockstrata.syntax.parse import parse

if TYPE_CHECKING:  # loaded where there is a RUN, or something is configured by path
    from pathspec import GitIgnoreSpec

    from dockstrata.shellcheck.run import ShellCheck
    from dockstrata.shellcheck.scripts import Comment, Remark, Script


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told. Plain data: it goes to worker processes.

    ``severities`` has (selector, severity); ``per_file_ignores`` (gitignore pattern, selectors),
    patterns relative to ``base``.
    """

    selection: Selection = field(default_factory=Selection)
    settings: Settings = field(default_factory=Settings)
    plan: PlanSettings = field(default_factory=PlanSettings)
    severities: tuple[tuple[str, Severity], ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    base: str = "."
    hadolint_comments: bool = True
    shellcheck: bool = True
    cache: bool = True
    bases: str = "bases"
    """The folder that holds the bases that ``apply`` made."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule that raised: a bug of ours or of a pack's, never the user's."""

    code: str
    path: str
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What the rules said of one file, before its ignore comments are heard."""

    source: Source
    findings: tuple[Finding, ...]
    ignores: Ignores
    failures: tuple[Failure, ...]
    broken: bool
    """BuildKit refuses the file or an instruction of it."""
    lookups: tuple[Lookup, ...] | None = None
    """What in other files it depends on; ``None`` where that cannot be said."""
    unanswered: str | None = None
    """Why ShellCheck, which was asked, did not answer."""

    @property
    def repeatable(self) -> bool:
        """Whether the same file would give the same again while the lookups find the same."""
        return not self.failures and self.unanswered is None and self.lookups is not None


class Checker:
    """Runs the selected rules of a registry on files, one at a time."""

    def __init__(
        self,
        registry: Registry,
        options: Options,
        processes: int = 1,
        tags: Mapping[str, Builder] | None = None,
    ) -> None:
        """``processes``: so many ShellChecks may run at once; ``tags`` as in :class:`Parents`."""
        self.registry = registry
        self.parents = Parents(tags or {}, options.bases)
        self.options = options
        chosen = [rule for rule in registry.rules if self._selected(rule)]
        self.processes = processes
        self.shellcheck: ShellCheck | None = None
        self.program: str | None = None
        readers = tuple(rule.code for rule in chosen if rule.reads_shellcheck)
        if options.shellcheck and readers:
            self.program = find_program()
        if self.program is None:
            chosen = [rule for rule in chosen if not rule.reads_shellcheck]
        self.readers = readers if options.shellcheck else ()
        """The rules that were to read ShellCheck's comments, whether or not there is one."""
        self.rules = tuple(rule for rule in chosen if rule.check is not None)
        self.set_rules = tuple(rule for rule in chosen if rule.check_set is not None)
        self._ran = frozenset(rule.code for rule in chosen if rule.check_set is None)
        self._by_code: dict[str, Rule | None] = {}
        self._specs: list[tuple[GitIgnoreSpec, tuple[str, ...]]] | None = None

    def _selected(self, rule: Rule) -> bool:
        selection = self.options.selection
        if rule.family:
            return selection.may_want(rule.code, rule.name)
        return selection.wants(rule.codes, rule.default, always=rule is PARSE_ERROR)

    def check(self, source: Source) -> Checked:
        """Every selected rule's findings; a rule that raises is a failure, never an exception."""
        return self.check_all([source])[0]

    def check_all(self, sources: Sequence[Source]) -> list[Checked]:
        """:meth:`check` of several files, ShellCheck asked once for all of them."""
        files = [self._prepare(source) for source in sources]
        question, trouble = None, ""
        texts = [script.text for file in files for script in file.scripts]
        if texts and self.program is not None:
            try:
                question = self._shellcheck(self.program).begin(texts)
            except DockstrataError as error:
                trouble = str(error)
        # ShellCheck is at work meanwhile.
        for file in files:
            self._run(file, [rule for rule in self.rules if not rule.reads_shellcheck])
        readers = [rule for rule in self.rules if rule.reads_shellcheck]
        answers: Mapping[str, Sequence[Comment]] = {}
        if question is not None:
            try:
                answers = question.answers()
            except DockstrataError as error:
                trouble = str(error)
        for file in files:
            if not trouble:
                for script in file.scripts:
                    file.remarks += script.remarks(answers[script.text])
                self._run(file, readers)
            elif file.scripts:
                file.unanswered = trouble
        return [file.checked(self) for file in files]

    def shellcheck_version(self) -> str | None:
        """That of the ShellCheck that is asked, if one is; raises :class:`DockstrataError`."""
        return None if self.program is None else self._shellcheck(self.program).version()

    def _shellcheck(self, program: str) -> ShellCheck:
        if self.shellcheck is None:
            from dockstrata.shellcheck.cache import Cache
            from dockstrata.shellcheck.run import ShellCheck

            cache = Cache() if self.options.cache else None
            self.shellcheck = ShellCheck(program, cache, self.processes)
        return self.shellcheck

    def _prepare(self, source: Source) -> _File:
        document = parse(source)
        file = _File(document)
        file.findings += [_fault(document, fault.line, fault.message) for fault in document.faults]
        # Of a file that cannot be read to its end, rules would see half and report what is not.
        if any(fault.kind == "syntax" for fault in document.faults):
            return file
        file.evaluation = evaluate(
            document,
            resolve_image=self.parents.resolver(document, file.lookups),
            carry_shell=True,
        )
        for stage in file.evaluation.stages:
            if stage.base is not None:  # its triggers stand in its own file
                own = [item for item in stage.evaluated if item.instruction.source is source]
                stage.evaluated[:] = own
        apply_shells(file.evaluation, comments=self.options.hadolint_comments)
        if self.program is not None and any(
            (node.trigger or node).keyword == "RUN" for node in document.instructions
        ):
            from dockstrata.shellcheck.scripts import scripts_of

            file.scripts = scripts_of(file.evaluation)
        return file

    def _run(self, file: _File, rules: Iterable[Rule]) -> None:
        if file.evaluation is None:
            return
        settings, remarks = self.options.settings, tuple(file.remarks)
        for rule in rules:
            assert rule.check is not None
            try:
                context = Context(rule, file.evaluation, settings, remarks)
                file.findings += rule.check(context)
            except Exception as error:
                file.failures.append(failure(rule, file.document.path, error))

    def finish(
        self,
        checked: Checked,
        of_set: Sequence[Finding] = (),
        ran: Iterable[str] = (),
    ) -> list[Finding]:
        """The file's findings as they are reported, sorted.

        ``of_set`` are those of the set's rules in this file, ``ran`` the codes of the set's
        rules that ran.
        """
        path = checked.source.path
        off = self._ignored_here(path)
        looked = self._ran.union(ran).difference(failure.code for failure in checked.failures)
        if checked.unanswered is not None:
            looked = looked.difference(self.readers)
        if checked.broken:  # rules that did not see everything leave no ignore unused
            looked = frozenset()
        elif off:
            looked = frozenset(code for code in looked if not self._off(code, off))
        findings = [
            self._with_severity(finding)
            for finding in (*checked.findings, *of_set)
            if self._reported(finding, off)
        ]
        findings = self._merged(findings)
        left = apply_ignores(checked.source, checked.ignores, findings, self.registry, looked)
        return sorted(dict.fromkeys(left), key=lambda finding: finding.sort_key)

    def _merged(self, findings: list[Finding]) -> list[Finding]:
        """One finding for one mistake: those of rules that are twins, where both found it."""
        twins = {rule.code: rule.twin for rule in self.rules if rule.twin is not None}
        if not any(finding.code in twins for finding in findings):
            return findings
        pairs = {
            (twin, finding.location)
            for finding in findings
            if (twin := twins.get(finding.code)) is not None
        }
        gone = {f for f in findings if (f.code, f.location) in pairs}
        there = {(f.code, f.location): f for f in gone}
        merged = []
        for finding in findings:
            if finding in gone:
                continue
            twin = twins.get(finding.code)
            other = there.get((twin, finding.location)) if twin is not None else None
            if other is not None:
                aliases = (*finding.aliases, other.code)
                finding = replace(finding, aliases=aliases, related=other.related)
            merged.append(finding)
        return merged

    def _reported(self, finding: Finding, off: Sequence[str]) -> bool:
        names = _names(finding)
        if any(specificity(selector, names) >= 0 for selector in off):
            return False
        rule = self._find(finding.code)
        # A finding may have fewer aliases than its rule: where only one of two tools finds it.
        if rule is not None and (rule.family or finding.aliases != rule.aliases):
            return self.options.selection.wants((*names, rule.code), rule.default)
        return True

    def _find(self, code: str) -> Rule | None:
        if code not in self._by_code:
            self._by_code[code] = self.registry.find(code)
        return self._by_code[code]

    def _off(self, code: str, off: Sequence[str]) -> bool:
        rule = self._find(code)
        names = rule.codes if rule is not None else (code,)
        return any(specificity(selector, names) >= 0 for selector in off)

    def _with_severity(self, finding: Finding) -> Finding:
        best, severity = -1, finding.severity
        for selector, wanted in self.options.severities:
            rank = specificity(selector, _names(finding))
            if rank > best:
                best, severity = rank, wanted
        return finding if severity == finding.severity else replace(finding, severity=severity)

    def _ignored_here(self, path: str) -> tuple[str, ...]:
        """The selectors that configuration ignores for this file."""
        if not self.options.per_file_ignores:
            return ()
        if self._specs is None:
            from pathspec import GitIgnoreSpec

            self._specs = [
                (GitIgnoreSpec.from_lines([pattern]), selectors)
                for pattern, selectors in self.options.per_file_ignores
            ]
        relative = os.path.relpath(path, self.options.base).replace(os.sep, "/")
        return tuple(
            selector
            for spec, selectors in self._specs
            if spec.match_file(relative)
            for selector in selectors
        )


@dataclass(slots=True)
class _File:
    """One file while it is checked."""

    document: Document
    evaluation: Evaluation | None = None
    lookups: Lookups = field(default_factory=Lookups)
    scripts: Sequence[Script] = ()
    remarks: list[Remark] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    unanswered: str | None = None

    def checked(self, checker: Checker) -> Checked:
        return Checked(
            self.document.source,
            tuple(self.findings),
            read_ignores(self.document, hadolint=checker.options.hadolint_comments),
            tuple(self.failures),
            bool(self.document.faults),
            checker.parents.answers(self.lookups),
            self.unanswered,
        )


def _names(finding: Finding) -> tuple[str, ...]:
    return (finding.code, *finding.aliases, finding.name)


def failure(rule: Rule, path: str, error: Exception) -> Failure:
    """What is kept of an exception that a rule let out."""
    import traceback

    text = "".join(traceback.format_exception(error))
    return Failure(rule.code, path, f"{type(error).__name__}: {error}", text)


def _fault(document: Document, line: int, message: str) -> Finding:
    source = document.source
    line = min(max(line, 1), len(source.line_starts()))
    span = source.line_span(line)
    text = source.text[span.start : span.end]
    start = span.start + len(text) - len(text.lstrip(" \t"))
    end = max(start, span.start + len(text.rstrip()))
    at = Location.of(source, replace(span, start=start, end=end))
    rule = PARSE_ERROR
    return Finding(rule.code, rule.name, rule.severity, message, at)
