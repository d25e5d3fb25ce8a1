"""The harness for a pack's tests: a rule's golden cases and the examples of its page.

A case is a folder with ``Dockerfile``, ``expected.txt`` and, where a finding has a fix,
``fixed.Dockerfile``; a rule about the set has its files below ``set/`` instead. A
``dockstrata.toml`` in the folder configures the rule. ``expected.txt`` has the rule's own
findings, one a line: ``line:column CODE severity message``, in a set with the path before it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dockstrata.builtin import BUILTIN
from dockstrata.checker import Checked, Checker, Options
from dockstrata.configuration import Configuration, load_configuration
from dockstrata.finding import Finding
from dockstrata.fixer import Fixed, fix_source
from dockstrata.load.discover import discover
from dockstrata.registry import Registry, load_registry
from dockstrata.report.rule_page import Example, examples
from dockstrata.rule import Fixable, Rule
from dockstrata.selection import Selection
from dockstrata.set_check import check_set, how_built
from dockstrata.source import Source
from dockstrata.syntax.parse import parse

_FILE_HEADING = re.compile(
    r"# ((?:\S+/)?(?:\S*Dockerfile\S*|dockstrata\.toml|\.dockerignore|compose\.yaml"
    r"|docker-bake\.hcl))"
)


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """What a rule makes of a case: the lines of ``expected.txt``, and the fixed text if any."""

    expected: str
    fixed: str | None
    findings: tuple[Finding, ...]
    problems: tuple[str, ...]
    """What is wrong whatever the golden files say: a fix that does not hold, and the like."""


def run_case(rule: Rule, folder: Path) -> CaseOutcome:
    """Run one rule on one case folder."""
    toml = folder / "dockstrata.toml"
    configuration = load_configuration(str(toml)) if toml.exists() else Configuration()
    if rule.check_set is not None:
        paths = sorted(path for path in (folder / "set").rglob("*") if path.is_file())
        texts = {path.relative_to(folder / "set").as_posix(): path.read_bytes() for path in paths}
        findings = check_files(rule, texts, configuration)
        return CaseOutcome(_expected(findings, True), None, tuple(findings), ())
    source = Source.from_bytes("Dockerfile", (folder / "Dockerfile").read_bytes())
    checker = _checker(rule, configuration)
    findings = _own(rule, checker, source)
    problems = _fix_declared(rule, findings)
    fixed = None
    if any(finding.fix for finding in findings):
        result = _fix(rule, checker, source)
        fixed = result.source.text
        problems += _fix_holds(rule, checker, result)
    return CaseOutcome(_expected(findings, False), fixed, tuple(findings), tuple(problems))


def cases(rules: Iterable[Rule], folder: Path) -> list[tuple[Rule, Path]]:
    """The case folders ``folder/RULE-NAME/CASE`` of the rules, in order."""
    return [
        (rule, path)
        for rule in rules
        for path in sorted((folder / rule.name).glob("*"))
        if path.is_dir()
    ]


def case_problems(rule: Rule, folder: Path, *, regenerate: bool = False) -> list[str]:
    """In what a case differs from its golden files, in words; nothing where it holds.

    ``regenerate`` writes the golden files first: what is left then is wrong whatever they say.
    """
    outcome = run_case(rule, folder)
    golden = {"expected.txt": outcome.expected, "fixed.Dockerfile": outcome.fixed}
    problems = list(outcome.problems)
    for name, text in golden.items():
        path = folder / name
        data = None if text is None else text.encode("utf-8", "surrogateescape")
        if regenerate and data is not None:
            path.write_bytes(data)
        elif regenerate:
            path.unlink(missing_ok=True)
        there = path.read_bytes() if path.exists() else None
        if there != data:
            problems.append(f"{path}: {_apart(there, data)}")
    if outcome.fixed is not None:
        before = parse(Source.from_bytes("Dockerfile", (folder / "Dockerfile").read_bytes()))
        faults = parse(Source("Dockerfile", outcome.fixed)).faults
        if len(faults) > len(before.faults):
            problems.append(f"fixed.Dockerfile:{faults[0].line}: {faults[0].message}")
    return problems


def _apart(there: bytes | None, wanted: bytes | None) -> str:
    if there is None:
        return "is missing: write the golden files, and read them"
    if wanted is None:
        return "nothing is fixed here: remove it"
    old, new = (data.decode("utf-8", "replace").splitlines() for data in (there, wanted))
    return "\n".join(["differs", *difflib.unified_diff(old, new, "golden", "now", lineterm="")])


def check_files(
    rule: Rule, files: Mapping[str, bytes], configuration: Configuration | None = None
) -> list[Finding]:
    """The findings of one rule in files given as bytes by path, sorted."""
    checker = _checker(rule, configuration or Configuration())
    if rule.check_set is None:
        return [
            finding
            for path, data in files.items()
            for finding in _own(rule, checker, Source.from_bytes(path, data))
        ]
    with TemporaryDirectory() as folder:
        for path, data in files.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        before = os.getcwd()
        os.chdir(folder)
        try:
            found = discover(["."])
            wired = how_built(found.files, found.wiring, ())
            sources = [Source.from_bytes(path, files[path]) for path in found.files]
            outcome = check_set(sources, checker, wired)
        finally:
            os.chdir(before)
    if outcome.failures:
        raise AssertionError(outcome.failures[0].traceback)
    return sorted(outcome.findings, key=lambda finding: finding.sort_key)


def example_problems(rule: Rule) -> list[str]:
    """What is wrong with the examples of a rule's page: one a ``Bad``, one a ``Good`` at least.

    A line ``# NAME`` that names a Dockerfile or ``dockstrata.toml`` begins a file of an example.
    """
    shown = examples(rule)
    problems = [
        f"no {word} example"
        for word, good in (("Bad:", False), ("Good:", True))
        if not any(example.good is good for example in shown)
    ]
    for example in shown:
        found = _example_findings(rule, example)
        if example.good and found:
            problems.append(f"Good example at line {example.line}: {found[0].message}")
        if not example.good and not found:
            problems.append(f"Bad example at line {example.line}: nothing found")
    return problems


def _example_findings(rule: Rule, example: Example) -> list[Finding]:
    files: dict[str, list[str]] = {}
    name = "Dockerfile"
    for line in example.text.splitlines():
        heading = _FILE_HEADING.fullmatch(line)
        if heading:
            name = heading[1]
        files.setdefault(name, []).extend([] if heading else [line])
    texts = {path: ("\n".join(lines) + "\n").encode() for path, lines in files.items()}
    toml = texts.pop("dockstrata.toml", None)
    if toml is None:
        return check_files(rule, texts)
    with TemporaryDirectory() as folder:
        path = Path(folder, "dockstrata.toml")
        path.write_bytes(toml)
        configuration = load_configuration(str(path), start=folder)
    return check_files(rule, texts, configuration)


def _checker(rule: Rule, configuration: Configuration) -> Checker:
    selectors = ((rule.code, 1),)
    if rule in BUILTIN:  # they look at what other rules do
        selectors = (("ALL", 1),)
    registry = load_registry()
    if registry.find(rule.code) is not rule:
        registry = Registry((*BUILTIN, rule))
    settings = configuration.lint.settings
    return Checker(registry, Options(Selection(selectors), settings, configuration.plan))


def _own(rule: Rule, checker: Checker, source: Source) -> list[Finding]:
    checked: Checked = checker.check(source)
    if checked.failures:
        raise AssertionError(checked.failures[0].traceback)
    return [
        finding
        for finding in checker.finish(checked)
        if finding.code == rule.code or (rule.family and finding.name == rule.name)
    ]


def _expected(findings: list[Finding], with_path: bool) -> str:
    lines = []
    for finding in findings:
        at = finding.location
        place = f"{at.path}:" if with_path else ""
        line = f"{place}{at.line}:{at.column} {finding.code} {finding.severity} {finding.message}"
        lines.append(line + "\n")
    return "".join(lines)


def _fix(rule: Rule, checker: Checker, source: Source) -> Fixed:
    return fix_source(source, lambda text: _own(rule, checker, text), checker.registry, unsafe=True)


def _fix_declared(rule: Rule, findings: list[Finding]) -> list[str]:
    problems = []
    for finding in findings:
        place = f"line {finding.location.line}"
        if finding.fix and rule.fix is Fixable.NEVER:
            problems.append(f"{place}: has a fix, but the rule is declared Fixable.NEVER")
        if not finding.fix and rule.fix is Fixable.ALWAYS:
            problems.append(f"{place}: has no fix, but the rule is declared Fixable.ALWAYS")
    return problems


def _fix_holds(rule: Rule, checker: Checker, result: Fixed) -> list[str]:
    problems = [f"line {drop.line}: fix dropped: {drop.reason}" for drop in result.dropped]
    for finding in _own(rule, checker, result.source):
        if finding.fix:
            problems.append(f"line {finding.location.line}: found again after fixing")
    return problems
