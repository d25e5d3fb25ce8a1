"""The one exception that reaches a user: a message, and the file and line it is about."""

from __future__ import annotations


class DockstrataError(Exception):
    """The job cannot be done; the command line prints it as ``path:line: message`` and exits 2.

    ``line`` counts from 1; ``path`` is as the user would write it.
    """

    def __init__(self, message: str, path: str | None = None, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line

    def __str__(self) -> str:
        place = self.path or ""
        if self.path and self.line:
            place += f":{self.line}"
        return f"{place}: {self.message}" if place else self.message
