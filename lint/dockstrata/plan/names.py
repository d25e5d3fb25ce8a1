"""Names for base images: what they start from and what their steps add, stable between runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from dockstrata.meaning.step import Step
from dockstrata.syntax.readable import readable
from dockstrata.syntax.reference import parse_reference
from dockstrata.syntax.words import is_symbolic

_INSTALLERS = {
    "apt-get": "install", "apt": "install", "aptitude": "install", "apk": "add", "yum": "install",
    "dnf": "install", "microdnf": "install", "tdnf": "install", "zypper": "install",
    "pip": "install", "pip3": "install", "npm": "install", "gem": "install", "conda": "install",
    "go": "install", "cargo": "install", "yarn": "add",
}  # fmt: skip
_GENERAL = frozenset(
    {"sudo", "true", "set", "cp", "mv", "ln", "echo", "mkdir", "chmod", "chown", "sed", "rm", "cat",
     "touch", "printf", "tar", "sh", "bash", "test", "cd", "export", "curl", "wget", "find", "if",
     "install", "for", "unzip", "env", *_INSTALLERS}
)  # fmt: skip
_SEPARATORS = re.compile(r"&&|\|\||[;|\n()]")
_HEREDOC = re.compile(r"<<-?['\"]?\w+['\"]?")
_ASSIGNMENT = re.compile(r"\w+=")
_ENDS_NAME = re.compile(r"[=<>~!:@\[].*$")
_NOT_NAME = re.compile(r"[^a-z0-9]+")
_VERSION = re.compile(r"^v?\d[\w.]*$")
_LONGEST = 48
_LONGEST_PART = 24


def base_name(root: str, steps: Sequence[Step]) -> str:
    """A name such as ``debian-curl-git``: lower case, a valid repository and target name."""
    parts = [_root_word(root)]
    for word in _words(steps):
        if word not in parts and len("-".join([*parts, word])) <= _LONGEST:
            parts.append(word)
        if len(parts) == 4:
            break
    # Never the root's own name: a builder may take localhost/debian:12 for debian:12.
    return "-".join(parts if len(parts) > 1 else [*parts, "base"])


def tag_for(root: str) -> str:
    """The root image's tag where it has one that holds for every build, else ``base``."""
    if is_symbolic(root):
        return "base"
    return parse_reference(root).tag or "base"


def version_of(root: str) -> str:
    """What tells a root image from others of its name: its tag, as a part of a name."""
    tag = tag_for(root)
    return "" if tag in ("base", "latest") else _slug(tag)


def _root_word(root: str) -> str:
    if is_symbolic(root):
        root = re.sub(r"\$\{(\w+)\}", r"\1", readable(root)).lower()
    return _slug(parse_reference(root).short_name) or "base"


def _words(steps: Iterable[Step]) -> Iterable[str]:
    for step in steps:
        if step.kind == "RUN":
            yield from _run_words(step)
        elif step.kind in ("COPY", "ADD") and step.instruction.arguments:
            source, target = (step.instruction.arguments[at].rstrip(".") for at in (0, -1))
            # Of a folder as target the source's name says more.
            told = source if target.endswith("/") or not target else target
            if word := _slug(told.rstrip("/").rsplit("/", 1)[-1]):
                yield word


def _run_words(step: Step) -> Iterable[str]:
    text = " ".join(step.instruction.arguments)
    for heredoc in step.instruction.heredocs:
        text += "\n" + heredoc.content.replace("\\\n", " ")
    if step.instruction.heredocs:
        text = _HEREDOC.sub("", text)
    found = False
    for command in _SEPARATORS.split(text):
        words = command.split()
        while words and ("=" in words[0] or words[0] in ("sudo", "then", "do", "exec", "RUN")):
            words = words[1:]
        if not words:
            continue
        program = words[0].rsplit("/", 1)[-1]
        verb = _INSTALLERS.get(program)
        if verb is not None and verb in words:
            for package in words[words.index(verb) + 1 :]:
                if not package.startswith(("-", "$", "/", ".", "http", '"', "'")):
                    slug = _slug(_ENDS_NAME.sub("", package))
                    if slug and not _VERSION.match(slug):
                        found = True
                        yield slug
    if not found and (word := _told_by_program(text)):
        yield word


def _told_by_program(text: str) -> str:
    """What a command that installs nothing is about: its program, or what a general one makes."""
    words = [word.strip("\"';") for word in text.split()]
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    program = _slug(words[0].rsplit("/", 1)[-1]) if words else ""
    if program not in _GENERAL:
        return program
    paths = [word.rstrip("/") for word in words[1:] if "/" in word.rstrip("/").lstrip("/.")]
    return _slug(paths[-1].rsplit("/", 1)[-1]) if paths else ""


def _slug(text: str) -> str:
    """As part of a name: at most 24 characters, cut between words where there are several."""
    slug = _NOT_NAME.sub("-", text.lower().replace("++", "xx")).strip("-")
    if len(slug) > _LONGEST_PART:
        slug = slug[: _LONGEST_PART + 1].rpartition("-")[0] or slug[:_LONGEST_PART]
    return slug.strip("-")
