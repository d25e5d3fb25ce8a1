"""What the files of a repository say that are no part of the set: they may stand on its bases."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from functools import cached_property

from dockstrata.load.discover import discover
from dockstrata.load.generated import read_text
from dockstrata.meaning.library import WRITTEN
from dockstrata.meaning.marks import BASE_MARK, MARKED_LINES


class Elsewhere:
    """The Dockerfiles, templates, compose and bake files of the repository that ``root`` lies in,
    but for those ``known``; read when they are asked first."""

    def __init__(self, root: str, known: Collection[str]) -> None:
        self.root = root
        self.known = known

    def names(self, reference: str) -> bool:
        """Whether one of them may name the image ``reference``: has the last part of its name."""
        return any(map(name_pattern(reference).search, self._texts))

    @cached_property
    def bases(self) -> frozenset[str]:
        """The names of bases that dockstrata wrote there: one tag must not mean two images."""
        lines = (line for text in self._texts for line in text.split("\n", MARKED_LINES))
        return frozenset(
            image_name(line[len(BASE_MARK) :].strip())
            for line in lines
            if line.startswith(BASE_MARK)
        )

    @cached_property
    def _texts(self) -> list[str]:
        found = discover([_top(self.root)], respect_ignore=False)
        paths = (*found.files, *found.wiring, *(skip.path for skip in found.skipped))
        known = set(map(os.path.realpath, self.known))
        texts = (read_text(path) for path in paths if os.path.realpath(path) not in known)
        return [text for text in texts if not text.startswith(WRITTEN)]


def name_pattern(reference: str) -> re.Pattern[str]:
    """Finds the last part of an image's name, without tag, as a word."""
    return re.compile(rf"(?<![\w.-]){re.escape(image_name(reference))}(?![\w-])")


def image_name(reference: str) -> str:
    """``registry.example/team/name:tag`` → ``name``."""
    return reference.rpartition("/")[2].partition("@")[0].partition(":")[0]


def _top(folder: str) -> str:
    """The nearest folder that git keeps, else the folder itself."""
    at = os.path.realpath(folder)
    while not os.path.lexists(os.path.join(at, ".git")):
        at, below = os.path.dirname(at), at
        if at == below:
            return folder
    return at
