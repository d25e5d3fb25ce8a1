"""Text inside XML."""

from __future__ import annotations

import re

from dockstrata.report.plain import valid

# XML 1.0 has no way to write these at all.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;",
            "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}  # fmt: skip
_SPECIAL = re.compile("[&<>\"'\n\r\t]")


def quoted(text: str) -> str:
    """``text`` as an attribute's value, quotes around it."""
    clean = _FORBIDDEN.sub("\ufffd", valid(text))
    return '"' + _SPECIAL.sub(lambda match: _ESCAPES[match[0]], clean) + '"'
