"""An image has no HEALTHCHECK.

Docker then knows that the process runs, not whether it serves. Off by default: Kubernetes has its
own probes and does not look at it.

Bad:

    FROM debian:12.5
    CMD ["serve"]

Good:

    FROM debian:12.5
    HEALTHCHECK CMD ["check"]
    CMD ["serve"]

Source: hadolint DL3057, off there too. The HEALTHCHECK of the stage that FROM names counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockstrata.rule import Context, Finding, Severity, rule
from dockstrata_rules.images.roots import run_stages


@rule(code="DL3057", name="no-healthcheck", severity=Severity.INFO, default=False)
def no_healthcheck(context: Context) -> Iterator[Finding]:
    for stage in run_stages(context):
        if stage.config.healthcheck is None:
            yield context.finding(stage.node, "`HEALTHCHECK` instruction missing.")
