"""Our evaluation with values in place of symbols: what BuildKit, given nothing more, should make.

Build arguments have what the build gives or their defaults, platforms are linux/amd64, and a root
image sets ``PATH`` and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from dockstrata.meaning import evaluate as evaluation
from dockstrata.meaning import paths
from dockstrata.meaning.config import Config
from dockstrata.meaning.evaluate import DEFAULT_PATH, Evaluator
from dockstrata.meaning.images import Image
from dockstrata.meaning.stage import Stage
from dockstrata.meaning.step import Step
from dockstrata.syntax.nodes import Instruction

_UNSET = "\ud803"
_PLATFORM = {"PLATFORM": "linux/amd64", "OS": "linux", "ARCH": "amd64"}
_SECRET = "/run/secrets/"


class _Given(str):
    """An argument's value; an empty one is a value, too."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True


def _value(*parts: str) -> str:
    """What stands for a symbol of that kind (`dockstrata.syntax.words.symbol`)."""
    match parts:
        case ("arg", _, default) | ("given", _, default):
            return _Given(default)
        case ("arg", *_):
            return _UNSET
        case ("given", name):
            return _Given(os.environ[name])
        case ("platform", name):
            return _Given(_PLATFORM.get(name.removeprefix("TARGET").removeprefix("BUILD"), ""))
        case ("target-stage", _):
            return _Given("default")
        case ("root-or", name, value):
            return DEFAULT_PATH if name == "PATH" else value
        case ("root", "workdir"):
            return "/"
    raise ValueError(parts)


class _Concrete(Evaluator):
    """Variables without a value are not there."""

    def lookup(self, name: str) -> str | None:
        self.used.add(name)
        known = self.stage is not None and name == "PATH" and self.stage.root != "scratch"
        return self.state.env.get(name, DEFAULT_PATH if known else None)

    def global_lookup(self, name: str) -> str | None:
        value = super().global_lookup(name)
        return None if value == _UNSET else value

    def dispatch(self, stage: Stage, node: Instruction) -> Step | None:
        before = self.state.env
        step = super().dispatch(stage, node)
        env = self.state.env
        if node.keyword == "ARG" and _UNSET in env.values():
            names = {self.expand(word.partition("=")[0]) for word in node.arguments}
            changed = {name for name in names if env.get(name) != _UNSET}
            env = {name: value for name, value in before.items() if name not in changed} | {
                name: value for name, value in env.items() if name in changed
            }
            arguments = self.state.arguments & env.keys()
            self.state = self.state._replace(env=env, arguments=arguments)
        return step


@contextmanager
def concrete() -> Iterator[None]:
    """Whatever is evaluated meanwhile has values."""
    with (
        patch.object(evaluation, "symbol", _value),
        patch.object(evaluation, "Evaluator", _Concrete),
        patch.object(evaluation, "ROOT_DIRECTORY", "/"),
        patch.object(evaluation, "TARGET_PLATFORM", "linux/amd64"),
        patch.object(paths, "ROOT_DIRECTORY", "/"),
    ):
        yield


@dataclass(frozen=True)
class Asked:
    """A RUN as it should be run: as ``recorded_runs.Ran``, with the user as it is named."""

    line: int
    argv: tuple[str, ...]
    user: str
    workdir: str
    env: tuple[tuple[str, str], ...]
    network: str
    security: str
    mounts: frozenset[str]
    scripts: tuple[tuple[str, str], ...]


def asked(step: Step, secrets: dict[str, str]) -> Asked:
    """What a RUN asks for; ``secrets`` are the values that the build gives, by id."""
    argv, file, user, workdir, mounts, others = step.body
    assert isinstance(mounts, tuple)
    assert isinstance(others, tuple)
    env = dict(step.env or ())
    places: set[str] = set()
    for options in map(dict, mounts):
        identity = options.get("id") or os.path.basename(str(options.get("source", "")))
        target = options.get("target")
        if options["type"] == "secret":
            if identity not in secrets:
                identity = identity or os.path.basename(str(target))
            if identity not in secrets:
                continue
            if options.get("env"):
                env[str(options["env"])] = secrets[identity]
            if target is None and options.get("env"):
                continue
            target = target or _SECRET + identity
        if options["type"] == "ssh":
            continue
        places.add(os.path.normpath(os.path.join(str(workdir), str(target))))
    env = {"PATH": DEFAULT_PATH, **env} if "PATH" not in env else env
    scripts = ((f"/dev/pipes/{file[0]}", file[1]),) if isinstance(file, tuple) else ()
    return Asked(
        step.instruction.start_line,
        argv,  # type: ignore[arg-type]
        str(user),
        str(workdir),
        tuple(env.items()),
        _flag("network", others, "default"),
        _flag("security", others, "sandbox"),
        frozenset(places),
        scripts,
    )


