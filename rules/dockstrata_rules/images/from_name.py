"""What the rules about base images share: which image a FROM names."""

from __future__ import annotations

from dockstrata.meaning.stage import canonical_image
from dockstrata.rule import Evaluation, Stage
from dockstrata.syntax.readable import by_default
from dockstrata.syntax.words import WordError, expand

_IMAGE = "docker-image://"


def from_name(evaluation: Evaluation, stage: Stage) -> str | None:
    """The name behind FROM, arguments as the build gives them or by default; ``None``: unknown."""
    words = stage.node.arguments
    try:
        word = expand(words[0], evaluation.global_values.get, evaluation.document.escape)
    except (IndexError, WordError):
        return None
    return by_default(word) or None


def named_context(evaluation: Evaluation, name: str) -> str | None:
    """What the build gives for a name, as compose or bake write it."""
    contexts = evaluation.build.contexts if evaluation.build is not None else ()
    wanted = canonical_image(name)
    return next((given for key, given in contexts if canonical_image(key) == wanted), None)


def base_reference(evaluation: Evaluation, stage: Stage) -> str | None:
    """The image that FROM names, as the library knows it: spelled in full, or ``target:NAME``.

    ``None`` for a stage of the same file, ``scratch``, and what is not written here.
    """
    name = from_name(evaluation, stage) if stage.parent is None else None
    if name is None or name == "scratch":
        return None
    given = named_context(evaluation, name)
    if given is None or given.startswith(_IMAGE):
        return canonical_image(name if given is None else given.removeprefix(_IMAGE))
    return given if given.startswith(("target:", "service:")) else None
