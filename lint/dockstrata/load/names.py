"""What a file's name alone says: Dockerfile, template of one, document about one, compose, bake."""

from __future__ import annotations

import re

# `*.` before and `.`, `-`, `_` after the word are how repositories name variants.
_DOCKERFILE = re.compile(r"(?:.*\.)?(?:docker|container)file([._-].*)?", re.IGNORECASE | re.DOTALL)
_COMPOSE = re.compile(r"(?:docker-)?compose(?:[._-].*)?\.ya?ml", re.IGNORECASE | re.DOTALL)
_BAKE = re.compile(r"(?:.*[._-])?docker-bake(?:[._-].*)?\.(?:hcl|json)", re.IGNORECASE | re.DOTALL)


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TEMPLATE_WORDS = words("template templates tmpl tpl j2 jinja jinja2 erb gotmpl tftpl")
_TEMPLATE_SUFFIXES = _TEMPLATE_WORDS | words("in em m4 mustache handlebars hbs ejs mako njk twig")
_DOCUMENT_SUFFIXES = words(
    """md mdx markdown rst adoc asciidoc txt html htm pdf yml yaml json json5 toml xml ini csv tsv
    diff patch orig rej swp swo sh bash zsh fish ps1 bat cmd png jpg jpeg gif svg gz tgz zip tar xz
    bz2 sha256 asc sig ipynb css scss"""
)
# A Dockerfile for that language is as usual as a program about Dockerfiles: the content decides.
_CODE_SUFFIXES = words(
    """py js mjs ts tsx jsx go rs rb java kt scala cs c h cc cpp php pl lua ex exs swift vim tf
    conf cfg lock log map snap"""
)
_TEMPLATE_FOLDER = re.compile(r"(?:docker|container)(?:files?)?s?[-_.]?templates?", re.IGNORECASE)


def is_dockerfile_name(name: str) -> bool:
    """Whether a file name is that of a Dockerfile, or of a look-alike worth a note.

    ``Dockerfile``, ``Dockerfile.web``, ``Dockerfile-web``, ``web.Dockerfile``, ``Containerfile``
    in any case. An ignore file (``Dockerfile.dockerignore``) is neither.
    """
    return bool(_DOCKERFILE.fullmatch(name)) and not name.lower().endswith("ignore")


def is_python_name(path: str) -> bool:
    """Whether a path is that of a Python file; ``Dockerfile.py`` is a Dockerfile."""
    return path.endswith(".py") and not is_dockerfile_name(path.rpartition("/")[2])


def is_compose_name(name: str) -> bool:
    return bool(_COMPOSE.fullmatch(name))


def is_bake_name(name: str) -> bool:
    return bool(_BAKE.fullmatch(name))


# One search sorts out nearly every name of a large tree.
interesting = re.compile(
    r"dockerfile|containerfile|compose.*\.ya?ml$|docker-bake", re.IGNORECASE
).search


def _suffix(name: str) -> str:
    """What follows the word itself: ``.alpine.j2`` of ``x.Dockerfile.alpine.j2``, else ``""``."""
    match = _DOCKERFILE.fullmatch(name)
    return (match[1] or "") if match else ""


def template_name(name: str) -> bool:
    """Whether the name says that a Dockerfile is made from this file."""
    suffix = _suffix(name).lower()
    words = [word for word in re.split(r"[._-]", suffix) if word]
    return any(word in _TEMPLATE_WORDS for word in words) or (
        suffix.rpartition(".")[2] in _TEMPLATE_SUFFIXES
    )


def document_name(name: str) -> bool:
    """Whether the name says that this file is about Dockerfiles, not one itself."""
    suffix = _suffix(name).lower()
    return name.endswith("~") or suffix.rpartition(".")[2] in _DOCUMENT_SUFFIXES


def code_name(name: str) -> bool:
    """Whether the name may be a program's (``Dockerfile.go``): look at the content."""
    return _suffix(name).lower().rpartition(".")[2] in _CODE_SUFFIXES


def in_template_folder(path: str) -> bool:
    """Whether a folder on the way to the file says that it holds templates of Dockerfiles."""
    return any(_TEMPLATE_FOLDER.fullmatch(part) for part in path.split("/")[:-1])
