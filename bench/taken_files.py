"""The files that stand behind the digest of what a COPY takes: name, mode, content of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from dockstrata.load import context
from dockstrata.load.context import BuildContext, context_for, forget_contexts

Listing = dict[str, tuple[str, ...]]
"""By path below the destination: kind, mode and digest or target, as far as the kind has them."""


@contextmanager
def _recorded() -> Iterator[dict[int, tuple[hashlib._Hash, list[tuple[str, ...]]]]]:
    fed: dict[int, tuple[hashlib._Hash, list[tuple[str, ...]]]] = {}
    feed = context._feed

    def note(hasher: hashlib._Hash, *parts: str) -> None:
        fed.setdefault(id(hasher), (hasher, []))[1].append(parts)
        feed(hasher, *parts)

    with patch.object(context, "_feed", note):
        yield fed


def taken_files(
    directory: str, dockerfile: str, source: str, excludes: Sequence[str], parents: bool
) -> Listing:
    """What ``COPY source`` puts below its destination, as the digest has it.

    Raises :class:`dockstrata.load.context.ContextError`.
    """
    return dict(all_taken(directory, dockerfile, source, excludes, parents))


def all_taken(
    directory: str, dockerfile: str, source: str, excludes: Sequence[str], parents: bool
) -> list[tuple[str, tuple[str, ...]]]:
    """The same, with what is put in one place by several matches of a wildcard."""
    forget_contexts()  # a digest that is kept is not computed
    asked: BuildContext = context_for(directory, dockerfile)
    with _recorded() as fed:
        whole = asked.digest(source, excludes, parents=parents)
    by_digest = {hasher.hexdigest(): parts for hasher, parts in fed.values()}
    found: list[tuple[str, tuple[str, ...]]] = []

    def add(prefix: str, parts: tuple[str, ...]) -> None:
        kind, *rest = parts
        if kind != "dir":
            found.append((prefix + rest[0], (kind, *rest[1:])))
        elif parents and len(rest) == 2 and rest[1] not in by_digest:
            found.append((rest[0], (kind, rest[1])))
        elif len(rest) == 2:  # a source itself: its own name and mode do not count
            for below in by_digest.get(rest[1], ()):
                add(prefix, below)
        else:
            name, mode, content = rest
            found.append((prefix + name, (kind, mode)))
            for below in by_digest.get(content, ()):
                add(f"{prefix}{name}/", below)

    for parts in by_digest.get(whole, ()):
        add("", parts)
    return found
