"""A rule's page, made of its docstring and its declaration: for terminals, docs, programs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dockstrata.rule import Fixable, Rule

_FIXES = {
    Fixable.NEVER: "none",
    Fixable.SOMETIMES: "sometimes",
    Fixable.ALWAYS: "always",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One indented block below ``Bad:`` or ``Good:``; ``line`` of the docstring, from 1."""

    good: bool
    text: str
    line: int


def examples(rule: Rule) -> list[Example]:
    """The Dockerfiles that a rule's docstring shows.

    Several blocks below one heading are several examples where a line of text lies between
    them; an empty line alone does not part them.
    """
    found: list[Example] = []
    heading: bool | None = None
    block: list[str] = []
    start = 0
    for number, line in enumerate([*rule.page().splitlines(), "end"], 1):
        if block and line.strip() and not line.startswith("    "):
            assert heading is not None
            found.append(Example(heading, "\n".join(block).rstrip() + "\n", start))
            block = []
        match = re.fullmatch(r"(Bad|Good)\b.*:", line)
        if match:
            heading = match[1] == "Good"
        elif line.startswith("    ") and heading is not None:
            start = start if block else number
            block.append(line[4:])
        elif block:
            block.append("")
        elif line.strip() and not line.startswith("    "):
            heading = None if line.endswith(":") or line.startswith(("Fix", "Source")) else heading
    return found


def listing(rules: Iterable[Rule]) -> Iterator[str]:
    """One line for each rule: code, severity, whether it has a fix, name, summary."""
    for rule in rules:
        mark = " " if rule.fix is Fixable.NEVER else "*"
        off = "" if rule.default else " (off by default)"
        yield f"{rule.code:<7} {rule.severity!s:<7} {mark} {rule.name}: {rule.summary}{off}"


def facts(rule: Rule) -> list[tuple[str, str]]:
    """What the declaration says, in the order in which it is read."""
    rows = [("Code", rule.code + ("…" if rule.family else "")), ("Name", rule.name)]
    if rule.aliases:
        rows.append(("Also known as", ", ".join(rule.aliases)))
    rows.append(("Severity", str(rule.severity)))
    rows.append(("Fix", _FIXES[rule.fix]))
    rows.append(("Looks at", "the whole set" if rule.check_set is not None else "one file"))
    if not rule.default:
        rows.append(("Default", "off"))
    return rows


def page(rule: Rule) -> str:
    """For a terminal."""
    rows = facts(rule)
    width = max(len(name) for name, _ in rows) + 1
    head = "\n".join(f"{name + ':':<{width}} {value}" for name, value in rows)
    return f"{head}\n\n{rule.page()}"


def markdown(rule: Rule) -> str:
    """For the documentation: the docstring with its examples fenced."""
    lines = [f"# {rule.code} {rule.name}", "", rule.summary, ""]
    lines += ["| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in facts(rule)]
    body = rule.page().split("\n", 1)[1:] or [""]
    text = re.sub(r"``([^`]+)``", r"`\1`", body[0].strip())
    fenced: list[str] = []
    inside = False
    for line in text.splitlines():
        code = line.startswith("    ") or (inside and not line.strip())
        if code and not inside:
            fenced.append("```dockerfile")
        elif inside and not code:
            while not fenced[-1]:
                fenced.pop()
            fenced += ["```", ""]
        inside = code
        fenced.append(line[4:] if code else line)
    if inside:
        fenced.append("```")
    summary = re.sub(r"``([^`]+)``", r"`\1`", lines[2])
    lines[2] = summary
    return "\n".join([*lines, "", *fenced]).rstrip() + "\n"


def as_json(rule: Rule) -> dict[str, object]:
    return {
        "code": rule.code,
        "name": rule.name,
        "aliases": list(rule.aliases),
        "severity": str(rule.severity),
        "fix": rule.fix.value,
        "default": rule.default,
        "scope": "set" if rule.check_set is not None else "file",
        "summary": rule.summary,
        "page": rule.page(),
    }
