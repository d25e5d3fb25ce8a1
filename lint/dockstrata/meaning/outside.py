"""What a name in FROM, ``--from`` or ``from=`` is that no stage of the file has.

Source: BuildKit's Dockerfile frontend: a named context of the build goes before an image.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dockstrata.load.wiring import is_remote
from dockstrata.meaning.stage import Resolver, Stage, canonical_image
from dockstrata.meaning.step import Barrier
from dockstrata.syntax.readable import as_built
from dockstrata.syntax.reference import context_name
from dockstrata.syntax.words import CLOSE, OPEN, is_symbolic

_IMAGE = "docker-image://"
_GIVEN = re.compile(f"{OPEN}given\x1f[^{OPEN}{CLOSE}]*\x1f([^{OPEN}{CLOSE}]*){CLOSE}")


@dataclass(frozen=True, slots=True)
class Outside:
    """An image or a named context.

    ``image`` is what it is called, ``stage`` the stage of the set that builds it, ``directory``
    the folder that a named context is. ``barrier`` keeps what draws from it where it is.
    ``usual`` is the stage that it is where arguments in the name have their defaults.
    """

    image: str
    stage: Stage | None = None
    directory: str | None = None
    barrier: Barrier | None = None
    usual: Stage | None = None


def outside(name: str, named: Mapping[str, str], resolve: Resolver) -> Outside:
    """``name`` as it stands behind FROM; ``named`` are the build's contexts by `context_name`."""
    context = named.get(context_name(as_built(name))) if named else None
    if context is None:
        # What the build passes decides which image of the set it is; the symbol stays.
        concrete = _GIVEN.sub(r"\1", name) if is_symbolic(name) else name
        if is_symbolic(concrete):
            usual = as_built(concrete)
            known = None if is_symbolic(usual) else resolve(canonical_image(usual))
            return Outside(name, usual=known)
        if concrete == "scratch":
            return Outside(name)
        return Outside(name, resolve(canonical_image(concrete)))
    if context.startswith(_IMAGE):
        image = context.removeprefix(_IMAGE)
        return Outside(image, resolve(canonical_image(image)))
    known = resolve(context)
    if known is not None:
        return Outside(name, known)
    barrier = Barrier("named-context", f"{name} is the named context {context}")
    if is_remote(context):
        return Outside(context, barrier=barrier)
    return Outside(name, directory=context, barrier=barrier)


def possible_stages(stages: Sequence[Stage], name: str) -> list[Stage]:
    """The stages that a name with arguments in it may mean, whatever they are given.

    An argument alone whose default is no stage stands for an image, as in ``FROM $BASE``.
    """
    if not is_symbolic(name):
        return []
    pattern, depth = "", 0
    for char in name:
        depth += (char == OPEN) - (char == CLOSE)
        if char == CLOSE:
            pattern += ".*" if depth == 0 else ""
        elif depth == 0:
            pattern += re.escape(char)
    usual = as_built(name)
    alone = not pattern.replace(".*", "")
    if alone and not is_symbolic(usual) and all(stage.name != usual for stage in stages):
        return []
    fits = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch
    return [stage for stage in stages if stage.name is not None and fits(stage.name)]


def by_argument(stages: Sequence[Stage]) -> Barrier:
    """What keeps that where the stages are which an argument chooses from."""
    choice = ", ".join(stage.label for stage in stages)
    message = f"an argument decides which stage of the file it draws from: {choice}"
    return Barrier("stage-by-argument", message)
