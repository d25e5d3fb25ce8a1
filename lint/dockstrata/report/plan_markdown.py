"""``plan --format markdown``: what one pastes into a pull request (GitHub Flavored Markdown)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dockstrata.meaning.repository import Repository
from dockstrata.plan.model import Base, Plan, Refusal
from dockstrata.report.plain import count, step_line, valid
from dockstrata.report.plan_text import (
    differing,
    grouped,
    headline,
    merge_line,
    merges,
    minimised,
    one_for_all,
    start,
    with_generated,
)
from dockstrata.report.terminal import printable
from dockstrata.rewrite.refactor import Refactoring
from dockstrata.similarity.near import NearMiss

_LARGEST = 60_000
"""GitHub takes 65,536 characters in a description or comment."""
_IMAGES = 12
_REFUSED = 4
_NEAR = 5
_STEP = 400


def plan_markdown(
    repository: Repository, refactoring: Refactoring, near: Sequence[NearMiss]
) -> str:
    """The text. Where it would be too long the bases that save least are left to other formats."""
    plan = refactoring.plan
    bases = [*plan.reused, *plan.bases]
    ends = "\n".join(_ends(refactoring, near))
    head = f"## Shared base images\n\n{_prose(headline(repository, refactoring))}\n"
    rows = [_row(base, plan) for base in bases]
    details = ["\n".join(_details(base, refactoring)) for base in bases]
    room = _LARGEST - len(head) - len(ends)
    table = _fitting(rows, room // 2)
    parts = _fitting(details, room - sum(map(len, table)))
    lines = [head]
    if rows:
        lines += [
            "| Base image | on | Steps | Images | Saves |",
            "|---|---|---:|---:|---:|",
            *table,
        ]
        if len(table) < len(rows):
            lines.append(f"\nand {len(rows) - len(table)} more (`--format html` has all)")
        lines += ["", *parts]
        if len(parts) < len(details):
            left = len(details) - len(parts)
            lines.append(f"The details of {left} more are in `--format html`.\n")
    return "\n".join([*lines, ends]).rstrip("\n") + "\n"


def _fitting(parts: Sequence[str], room: int) -> list[str]:
    """As many of the first parts as there is room for."""
    kept: list[str] = []
    for part in parts:
        room -= len(part) + 1
        if room < 0:
            break
        kept.append(part)
    return kept


def _row(base: Base, plan: Plan) -> str:
    name = code(base.ref) + (" (exists)" if base.existing else "")
    cells = (name, code(start(base)), len(base.own_steps), len(base.served), base.saved_steps)
    return f"| {' | '.join(_cell(str(cell)) for cell in cells)} |"


def _details(base: Base, refactoring: Refactoring) -> Iterator[str]:
    plan = refactoring.plan
    where = "new stage in" if base.kind == "stage" else "new file"
    if base.existing:
        where = "exists:"
    saved = f"saves {count(base.saved_steps, 'step')} in {count(len(base.served), 'image')}"
    yield f"<details><summary>{_html(base.ref)}: {saved}</summary>"
    yield ""
    yield f"{where} {code(base.path)}, depth {base.depth}:"
    yield ""
    steps = (_cut(step_line(step.instruction)) for step in base.own_steps)
    yield _fenced("dockerfile", [f"FROM {start(base)}", *steps])
    yield ""
    if (note := one_for_all(base, refactoring)) is not None:
        yield f"It {_html(note)}."
        yield ""
    direct = {member.image.id for member in base.members}
    images = [image for image in base.served if image.id in direct]
    for image in images[:_IMAGES]:
        yield f"- {code(image.id)}, depth {image.depth} → {plan.depth_of(image)}"
    if len(images) > _IMAGES:
        yield f"- and {len(images) - _IMAGES} more"
    for other in plan.bases:
        if other.parent is not None and other.parent.ref == base.ref:
            yield f"- {code(other.ref)}, a base of this plan"
    yield ""
    yield "</details>"
    yield ""


def _ends(refactoring: Refactoring, near: Sequence[NearMiss]) -> Iterator[str]:
    plan = refactoring.plan
    for why, group in merges(refactoring):
        yield f"### {why}\n"
        for merge in group[:_IMAGES]:
            yield f"- {merge_line(merge, code)}"
        if len(group) > _IMAGES:
            yield f"- and {len(group) - _IMAGES} more"
        yield ""
    refused = [*refactoring.merged.refused, *plan.refused]
    if refused:
        yield from _refused(refused)
    if near:
        yield from _near(near)
    if refactoring.blocked:
        yield "### In the way\n"
        for path in refactoring.blocked:
            yield f"- {code(path)} exists, and dockstrata did not write it"
        yield ""
    for sentence in with_generated(refactoring):
        yield f"{_prose(sentence)}\n"
    for sentence in minimised(plan):
        yield f"{_prose(sentence)}  "
    yield ""
    yield "Each image that is moved is proved equal. `dockstrata apply` writes this."


def _refused(refused: Sequence[Refusal]) -> Iterator[str]:
    yield "### What stays as it is, and why\n"
    yield "| Images | Why |"
    yield "|---:|---|"
    groups = list(grouped(refused))
    for reason, why, refusals in groups:
        yield f"| {len(refusals)} | {code(reason)}: {_prose(why)} |"
    yield ""
    yield "<details><summary>Examples</summary>\n"
    for _, _, refusals in groups:
        for refusal in refusals[:_REFUSED]:
            yield f"- {code(refusal.id)}: {code(_cut(refusal.message))}"
        if len(refusals) > _REFUSED:
            yield f"- and {len(refusals) - _REFUSED} more of this kind"
    yield "\n</details>\n"


def _near(near: Sequence[NearMiss]) -> Iterator[str]:
    yield "### Nearly the same: an edit would let more be shared\n"
    for miss in near[:_NEAR]:
        first = miss.edits[0]
        others = len(miss.edits) - 1
        more = f" and {count(others, 'other place')}" if others else ""
        gain = f"{count(miss.gained, 'step')} more for {count(len(miss.images), 'image')}"
        yield f"{code(f'{first.path}:{first.line}')}{more} ({first.kind}): {gain}\n"
        old, new = differing(first.old, first.new)
        yield _fenced("diff", [f"- {_cut(old)}", f"+ {_cut(new)}"])
        yield ""
    if len(near) > _NEAR:
        yield f"and {len(near) - _NEAR} more (`--format json` has all)\n"


def _cut(text: str) -> str:
    return text if len(text) <= _STEP else f"{text[: _STEP - 2]} …"


def code(text: str) -> str:
    """Anybody's text as a code span, in which nothing has a meaning."""
    clean = printable(valid(text)) or " "
    ticks = "`" * (1 + max(map(len, re.findall("`+", clean)), default=0))
    pad = " " if clean.startswith("`") or clean.endswith("`") else ""
    return f"{ticks}{pad}{clean}{pad}{ticks}"


def _cell(text: str) -> str:
    """A table cuts cells before it reads code spans."""
    return text.replace("|", "\\|")


def _fenced(language: str, lines: Sequence[str]) -> str:
    clean = [printable(valid(line)) for line in lines]
    longest = max((len(run) for line in clean for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence + language, *clean, fence])


def _html(text: str) -> str:
    """Anybody's text where HTML begins a line: HTML's and Markdown's signs as entities."""
    clean = printable(valid(text))
    return re.sub(r"[^A-Za-z0-9 ./:-]", lambda match: f"&#{ord(match[0])};", clean)


def _prose(text: str) -> str:
    """A sentence of ours; options in it as code."""
    return re.sub(r"--[a-z][a-z-]+", lambda match: f"`{match[0]}`", text)
