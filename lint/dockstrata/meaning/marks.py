"""What dockstrata writes into the bases that it makes, so that their files say what they are."""

from __future__ import annotations

from dockstrata.syntax.nodes import Document

BASE_MARK = "# dockstrata base "
"""Begins the line by which a base image that dockstrata wrote says what its children call it."""
BUILDERS_MARK = "# Only build stages stand on it: what it leaves behind is in no image."
"""The line of a base whose children's file systems no image contains."""
MARKED_LINES = 8
"""So many comments from the top may be marks."""


def base_reference(document: Document) -> str | None:
    """What the children of a base call it; ``None`` where the file is none of ours."""
    for comment in document.comments[:MARKED_LINES]:
        if comment.text.startswith(BASE_MARK):
            return comment.text[len(BASE_MARK) :].strip()
    return None


def is_for_builders(document: Document) -> bool:
    """Whether the file says that it is a base of build stages alone."""
    return any(comment.text == BUILDERS_MARK for comment in document.comments[:MARKED_LINES])
