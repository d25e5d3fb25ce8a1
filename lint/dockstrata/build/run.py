"""Runs builds one after another: what fails stops what needs it, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dockstrata.build.order import Job
from dockstrata.errors import DockstrataError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: ``built``, ``failed`` or ``skipped``; and why not."""

    job: Job
    state: str
    message: str = ""


def run_all(
    jobs: Sequence[Job],
    command: Callable[[Job], Sequence[str]],
    tell: Callable[[Outcome], None] = lambda outcome: None,
    begin: Callable[[Job], None] = lambda job: None,
    environment: Mapping[str, str] | None = None,
    clear: Callable[[Job], Sequence[Sequence[str]]] = lambda job: (),
) -> list[Outcome]:
    """Build all, in the order given, each with its command; what builders say goes to stderr.

    ``begin`` is called before each build, ``tell`` after it. ``command`` may raise
    :class:`DockstrataError`: then this job has failed, for that reason. The commands of ``clear``
    come before; the first that fails is the last.
    """
    outcomes: dict[str, Outcome] = {}
    for job in jobs:
        needed = [outcomes[name] for name in job.needs if name in outcomes]
        lost = next((outcome for outcome in needed if outcome.state != "built"), None)
        if lost is not None:
            outcome = Outcome(job, "skipped", f"it needs {lost.job.dockerfile}")
        else:
            begin(job)
            try:
                words = command(job)
                _clear(clear(job), environment)
                outcome = _run(job, words, environment)
            except DockstrataError as error:
                outcome = Outcome(job, "failed", error.message)
        outcomes[job.name] = outcome
        tell(outcome)
    return list(outcomes.values())


def _clear(commands: Sequence[Sequence[str]], environment: Mapping[str, str] | None) -> None:
    for words in commands:
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False
            )
        except OSError:
            return  # the build will say so
        if done.returncode != 0:
            return


def _run(job: Job, command: Sequence[str], environment: Mapping[str, str] | None) -> Outcome:
    sys.stderr.flush()
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=2, env=environment, check=False
        )
    except OSError as error:
        return Outcome(job, "failed", f"{command[0]} cannot be run: {error.strerror}")
    if done.returncode == 0:
        return Outcome(job, "built")
    said = f"{command[0]} ended with exit code {done.returncode}; what it printed says why"
    return Outcome(job, "failed", said)
