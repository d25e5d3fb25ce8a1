"""What dockstrata writes into the bases that it makes, so that their files say what they are."""

from __future__ import annotations

from dockstrata.syntax.nodes import Document

BASE_MARK = "# dockstrata base "
"""Begins the line by which a base image that dockstrata wrote says what its children call it."""
MARKED_LINES = 8
"""So many comments from the top may be marks."""


def base_reference(document: Document) -> str | None:
    """What the children of a base call it; ``None`` where the file is none of ours."""
    for comment in document.comments[:MARKED_LINES]:
        if comment.text.startswith(BASE_MARK):
            return comment.text[len(BASE_MARK) :].strip()
    return None