def _flag(name: str, flags: tuple[str, ...], default: str) -> str:
    prefix = f"--{name}="
    return next((it.removeprefix(prefix) for it in flags if it.startswith(prefix)), default)


def expected_runs(image: Image, others: dict[int, Image]) -> tuple[list[Step], bool]:
    """The RUNs whose records an image must hold; whether others may stand before them.

    ``others`` are the images of the same file by stage. ``COPY --from=stage / /`` brings the
    stage's records in place of the image's own.
    """
    found, open_ended = ([], False)
    if image.parent is not None:
        same = image.parent.evaluation is image.evaluation
        found, open_ended = expected_runs(image.parent, others if same else _by_stage(image.parent))
    for step in image.steps:
        if step.kind == "RUN":
            found.append(step)
        elif step.kind == "COPY" and "/" in step.body[1] and step.body[2] in ("/", "/."):  # type: ignore[operator]
            if step.stages:
                found, open_ended = expected_runs(others[step.stages[0]], others)
            elif step.body[0] == ("stage",):
                found, open_ended = [], True
            elif step.body[0] is not None:
                found, open_ended = [], False
    return found, open_ended


def _by_stage(image: Image) -> dict[int, Image]:
    """Only what the chain of FROM holds is known of another file."""
    return {} if image.parent is None else {image.parent.stage.index: image.parent}


def expected_config(config: Config) -> dict[str, Any]:
    """A configuration as ``docker image inspect`` shows it, on a root that sets PATH alone."""
    return {
        "Env": [f"{k}={v}" for k, v in {"PATH": DEFAULT_PATH, **config.env}.items()],
        "Cmd": list(config.command or ()),
        "Entrypoint": list(config.entrypoint or ()),
        "User": config.user or "",
        "WorkingDir": config.workdir or "/",
        "Labels": config.labels,
        "ExposedPorts": sorted(config.exposed),
        "Volumes": sorted(config.volumes),
        "Healthcheck": _healthcheck(config.healthcheck),
        "StopSignal": config.stop_signal or "",
        "Shell": list(config.shell or ()),
        "OnBuild": [
            trigger.line + "".join(f"\n{h.content}{h.name}" for h in trigger.heredocs)
            for trigger in config.onbuild
        ],
        "Author": config.author or "",
    }


def _healthcheck(told: tuple[object, ...] | None) -> dict[str, Any]:
    if told is None:
        return {}
    test, *flags = told
    names = dict(flags)  # type: ignore[call-overload]
    return {"Test": list(test)} | {  # type: ignore[call-overload]
        "".join(part.capitalize() for part in name.split("-")): value
        for name, value in names.items()
    }


def shown_config(told: dict[str, Any]) -> dict[str, Any]:
    """The same of an image, as ``docker image inspect`` told it."""
    config = told["Config"]
    return {
        "Env": config.get("Env") or [],
        "Cmd": config.get("Cmd") or [],
        "Entrypoint": config.get("Entrypoint") or [],
        "User": config.get("User") or "",
        "WorkingDir": config.get("WorkingDir") or "/",
        "Labels": config.get("Labels") or {},
        "ExposedPorts": sorted(config.get("ExposedPorts") or ()),
        "Volumes": sorted(config.get("Volumes") or ()),
        "Healthcheck": config.get("Healthcheck") or {},
        "StopSignal": config.get("StopSignal") or "",
        "Shell": config.get("Shell") or [],
        "OnBuild": config.get("OnBuild") or [],
        "Author": told.get("Author") or "",
    }
