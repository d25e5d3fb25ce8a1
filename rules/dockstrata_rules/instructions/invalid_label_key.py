"""A label's key breaks Docker's rules for label keys.

A key begins with a small letter, ends with a small letter or digit, and has dots and hyphens only
one at a time. ``com.docker.*``, ``io.docker.*`` and ``org.dockerproject.*`` belong to Docker.

Bad:

    FROM debian:12.5
    LABEL Version=1.0

Good:

    FROM debian:12.5
    LABEL com.example.version=1.0

Source: hadolint DL3048; Docker's guidelines for label keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule

_KEY = re.compile(r"^[a-z](?:[a-z0-9./_-]*[a-z0-9])?$")
_RESERVED = ("com.docker.", "io.docker.", "org.dockerproject.")


@rule(code="DL3048", name="invalid-label-key", severity=Severity.STYLE)
def invalid_label_key(context: Context) -> Iterator[Finding]:
    for node in context.document.instructions:
        if node.keyword == "LABEL" and any(_invalid(key) for key, _ in node.pairs()):
            yield context.finding(node, "Invalid label key.")


def _invalid(key: str) -> bool:
    if len(key) > 1 and key[0] == key[-1] and key[0] in "\"'":
        key = key[1:-1]
    doubled = ".." in key or "--" in key
    return doubled or key.startswith(_RESERVED) or not _KEY.match(key)
