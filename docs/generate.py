"""Writes docs/rules/ from the rules' own pages: ``python docs/generate.py``, ``--check`` for CI."""

from __future__ import annotations

import sys
from pathlib import Path

from dockstrata.registry import load_registry
from dockstrata.report.rule_page import markdown
from dockstrata.rule import Fixable, Rule

FOLDER = Path(__file__).parent / "rules"


def pages() -> dict[str, str]:
    """Text by file name: a page for each rule, and the list."""
    rules = load_registry().rules
    found = {f"{rule.code}.md": markdown(rule) for rule in rules}
    found["README.md"] = _index(rules)
    return found


def _index(rules: tuple[Rule, ...]) -> str:
    lines = [
        "# Rules",
        "",
        "Written by `python docs/generate.py` from the rules' docstrings. `*`: has a fix.",
        "",
        "| Code | Name | Severity | | |",
        "|---|---|---|---|---|",
    ]
    for rule in rules:
        mark = "" if rule.fix is Fixable.NEVER else "`*`"
        off = "" if rule.default else " (off by default)"
        summary = rule.summary.replace("``", "`").replace("|", "\\|")
        link = f"[{rule.code}]({rule.code}.md)"
        lines.append(f"| {link} | {rule.name} | {rule.severity} | {mark} | {summary}{off} |")
    return "\n".join(lines) + "\n"


def stale() -> list[str]:
    """Names of the pages that are missing, other than they should be, or of no rule any more."""
    wanted = pages()
    there = {path.name for path in FOLDER.glob("*.md")}
    changed = [
        name
        for name in wanted.keys() & there
        if (FOLDER / name).read_text(encoding="utf-8") != wanted[name]
    ]
    return sorted({*changed, *(wanted.keys() ^ there)})


def main() -> int:
    if "--check" in sys.argv[1:]:
        for name in stale():
            print(f"docs/rules/{name} is stale: run python docs/generate.py", file=sys.stderr)
        return int(bool(stale()))
    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
