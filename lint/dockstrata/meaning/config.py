"""An image's configuration, as far as a Dockerfile decides it.

What the root image sets is one unknown for each root: two configurations are equal where the same
results lie on top of the same root. Source: how BuildKit writes the image configuration.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.words import is_symbolic

_UNIT = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9,
         "m": 60 * 10**9, "h": 3600 * 10**9}  # fmt: skip
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
_RANGE = re.compile(r"^(\d+)-(\d+)$")


@dataclass(slots=True)
class Config:
    """The configuration that a stage builds up; ``None`` is "as the parent has it"."""

    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    exposed: set[str] = field(default_factory=set)
    volumes: set[str] = field(default_factory=set)
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    healthcheck: tuple[object, ...] | None = None
    stop_signal: str | None = None
    author: str | None = None
    user: str | None = None
    workdir: str | None = None
    shell: tuple[str, ...] | None = None
    onbuild: list[Instruction] = field(default_factory=list)
    command_set_here: bool = False
    command_ever_set: bool = False

    def child(self) -> Config:
        """What a stage FROM this one begins with."""
        return Config(
            env=dict(self.env),
            labels=dict(self.labels),
            exposed=set(self.exposed),
            volumes=set(self.volumes),
            command=self.command,
            entrypoint=self.entrypoint,
            healthcheck=self.healthcheck,
            stop_signal=self.stop_signal,
            author=self.author,
            user=self.user,
            workdir=self.workdir,
            shell=self.shell,
            command_ever_set=self.command_ever_set,
        )

    def set_entrypoint(self, arguments: tuple[str, ...]) -> None:
        """ENTRYPOINT clears a CMD that comes from the parent, not one of this stage."""
        self.entrypoint = arguments
        if not self.command_set_here:
            self.command = ()

    def key(self) -> tuple[object, ...]:
        """A value that is equal exactly where the configurations are.

        PATH is always there before the first ENV, so its place in the order never changes.
        """
        path = self.env.get("PATH")
        env = [item for item in self.env.items() if item[0] != "PATH"]
        return (
            path,
            tuple(env),
            tuple(sorted(self.labels.items())),
            tuple(sorted(self.exposed)),
            tuple(sorted(self.volumes)),
            # () clears what the root image may set, None leaves it.
            self.command,
            self.entrypoint,
            self.command_ever_set,
            self.healthcheck,
            self.stop_signal,
            self.author,
            self.user,
            self.workdir,
            self.shell,
            tuple(_expression(trigger) for trigger in self.onbuild),
        )

    def digest(self, root: str) -> str:
        """Equal for equal results on one root image, whose own configuration is unknown."""
        text = repr((root, self.key())).encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=16).hexdigest()


def _expression(trigger: Instruction) -> str:
    bodies = "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in trigger.heredocs)
    return trigger.line + bodies


def ports(words: Sequence[str]) -> set[str]:
    """EXPOSE's words as ``port/protocol``, ranges written out."""
    found: set[str] = set()
    for word in words:
        if is_symbolic(word):
            found.add(word)
            continue
        number, _, protocol = word.partition("/")
        number = number.rsplit(":", 1)[-1]
        protocol = protocol.lower() or "tcp"
        span = _RANGE.match(number)
        if span and 0 <= int(span[2]) - int(span[1]) <= 65535:
            found |= _written_out(int(span[1]), int(span[2]), protocol)
        else:
            found.add(f"{number}/{protocol}")
    return found


@lru_cache(maxsize=256)
def _written_out(first: int, last: int, protocol: str) -> frozenset[str]:
    return frozenset(f"{port}/{protocol}" for port in range(first, last + 1))


def healthcheck(node: Instruction) -> tuple[object, ...]:
    """HEALTHCHECK as the configuration has it: the test, then its flags in nanoseconds."""
    kind, *command = node.arguments
    if kind.upper() == "NONE":
        return (("NONE",),)
    test = ("CMD", *command) if node.json else ("CMD-SHELL", *command)
    flags = []
    for name in ("interval", "timeout", "start-period", "start-interval", "retries"):
        value = node.flag(name)
        if value is not None:
            flags.append((name, int(value) if name == "retries" else nanoseconds(value)))
    return (test, *((name, value) for name, value in flags if value))


def nanoseconds(duration: str) -> int:
    """A Go duration (``1m30s``) in nanoseconds."""
    total = sum(float(number) * _UNIT[unit] for number, unit in _PART.findall(duration))
    return round(total)
