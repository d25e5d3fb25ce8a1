"""One step of an image: what it does, and everything that decides its result."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from dockstrata.syntax.nodes import Instruction


@dataclass(frozen=True, slots=True)
class Barrier:
    """Why a step can be in no base image: a reason in kebab-case and a sentence."""

    reason: str
    message: str


class Step(NamedTuple):
    """A RUN, COPY, ADD or WORKDIR with its context.

    ``body`` is what BuildKit compiles it to, less the environment; ``env`` is a RUN's
    environment, ``None`` for steps that see none. ``chain`` is the digest of root image and all
    steps up to this one, in it the environment in its order, which decides BuildKit's cache key;
    ``meaning`` is the same without that order, which no process sees. ``contexts`` are the build
    context directories that it takes files from, ``stages`` the stages of its own file, ``uses``
    the variables that its text expands.
    """

    instruction: Instruction
    kind: str
    body: tuple[object, ...]
    env: tuple[tuple[str, str], ...] | None
    chain: str
    meaning: str
    contexts: tuple[str, ...] = ()
    stages: tuple[int, ...] = ()
    uses: frozenset[str] = frozenset()
    barrier: Barrier | None = None


def chain_digest(parent: str, *parts: str) -> str:
    """digest(parent, step): 32 hexadecimal digits."""
    text = "\x1e".join((parent, *parts))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
