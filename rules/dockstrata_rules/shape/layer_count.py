"""An image has almost as many layers as an image can have, or more.

Docker refuses an image of more than 127 layers when it is pulled or run. RUN, COPY and ADD each add
one, and the root image has its own, which the Dockerfile does not show.

Bad:

    # dockstrata.toml
    [lint]
    max-layers = 2
    # Dockerfile
    FROM debian:12.5 AS base
    RUN make one
    RUN make two
    FROM base
    RUN make three

Good:

    FROM debian:12.5 AS base
    RUN make one && make two
    FROM base
    RUN make three

Source: dockstrata; the limit is that of Docker's layer store.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Finding, SetContext, Severity, set_rule
from dockstrata.syntax.readable import readable

_LAYERS = frozenset({"RUN", "COPY", "ADD"})
_NEAR = 0.8


@set_rule(code="DS202", name="layer-count", severity=Severity.ERROR)
def layer_count(context: SetContext) -> Iterator[Finding]:
    limit = context.settings.max_layers
    for image in context.images.images:
        own = [step for step in image.steps if step.kind in _LAYERS]
        if not own:
            continue
        count = sum(step.kind in _LAYERS for step in image.all_steps)
        root = readable(image.stage.root)
        if count >= limit:
            yield context.finding(
                own[-1].instruction,
                f"the image has {count} layers up to here and those of {root}:"
                f" more than {limit} cannot be pulled or run. Join RUNs or copy less often",
            )
        elif count >= limit * _NEAR:
            yield context.finding(
                own[-1].instruction,
                f"the image has {count} layers up to here and those of {root};"
                f" the limit is {limit}. Join RUNs or copy less often",
                severity=Severity.WARNING,
            )
