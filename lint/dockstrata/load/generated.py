"""Dockerfiles that a program writes: what says so, and the template that yields one.

:func:`generated_by` reads the header. :func:`template_for` looks for the source where
generators of such sets keep it: the file that the header names, a template beside the
Dockerfile or in a directory above it, and a folder of templates (``eng/dockerfile-templates``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable

from dockstrata.load import names
from dockstrata.load.witness import witnessed

_PHRASES = re.compile(
    r"""\b(?:
      (?:docker|container)?files?\s+(?:is|was|are|were|has\s+been|have\s+been)\s+
        (?:\w+\s+)?(?:auto[-\s]?)?(?:generated|created\s+(?:automatically|from\s+a?\s*template))
    | auto(?:matically)?[-\s]?generated
    | machine[-\s]generated
    | do\s+not\s+(?:edit|modify)\W*$
    | (?:do\s+not|don'?t|never)\s+(?:ever\s+)?(?:manually\s+|hand[-\s]?)?(?:edit|modify|change)\s+
        (?:this|it\b|by\s+hand|manually|directly|individual|these|generated|me\b)
    | (?:changes|edits)\s+(?:\w+\s+){0,4}will\s+be\s+(?:lost|overwritten|overridden|discarded)
    )|^(?:@?generated\b(?:\s+(?:by|via|from|with|using|file|code|automatically|dockerfile)\b|\s*$)
      |code\s+generated\s+by\b|warning\W+generated\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_DECORATION = " \t#*-=/!~|<>_"
# A file that a header names: what is changed instead, or what is read.
_SOURCE = re.compile(
    r"(?:from|via|by|using|with|edit|changes\s+(?:to|in)|change|update|see)\s+(?:the\s+|template\s+"
    r"|script\s+|file\s+)*[\"'`]?(?P<file>[\w@+-][\w./@+-]*\.[A-Za-z]\w*)[\"'`]?",
    re.IGNORECASE,
)
_OF_A_FILE = re.compile(
    r"(?:the\s+(?:file\s+)?)?[\"'`]?(?P<file>[\w@./-]*\w\.\w+)[\"'`]?\s+"
    r"(?:is|was|has|gets|will)\b",
    re.IGNORECASE,
)
# Where templates live, beside or below any directory above a Dockerfile.
_FOLDERS = (
    "",
    "src",
    "template",
    "templates",
    "dockerfile-templates",
    "dockerfile_templates",
    "docker-templates",
    "docker_templates",
    "eng/dockerfile-templates",
)
_FOR_TEMPLATES = frozenset(part for part in _FOLDERS if names.in_template_folder(f"{part}/x"))
_TEMPLATE_WORDS = names.words("template tpl tmpl j jinja em in erb")
_WORD = re.compile(r"[a-z]+")
_PLACEHOLDER = re.compile(r"\{\{|\{%|%%\w+%%|<%|@\w+@|\b0\.0\.0\b|\$\{?\w")

Listing = Callable[[str], Iterable[str]]


def _header(text: str) -> list[str]:
    """The leading comment lines, without their decoration."""
    lines = []
    for line in text.removeprefix("\ufeff").split("\n"):
        line = line.strip()
        if line and not line.startswith("#"):
            break
        if content := line.strip(_DECORATION):
            lines.append(content)
    return lines


def generated_by(text: str) -> str | None:
    """The phrase of the leading comments that says that a program wrote the file, or None."""
    return next(filter(_says_so, _header(text)), None)


def _says_so(line: str) -> bool:
    """Whether the line says so, of no other file (``versions.json is auto-generated``)."""
    if not _PHRASES.search(line):
        return False
    other = _OF_A_FILE.match(line)
    return other is None or names.is_dockerfile_name(os.path.basename(other["file"]))


@witnessed
def list_directory(directory: str) -> list[str]:
    """Names in a directory, sorted; none where it cannot be read."""
    try:
        return sorted(os.listdir(directory or "."))
    except OSError:
        return []


@witnessed
def read_text(path: str) -> str:
    """A file's text; empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def template_for(
    path: str,
    siblings: Listing | Look = list_directory,
    *,
    text: str = "",
    read: Callable[[str], str] = read_text,
) -> str | None:
    """The template (else the generator) that yields a Dockerfile, or None.

    ``siblings`` gives the names in a directory (``""`` is the working directory), as a
    :class:`Look` where many files are asked about, and ``read`` a file's text, so that callers
    decide what is looked at. ``text`` is the Dockerfile's: with a header that says it is generated
    the name that the header gives is taken, even where no such file is at hand. Without one a
    template counts that is named for this very file, that lies in a folder named for it, or that
    has at least half of the file's lines word for word.
    """
    header = [line for line in _header(text) if line]
    said = any(map(_says_so, header))
    above = _directories_above(path)
    look = siblings if isinstance(siblings, Look) else Look(siblings)
    program: str | None = None
    if said:
        for line in header:
            for match in _SOURCE.finditer(line):
                found = _named(match["file"], above, look)
                if names.is_dockerfile_name(os.path.basename(match["file"])):
                    return found or match["file"]
                program = program or found or match["file"]
    own = _own_template(path, look)
    if own is not None:
        return own
    folder = _from_folder(path, above, look)
    if folder is not None:
        return folder
    for directory in above if said or text else ():
        for _, folder in look.folders(directory):
            candidates = look.templates(folder)
            if not said:
                candidates = [it for it in candidates if _yields(read(it), text)]
            if candidates:
                return _closest(path, candidates)
    return program


def _yields(template: str, text: str) -> bool:
    """Whether a template has at least half of a Dockerfile's lines, and some lines to fill in."""
    lines = [line.strip() for line in text.split("\n")]
    significant = [line for line in lines if len(line) > 3 and not line.startswith("#")]
    literal = {line.strip() for line in template.split("\n")}
    kept = sum(line in literal for line in significant)
    return bool(_PLACEHOLDER.search(template)) and 2 * kept >= max(1, len(significant))


class Look:
    """What lies in which directory, looked up once."""

    def __init__(self, siblings: Listing) -> None:
        self._siblings = siblings
        self._seen: dict[str, frozenset[str]] = {}
        self._templates: dict[str, list[str]] = {}
        self._folders: dict[str, list[tuple[str, str]]] = {}

    def names(self, directory: str) -> frozenset[str]:
        if directory not in self._seen:
            self._seen[directory] = frozenset(self._siblings(directory))
        return self._seen[directory]

    def exists(self, path: str) -> bool:
        directory, _, name = path.rpartition("/")
        return name in self.names(directory)

    def folders(self, directory: str) -> list[tuple[str, str]]:
        """Where templates of a directory may lie: each such folder by name and by path."""
        if directory not in self._folders:
            here = self.names(directory)
            self._folders[directory] = [
                (part, _join(directory, part))
                for part in _FOLDERS
                if not part or part.partition("/")[0] in here
            ]
        return self._folders[directory]

    def templates(self, directory: str) -> list[str]:
        if directory not in self._templates:
            self._templates[directory] = sorted(
                _join(directory, name)
                for name in self.names(directory)
                if names.is_dockerfile_name(name) and names.template_name(name)
            )
        return self._templates[directory]


def _join(directory: str, name: str) -> str:
    return "/".join(part for part in (directory.rstrip("/"), name) if part)


def _directories_above(path: str) -> list[str]:
    """The file's directory and those above it, as far as the path tells, nearest first."""
    directory = path.rpartition("/")[0]
    found = [directory]
    while directory and directory.rpartition("/")[2] != "..":
        directory = directory.rpartition("/")[0]
        found.append(directory)
    return found


def _named(file: str, above: list[str], look: Look) -> str | None:
    file = file.removeprefix("./")
    for directory in above:
        candidate = _join(directory, file)
        if look.exists(candidate):
            return candidate
    return None


def _own_template(path: str, look: Look) -> str | None:
    """``Dockerfile.template`` or ``Dockerfile.j2`` beside ``Dockerfile``."""
    directory, _, name = path.rpartition("/")
    for candidate in sorted(look.names(directory)):
        if (
            len(candidate) > len(name)
            and candidate.lower().startswith(name.lower())
            and candidate[len(name)] in ".-_"
            and names.template_name(candidate)
            and len(_WORD.findall(candidate[len(name) :].lower())) == 1
        ):
            return _join(directory, candidate)
    return None


def _from_folder(path: str, above: list[str], look: Look) -> str | None:
    """A folder of templates with a part that is named as a directory on the file's way."""
    for directory in above:
        way = path[len(directory) :].strip("/").split("/")[:-1]
        for part, folder in look.folders(directory):
            if part not in _FOR_TEMPLATES:
                continue
            present = look.names(folder)
            if not present or path.startswith(folder + "/"):
                continue
            for step in way:
                if step in present:
                    inner = _join(folder, step)
                    candidates = [
                        _join(inner, name)
                        for name in sorted(look.names(inner))
                        if names.is_dockerfile_name(name)
                    ]
                    if candidates:
                        return _closest(path.partition(f"{step}/")[2], candidates)
    return None


def _closest(path: str, candidates: list[str]) -> str:
    """The candidate whose own words (``alpine``, ``slim``, ``windows``) the path has most of."""
    words = set(_WORD.findall(path.lower()))
    # Paths name a system by its release (`noble`, `nanoserver`), templates by its kind.
    words.add("windows" if words & {"nanoserver", "windowsservercore", "servercore"} else "linux")

    def rank(candidate: str) -> tuple[float, str]:
        suffix = re.sub(r"(?i).*(?:docker|container)file", "", candidate.rpartition("/")[2])
        own = [word for word in _WORD.findall(suffix.lower()) if word not in _TEMPLATE_WORDS]
        # One word that the path lacks weighs half of one that it has; a bare kind, as much.
        gain = sum((0.5 if word == "linux" else 1) if word in words else -0.5 for word in own)
        return -gain, candidate

    return min(candidates, key=rank)
