"""The frame of an HTML report: one file, nothing from outside, light or dark as the reader is."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable

from dockstrata.report.plain import valid
from dockstrata.report.terminal import printable

_STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --page: #fff;
  --panel: #f6f8fa; --accent: #a3812b; --accent-back: #fdf0cd; --link: #0550ae }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --soft: #a3adb8; --line: #3d444d;
  --page: #0d1117; --panel: #151b23; --accent: #d9b64e; --accent-back: #3d3212; --link: #79b8ff } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.4rem; margin: 0 0 .8rem } h2 { font-size: 1.1rem; margin: 1.8rem 0 .5rem }
code, pre { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
pre { margin: .3rem 0 .6rem; padding: .5rem .8rem; background: var(--panel); overflow-x: auto;
  border: 1px solid var(--line); border-radius: 5px }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .3rem .7rem;
  border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.figures { display: flex; flex-wrap: wrap; gap: .8rem; margin: 0 0 1rem; padding: 0 }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  padding: .5rem 1rem } .figures b { display: block; font-size: 1.4rem }
.figures span, .soft { color: var(--soft); font-weight: 400 }
details { margin: .15rem 0 .15rem .2rem } details > :not(summary) { margin-left: 1.1rem }
summary { cursor: pointer; padding: .1rem 0 }
.root > summary { font-weight: 600; font-size: 1.02rem }
.repeat { color: var(--accent); background: var(--accent-back); border-radius: 9px;
  padding: 0 .5rem; white-space: nowrap; font-weight: 400; font-size: .9em }
.image { padding: .05rem 0; overflow-wrap: anywhere }
.bar { display: flex; gap: .6rem; margin: 0 0 1rem; position: sticky; top: 0; padding: .5rem 0;
  background: var(--page) }
input { flex: 1; padding: .4rem .7rem; font: inherit; color: inherit; background: var(--panel);
  border: 1px solid var(--line); border-radius: 5px }
button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line);
  border-radius: 5px; padding: .3rem .8rem; cursor: pointer }
[hidden] { display: none !important }
.add { color: #1a7f37 } .del { color: #cf222e }
@media (prefers-color-scheme: dark) { .add { color: #56d364 } .del { color: #ff7b72 } }
@media print { .bar { display: none } }
"""
SEARCH = """
<div class="bar"><input type="search" placeholder="Search images, steps and paths"
 aria-label="Search"><button type="button" data-open="1">Open all</button><button type="button"
 data-open="">Close all</button></div>
"""
_SCRIPT = """
const input = document.querySelector('input[type=search]');
const all = [...document.querySelectorAll('main details')];
const was = all.map(it => it.open);
for (const button of document.querySelectorAll('button[data-open]'))
  button.onclick = () => all.forEach(it => { it.open = button.dataset.open !== '' });
function show(element, query, above) {
  // A match of its own shows all that is below.
  const own = element.querySelector(':scope > summary') || element;
  const steps = element.querySelector(':scope > pre');
  const text = (own.textContent + ' ' + (steps ? steps.textContent : '')).toLowerCase();
  const here = above || text.includes(query);
  let below = false;
  for (const child of element.querySelectorAll(':scope > details, :scope > .image'))
    below = show(child, query, here) || below;
  element.hidden = !(here || below);
  if (element.tagName === 'DETAILS') element.open = below && !here || element.open;
  return here || below;
}
let timer;
input && (input.oninput = () => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const query = input.value.trim().toLowerCase();
    all.forEach((it, at) => { it.open = query ? false : was[at] });
    for (const top of document.querySelectorAll('main > details')) show(top, query, !query);
  }, 120);
});
"""


def page(title: str, body: Iterable[str]) -> str:
    """A whole document around ``body``, which is HTML; a policy lets nothing else run."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    head = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{text(title)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{text(title)}</h1>",
    ]
    tail = [f"<script>{_SCRIPT}</script>", "</body>", "</html>"]
    return "\n".join([*head, *body, *tail]) + "\n"


def text(value: str) -> str:
    """Anybody's text as HTML shows it."""
    return html.escape(printable(valid(value)))


def code(value: str) -> str:
    return f"<code>{text(value)}</code>"


def figures(pairs: Iterable[tuple[int | str, str]]) -> str:
    """Numbers with what they count."""
    cells = (f"<div><b>{text(str(n))}</b><span>{text(what)}</span></div>" for n, what in pairs)
    return f'<div class="figures">{"".join(cells)}</div>'


def folded(summary: str, body: Iterable[str], kind: str = "", is_open: bool = False) -> str:
    """A part that can be folded; ``summary`` and ``body`` are HTML."""
    name = f' class="{kind}"' if kind else ""
    opened = " open" if is_open else ""
    return f"<details{name}{opened}><summary>{summary}</summary>{''.join(body)}</details>"
