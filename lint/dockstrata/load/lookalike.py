"""Files that look like Dockerfiles and are not: templates, documents, binaries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dockstrata.load import names


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or directory that is left out, and why.

    ``reason`` is one of ``template``, ``not-a-dockerfile``, ``binary``, ``unreadable``,
    ``not-a-file``, ``broken-symlink``, ``symlink-outside-root``, ``symlink-duplicate``, or
    ``inline`` where a Dockerfile inside the file is meant.
    """

    path: str
    reason: str
    message: str


_INSTRUCTIONS = names.words(
    """ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL
    STOPSIGNAL USER VOLUME WORKDIR"""
)
_ANY_INSTRUCTION = re.compile(rf"^[ \t]*(?:{'|'.join(_INSTRUCTIONS)})\b", re.IGNORECASE | re.M)
_SOMETHING = re.compile(r"^[ \t]*[^#\s]", re.M)
_BARE = ("dockerfile", "containerfile", "-")
# Cheap test on the whole text before any line is looked at.
_ANY_SYNTAX = re.compile(r"\{\{|\{%|\{#|%\{|<%|%%\w|@[\w\[({]|^[ \t]*FROM.*[#<>{}%]|__[A-Z]", re.M)
# Where an instruction has to be: Go templates and cottle, Jinja, ERB, Terraform, EmPy, autoconf.
_LINE_SYNTAX = re.compile(r"\{\{|\$\{\{|\{%|\{#|<%|%\{|%%\w+%%|@[\[({]|@\w+@")
# Anywhere in a FROM line. No image reference has these characters.
_FROM_SYNTAX = re.compile(r"\{\{|\{%|\{#|<%|%\{|%%\w+%%|@\w+@|@[\[({]")
# In its image alone: `{name}`, `<name>`, `%(name)s`, `%NAME%`, `#NAME#`, `__NAME__`.
_IMAGE_SYNTAX = re.compile(r"(?<!\$)\{\w+\}|<\w[^>]*>|%\(\w+\)|%\w+%|#\w+#|__[A-Z]\w*__")
_CONTROL_LINE = re.compile(
    r"^[ \t]*(?:\{\{-?|\{%[-+]?)[ \t]*(?:if|else|elif|end|endif|for|endfor|range|with|block|include"
    r"|template|define|macro|set|import|raw)\b[^\n]*(?:\}\}|%\})[ \t]*\\?[ \t]*\r?$",
    re.M,
)
_ESCAPE = re.compile(r"[ \t]*#[ \t]*escape[ \t]*=[ \t]*([\\`])[ \t]*", re.IGNORECASE)
_DIRECTIVE = re.compile(r"[ \t]*#[ \t]*[A-Za-z][A-Za-z0-9]*[ \t]*=.*")
_HEREDOC = re.compile(r"<<(-?)([\"']?)(\w+)\2")
_BEGINNING = re.compile(
    r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*(?:FROM|ARG)[ \t]+(?!\S+[ \t]+import\b)\S", re.IGNORECASE
)
_FROM_LINE = re.compile(r"^[ \t]*FROM[ \t]", re.IGNORECASE | re.M)
_TEMPLATE_ANYWHERE = re.compile(r"\{\{|\{%|<%|%%\w+%%")
_LFS = "version https://git-lfs.github.com/spec/"
_UTF16 = ("\udcff\udcfe", "\udcfe\udcff")
_BLOCK = 8192


