"""``plan --format html``: the whole plan on one page, for those who decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from dockstrata.meaning.repository import Repository
from dockstrata.plan.model import Base, Refusal
from dockstrata.report.html_page import SEARCH, code, figures, folded, page, text
from dockstrata.report.plain import count, step_line
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
from dockstrata.rewrite.refactor import Refactoring
from dockstrata.similarity.near import NearMiss

_OPEN = 3
"""So many bases are unfolded from the start."""


def plan_html(repository: Repository, refactoring: Refactoring, near: Sequence[NearMiss]) -> str:
    """A whole page; nothing is left out."""
    return page("Shared base images", _body(repository, refactoring, near))


def _body(
    repository: Repository, refactoring: Refactoring, near: Sequence[NearMiss]
) -> Iterator[str]:
    plan = refactoring.plan
    yield f"<p>{text(headline(repository, refactoring))}</p>"
    yield figures(
        [
            (len(plan.bases), "new base images"),
            (f"{len(plan.base_of)} of {len(repository.set.images)}", "images move onto a base"),
            (f"{plan.steps} → {plan.steps_after}", "steps to build and maintain"),
            (max(plan.depth_after.values(), default=0), "images on the longest FROM path"),
        ]
    )
    yield SEARCH
    yield "<main>"
    bases = [*plan.reused, *plan.bases]
    if bases:
        yield "<h2>Base images</h2>"
    for number, base in enumerate(bases):
        yield _base(base, refactoring, number < _OPEN)
    yield from _merged(refactoring)
    refused = [*refactoring.merged.refused, *plan.refused]
    if refused:
        yield "<h2>What stays as it is, and why</h2>"
        for reason, why, refusals in grouped(refused):
            yield _refusals(reason, why, refusals)
    if near:
        yield "<h2>Nearly the same: an edit would let more be shared</h2>"
        yield from map(_near, near)
    yield "</main>"
    if refactoring.blocked:
        yield "<h2>In the way</h2>"
        paths = "".join(f"<li>{code(path)}</li>" for path in refactoring.blocked)
        yield f"<p>These files exist, and dockstrata did not write them:</p><ul>{paths}</ul>"
    said = (*with_generated(refactoring), *minimised(plan))
    sentences = "<br>".join(map(text, said))
    yield f'<p class="soft">{sentences}<br>Each image that is moved is proved equal.</p>'


def _base(base: Base, refactoring: Refactoring, is_open: bool) -> str:
    plan = refactoring.plan
    where = "new stage in" if base.kind == "stage" else "new file"
    if base.existing:
        where = "exists:"
    saved = f"saves {count(base.saved_steps, 'step')} in {count(len(base.served), 'image')}"
    title = f'{code(base.ref)} <span class="repeat">{saved}</span>'
    lines = [f"FROM {start(base)}"]
    lines += [step_line(step.instruction) for step in base.own_steps]
    note = one_for_all(base, refactoring)
    direct = {member.image.id for member in base.members}
    rows = [
        f'<div class="image">{code(image.id)} <span class="soft">depth {image.depth} →'
        f" {plan.depth_of(image)}</span></div>"
        for image in base.served
        if image.id in direct
    ]
    rows += [
        f'<div class="image">{code(other.ref)} <span class="soft">a base of this plan</span></div>'
        for other in plan.bases
        if other.parent is not None and other.parent.ref == base.ref
    ]
    body = [
        f'<div class="soft">{where} {code(base.path)}, depth {base.depth}</div>',
        f"<pre>{text_lines(lines)}</pre>",
        *([f'<div class="soft">{text(note)}</div>'] if note is not None else []),
        *rows,
    ]
    return folded(title, body, "root", is_open)


def text_lines(lines: Sequence[str]) -> str:
    return "\n".join(map(text, lines))


def _merged(refactoring: Refactoring) -> Iterator[str]:
    for why, group in merges(refactoring):
        yield f"<h2>{why}</h2>"
        for merge in group:
            yield f'<div class="image">{merge_line(merge, code)}</div>'


def _refusals(reason: str, why: str, refusals: Sequence[Refusal]) -> str:
    """By message, as the same one is said of many images."""
    messages: dict[str, list[str]] = defaultdict(list)
    for refusal in refusals:
        messages[refusal.message].append(refusal.id)
    body = [
        f'<div class="image">{text(message)}: {", ".join(map(code, ids))}</div>'
        for message, ids in messages.items()
    ]
    title = f'{count(len(refusals), "image")}, {code(reason)} <span class="soft">{text(why)}</span>'
    return folded(title, body)


def _near(miss: NearMiss) -> str:
    first = miss.edits[0]
    gain = f"{count(miss.gained, 'step')} more for {count(len(miss.images), 'image')}"
    title = f"{code(f'{first.path}:{first.line}')} ({text(first.kind)})"
    parts = []
    for edit in miss.edits:
        old, new = differing(edit.old, edit.new)
        parts.append(
            f"<div>{code(f'{edit.path}:{edit.line}')}</div>"
            f'<pre><span class="del">- {text(old)}</span>\n'
            f'<span class="add">+ {text(new)}</span></pre>'
        )
    images = ", ".join(code(image.id) for image in miss.images)
    return folded(
        f'{title} <span class="repeat">{gain}</span>',
        [*parts, f'<div class="image soft">{images}</div>'],
    )
