"""ADD is used where COPY does the same.

ADD also unpacks archives and fetches addresses, so a reader has to know what the source is. COPY
only copies.

Bad:

    FROM debian:12.5
    ADD app.conf /etc/app.conf

Good:

    FROM debian:12.5
    COPY app.conf /etc/app.conf

Fix: unsafe. The files are the same, but BuildKit's key of the step, and with it the cache, changes.

Source: hadolint DL3020.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Evaluated, Finding, Fixable, Severity, rule, unsafe
from dockstrata.syntax.heredoc import parse_opener
from dockstrata.syntax.words import WordError, expand, is_symbolic, symbol
from dockstrata_rules.instructions.archives import is_archive, is_remote

_ADD_ONLY = ("checksum", "keep-git-dir", "unpack")


@rule(code="DL3020", name="add-instead-of-copy", severity=Severity.ERROR, fix=Fixable.SOMETIMES)
def add_instead_of_copy(context: Context) -> Iterator[Finding]:
    for stage in context.stages:
        for item in stage.evaluated:
            node = item.instruction
            if node.keyword != "ADD" or node.span < stage.node.span:
                continue
            sources = _sources(item)
            plain = [s for s in sources if not is_archive(s) and not is_remote(s)]
            if not plain:
                continue
            word = "ADD" if node.written.isupper() else "add"
            only = plain == sources and not any(is_symbolic(s) for s in sources)
            fixable = only and not any(node.flag(flag) is not None for flag in _ADD_ONLY)
            copy = "COPY" if word == "ADD" else "copy"
            yield context.finding(
                node,
                "Use COPY instead of ADD for files and folders",
                fix=unsafe(context.edit(node.keyword_span, copy)) if fixable else None,
            )


def _sources(item: Evaluated) -> list[str]:
    node, env = item.instruction, item.before.env
    found = []

    def lookup(name: str) -> str:
        # The root image may set what the file does not.
        return env[name] if name in env else symbol("root", "env", name)

    for word in node.arguments[:-1]:
        if node.heredocs and parse_opener(word) is not None:
            continue
        try:
            found.append(expand(word, lookup, node.escape))
        except WordError:
            found.append(word)
    return found