def lookalike(path: str, text: str, *, named: bool = False) -> Skipped | None:
    """Why the file is no Dockerfile; None where it is one, however broken.

    ``text`` is decoded as :class:`dockstrata.source.Source` does. ``named`` says that the user
    asked for this very file: its name then counts only where the content is no Dockerfile's.
    Template syntax counts where an instruction or the image of a FROM has to stand; in a RUN,
    a LABEL or a heredoc it is the image's own business.
    """
    text = text.removeprefix("\ufeff")
    if text.startswith(_UTF16):
        return Skipped(path, "binary", "is UTF-16; Docker reads Dockerfiles as UTF-8")
    if "\0" in text[:_BLOCK]:
        return Skipped(path, "binary", "is binary: it has NUL bytes")
    if text.startswith(_LFS):
        return Skipped(path, "not-a-dockerfile", "is a Git LFS pointer; fetch the file itself")
    name = path.rpartition("/")[2]
    if (reason := _by_name(name, text, named)) is not None:
        return Skipped(path, *reason)
    if (message := _by_content(text)) is not None:
        return Skipped(path, "template", message)
    if names.in_template_folder(path) and (
        not _FROM_LINE.search(text) or _TEMPLATE_ANYWHERE.search(text)
    ):
        return Skipped(path, "template", "is a piece that templates beside it include")
    if not named and name.lower() not in _BARE and _no_dockerfile(text):
        return Skipped(path, "not-a-dockerfile", "has no instruction of a Dockerfile at all")
    return None


def _by_name(name: str, text: str, named: bool) -> tuple[str, str] | None:
    reason: tuple[str, str] | None = None
    if names.document_name(name):
        reason = ("not-a-dockerfile", "is about a Dockerfile, by its name")
    elif names.template_name(name):
        reason = ("template", "is a template of a Dockerfile, by its name")
    elif names.code_name(name):
        reason, named = ("not-a-dockerfile", "is a program, by its name and beginning"), True
    if reason and named and _BEGINNING.match(text):
        return None
    return reason


def _no_dockerfile(text: str) -> bool:
    """Whether a text says something, but no line as a Dockerfile or a template would."""
    dockerfile = _ANY_INSTRUCTION.search(text) or _ANY_SYNTAX.search(text)
    return not dockerfile and bool(_SOMETHING.search(text))


def _by_content(text: str) -> str | None:
    if not _ANY_SYNTAX.search(text):
        return None
    unknown = False
    for number, line in _instruction_lines(text):
        if match := _LINE_SYNTAX.match(line):
            return f"is a template: line {number} has '{match[0]}' where an instruction belongs"
        keyword = line.split(None, 1)[0].upper()
        if keyword == "FROM" and (match := _FROM_SYNTAX.search(line) or _image_syntax(line[4:])):
            return f"is a template: line {number} has '{match[0]}' in the image of FROM"
        unknown = unknown or keyword not in _INSTRUCTIONS
    if unknown and (match := _CONTROL_LINE.search(text)):
        number = text.count("\n", 0, match.start()) + 1
        return f"is a template: line {number} is '{match[0].strip()}'"
    return None


def _image_syntax(rest: str) -> re.Match[str] | None:
    for word in rest.split():
        if not word.startswith("--"):
            return _IMAGE_SYNTAX.search(word)
    return None


def _instruction_lines(text: str) -> Iterator[tuple[int, str]]:
    """First lines of instructions, stripped, with their numbers.

    Comments, continuation lines and the bodies of heredocs are passed over.
    """
    escape, directives, continued = "\\", True, False
    pending: list[tuple[bool, str]] = []
    open_documents: list[tuple[bool, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.rstrip("\r")
        if open_documents:
            tabs, word = open_documents[0]
            if (line.lstrip("\t") if tabs else line) == word:
                del open_documents[0]
            continue
        if directives:
            if match := _ESCAPE.fullmatch(line):
                escape = match[1]
            directives = bool(_DIRECTIVE.fullmatch(line))
        stripped = line.strip()
        if not stripped or stripped[0] == "#":
            continue
        if not continued:
            yield number, stripped
            takes_documents = stripped[:4].upper() in ("RUN ", "COPY", "ADD ", "ONBU")
        if takes_documents and "<<" in stripped:
            pending += [(bool(m[1]), m[3]) for m in _HEREDOC.finditer(stripped)]
        continued = stripped.endswith(escape)
        if not continued:
            open_documents, pending = pending, []
