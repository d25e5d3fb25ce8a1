"""What instructions that make no step do to the image's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockstrata.meaning.config import healthcheck as healthcheck_config
from dockstrata.meaning.config import ports
from dockstrata.meaning.running import argv
from dockstrata.syntax.nodes import Instruction
from dockstrata.syntax.words import expand_words

if TYPE_CHECKING:
    from dockstrata.meaning.evaluate import Evaluator
    from dockstrata.meaning.stage import Stage


def label(evaluator: Evaluator, stage: Stage, node: Instruction) -> None:
    for name, value in node.pairs():
        stage.config.labels[evaluator.expand(name)] = evaluator.expand(value)


def expose(evaluator: Evaluator, stage: Stage, node: Instruction) -> None:
    words = [
        word
        for argument in node.arguments
        for word in expand_words(argument, evaluator.lookup, evaluator.document.escape)
    ]
    stage.config.exposed |= ports(words)


def volume(evaluator: Evaluator, stage: Stage, node: Instruction) -> None:
    stage.config.volumes |= {evaluator.expand(word) for word in node.arguments}


def command(evaluator: Evaluator, stage: Stage, node: Instruction) -> None:
    stage.config.command = argv(node, evaluator.state.shell)
    stage.config.command_set_here = stage.config.command_ever_set = True


def entrypoint(evaluator: Evaluator, stage: Stage, node: Instruction) -> None:
    stage.config.set_entrypoint(argv(node, evaluator.state.shell))


def healthcheck(evaluator: Evaluator, stage: Stage, node: Instruction) -> None:
    if node.fault is None:
        stage.config.healthcheck = healthcheck_config(node)


def stop_signal(evaluator: Evaluator, stage: Stage, node: Instruction) -> None:
    stage.config.stop_signal = evaluator.expand(node.argument)


def maintainer(evaluator: Evaluator, stage: Stage, node: Instruction) -> None:
    stage.config.author = node.argument


def onbuild(evaluator: Evaluator, stage: Stage, node: Instruction) -> None:
    if node.trigger is not None:
        stage.config.onbuild.append(node.trigger)
