"""Which stages somebody runs."""

from __future__ import annotations

from dockstrata.rule import Context, Stage


def run_stages(context: Context) -> list[Stage]:
    """The stages that no other stage of the file, and no other file, builds on or copies from."""
    used = {stage.parent for stage in context.stages}
    if context.is_base:
        used.add(len(context.stages) - 1)
    for stage in context.stages:
        for item in stage.evaluated:
            if item.step is not None:
                used.update(item.step.stages)
    # What apply leaves of a stage whose steps went into a base, and those who copied from it too.
    last = len(context.stages) - 1
    used |= {s.index for s in context.stages if s.base and not s.evaluated and s.index < last}
    return [stage for stage in context.stages if stage.index not in used]
