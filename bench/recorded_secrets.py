"""What the builds of a recorded set are given: a value for each secret, and an ssh agent."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_SECRET = re.compile(r"type=secret\b[^\s]*")
_NAMED = re.compile(r"(?:^|,)(?:id|target|dst|destination|source|src)=([^,\s]+)")
_AGENT = re.compile(r"--mount=(?=\S*type=ssh\b)(?:\S*?\bid=([^,\s]+))?")


@dataclass(frozen=True)
class Given:
    """The files of all secrets that Dockerfiles mount by id, and the ids of the agents."""

    secrets: dict[str, Path]
    agents: tuple[str, ...]

    @property
    def options(self) -> list[str]:
        """As command line of ``docker build``."""
        secrets = (f"--secret=id={name},src={file}" for name, file in self.secrets.items())
        return [*secrets, *(f"--ssh={name}" for name in self.agents)]

    def export(self) -> None:
        """Give the secrets to this process's children too: bake finds them by their id.

        Raises :class:`SystemExit` where agents are wanted and none runs.
        """
        for name, file in self.secrets.items():
            file.write_text(os.environ.setdefault(name, file.read_text()))
        if self.agents and "SSH_AUTH_SOCK" not in os.environ:
            raise SystemExit("RUN --mount=type=ssh needs an agent that runs (ssh-agent, ssh-add)")


def given_for(texts: Iterable[str], folder: Path) -> Given:
    """What Dockerfiles of these texts want; the values lie in files in ``folder``."""
    secrets: dict[str, Path] = {}
    agents: dict[str, None] = {}
    for text in texts:
        for mount in _SECRET.findall(text):
            for named in _NAMED.findall(mount):
                name = os.path.basename(named.strip("\"'"))
                if re.fullmatch(r"[\w.-]+", name):
                    secrets[name] = folder / f"secret-{name}"
                    secrets[name].write_text(f"secret of {name}")
        for found in _AGENT.finditer(text):
            agents[found[1] or "default"] = None
    return Given(secrets, tuple(name for name in agents if re.fullmatch(r"[\w.-]+", name)))
