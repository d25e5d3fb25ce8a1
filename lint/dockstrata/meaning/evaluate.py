"""Evaluates a Dockerfile, stage by stage, as BuildKit would with every build argument a symbol.

Source: BuildKit's Dockerfile frontend, measured on its own output (build definitions and image
configurations of real files).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dockstrata.load.wiring import Build
from dockstrata.meaning import configure, copying, running
from dockstrata.meaning.context import ContextReader, no_context
from dockstrata.meaning.outside import Outside, by_argument, outside, possible_stages
from dockstrata.meaning.paths import ROOT_DIRECTORY, clean, working_directory
from dockstrata.meaning.stage import (
    Evaluated,
    Evaluation,
    Resolver,
    Stage,
    canonical_image,
    find_stage,
    nothing_known,
    onbuild_barrier,
)
from dockstrata.meaning.state import DEFAULT_SHELL, State, with_env
from dockstrata.meaning.step import Barrier, Step, chain_digest
from dockstrata.syntax.nodes import Document, Instruction
from dockstrata.syntax.reference import context_name, parse_reference
from dockstrata.syntax.words import WordError, expand, is_symbol, is_symbolic, symbol

__all__ = [
    "PLATFORM_ARGUMENTS",
    "Evaluated",
    "Evaluation",
    "Resolver",
    "Stage",
    "canonical_image",
    "evaluate",
    "nothing_known",
]

PLATFORM_ARGUMENTS = frozenset(
    f"{side}{part}"
    for side in ("BUILD", "TARGET")
    for part in ("PLATFORM", "OS", "ARCH", "VARIANT")
) | {"TARGETOSVERSION", "BUILDOSVERSION"}
_NOTHING: frozenset[str] = frozenset()
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where the root image sets none; of the images here only ``scratch`` is known not to."""
TARGET_PLATFORM = symbol("platform", "TARGETPLATFORM")
"""What ``--platform`` is by default."""


def evaluate(
    document: Document,
    context: ContextReader = no_context,
    resolve_image: Resolver = nothing_known,
    *,
    build: Build | None = None,
    carry_shell: bool = False,
) -> Evaluation:
    """Evaluate a parsed Dockerfile; never raises, what would fail is a stage's ``problem``.

    ``build`` is what compose, bake or configuration pass: arguments, platforms, named contexts.
    ``carry_shell`` tells whether SHELL survives from an image of the set to one built on it: in
    Docker's own image format it does, in an OCI image it does not.
    """
    evaluator = Evaluator(document, context, resolve_image, build, carry_shell)
    for node in document.instructions:
        evaluator.take(node)
    evaluator.close()
    return Evaluation(
        document, build, tuple(evaluator.globals), evaluator.global_values, tuple(evaluator.stages)
    )


class Evaluator:
    """Walks a document; ``state`` is that before the next instruction."""

    def __init__(
        self,
        document: Document,
        context: ContextReader,
        resolve_image: Resolver,
        build: Build | None,
        carry_shell: bool,
    ) -> None:
        self.document = document
        self.context = context
        self.resolve_image = resolve_image
        self.carry_shell = carry_shell
        self.given = dict(build.args) if build is not None else {}
        self.named = dict(build.contexts) if build is not None else {}
        self.platforms = ",".join(sorted(build.platforms)) if build is not None else ""
        self.globals: list[Instruction] = []
        self.global_values: dict[str, str] = {}
        self.stages: list[Stage] = []
        self.stage: Stage | None = None
        self.replaced = False  # by a named context: nothing that the stage says counts
        self.state = State()
        self.used: set[str] = set()
        self.last_env: tuple[tuple[str, str], ...] = ()
        self.last_texts = ("()", "()")

    # -- variables

    def lookup(self, name: str) -> str | None:
        self.used.add(name)
        value = self.state.env.get(name)
        if value is not None or self.stage is None or self.stage.root == "scratch":
            return value
        return symbol("root", "env", name)

    def global_lookup(self, name: str) -> str | None:
        if name in self.global_values:
            return self.global_values[name]
        if name == "TARGETSTAGE":
            # The stage that is asked for: another one in every file.
            return symbol("target-stage", self.document.path)
        return symbol("platform", name) if name in PLATFORM_ARGUMENTS else None

    def value(self, name: str, default: str) -> str:
        """A build argument: what the build is given for it, else ``default``.

        What is given stays a symbol, for the same file may be built with something else too.
        """
        if name not in self.given:
            return default
        given = self.given[name]
        return symbol("given", name) if given is None else symbol("given", name, given)

    def expand(self, word: str) -> str:
        return expand(word, self.lookup, self.document.escape)

    # -- instructions

    def take(self, node: Instruction) -> None:
        if node.keyword == "FROM":
            self.close()
            self.open(node)
        elif self.stage is None:
            if node.keyword == "ARG":
                self.globals.append(node)
                self.global_argument(node)
        else:
            self.step_over(node)

    def step_over(self, node: Instruction) -> None:
        stage = self.stage
        assert stage is not None
        self.used = set()
        before, step = self.state, None
        try:
            step = None if self.replaced else self.dispatch(stage, node)
        except WordError as error:
            stage.problem = stage.problem or f"line {node.start_line}: {error}"
        if node.fault is not None:
            stage.problem = stage.problem or f"line {node.fault.line}: {node.fault.message}"
        if step is not None:
            stage.chain, stage.meaning = step.chain, step.meaning
        stage.evaluated.append(
            Evaluated(node, before, step, frozenset(self.used) if self.used else _NOTHING)
        )

    def close(self) -> None:
        stage = self.stage
        if stage is None:
            return
        stage.end = self.state
        stage.config.user = self.state.user
        stage.config.shell = self.state.shell if self.state.shell_set else None
        self.stage = None

    def global_argument(self, node: Instruction) -> None:
        for word in node.arguments:
            name, equals, value = word.partition("=")
            try:
                if equals:
                    default = expand(value, self.global_lookup, self.document.escape)
                    self.global_values[name] = self.value(name, symbol("arg", name, default))
                elif name not in self.global_values:
                    unset = self.global_lookup(name) or symbol("arg", name)
                    self.global_values[name] = self.value(name, unset)
            except WordError:
                self.global_values[name] = symbol("arg", name, value)

    def open(self, node: Instruction) -> None:
        words = node.arguments
        name = words[2].lower() if len(words) == 3 else None
        problem = None if node.fault is None else f"line {node.start_line}: {node.fault.message}"
        image = words[0] if words else ""
        platform = node.flag("platform")
        try:
            image = expand(image, self.global_lookup, self.document.escape)
            if platform is not None:
                platform = expand(platform, self.global_lookup, self.document.escape)
                if platform == TARGET_PLATFORM:
                    platform = None
        except WordError as error:
            problem = problem or f"line {node.start_line}: {error}"
        if not image:
            problem = (
                problem or f"line {node.start_line}: base name ({''.join(words[:1])}) is blank"
            )
        self.replaced = bool(self.named) and name is not None and context_name(name) in self.named
        # FROM looks a stage up as written, names are kept in lower case.
        parent = find_stage(self.stages, image) if image == image.lower() else None
        if self.replaced:
            parent, image, platform = None, name or "", None
        known = barrier = usual = folder = None
        if parent is None:
            found = self.outside(image)
            image, known, barrier, usual = found.image, found.stage, found.barrier, found.usual
            if found.directory is not None:
                folder = self.context(".", (), named=found.directory)
        if self.replaced:
            barrier = Barrier("named-context", f"the named context {image} replaces the stage")
        below = parent or known
        if below is not None:
            root, start, meaning = below.root, below.chain, below.meaning
        else:
            root = canonical_image(image)
            choice = possible_stages(self.stages, image)
            parts = [part for one in choice for part in (one.label, one.chain)]
            parts += [repr(folder.key)] if folder is not None else []
            start = chain_digest("", "FROM", root, platform or self.platforms, *parts)
            meaning, root = start, image
            barrier = barrier or (by_argument(choice) if choice else None)
        self.stage = Stage(
            index=len(self.stages),
            name=name,
            node=node,
            image=image,
            parent=None if parent is None else parent.index,
            base=known,
            platform=platform,
            root=root,
            start_chain=start,
            chain=start,
            meaning=meaning,
            problem=problem,
            usual=usual,
        )
        if below is None and root == "scratch":
            self.state = State(env={"PATH": DEFAULT_PATH}, workdir="/")
            self.stage.config.env["PATH"] = DEFAULT_PATH
        elif below is None:
            self.state = State(workdir=ROOT_DIRECTORY)
            self.stage.barrier = onbuild_barrier(image)
            if not is_symbolic(image) and not parse_reference(image).valid and image != "scratch":
                self.stage.problem = (
                    problem or f"line {node.start_line}: invalid reference format: {image}"
                )
        else:
            self.inherit(below, problem)
        self.stage.barrier = barrier or self.stage.barrier
        self.stages.append(self.stage)
        if below is not None:
            for trigger in below.config.onbuild:
                self.step_over(trigger)

    def outside(self, name: str) -> Outside:
        """What ``name`` is where no stage of the file has it."""
        return outside(name, self.named, self.resolve_image)

    def inherit(self, below: Stage, problem: str | None) -> None:
        """Begin a stage on another: its state, its ENV set again.

        Build arguments come along from a stage of the same file alone.
        """
        stage = self.stage
        assert stage is not None
        stage.config = below.config.child()
        stage.problem = problem or below.problem
        stage.barrier = below.barrier
        if stage.base is None:
            arguments = below.end.arguments - below.config.env.keys()
            env = dict(below.end.env)
            if stage.root != "scratch":
                # The root image's own ENV, whatever it is, is set again over arguments too.
                for name in arguments:
                    if not is_symbol(env[name], "root-or", name):
                        env[name] = symbol("root-or", name, env[name])
            for name, value in below.config.env.items():
                env = with_env(env, name, value)
            self.state = below.end._replace(env=env, arguments=arguments)
            return
        shell = below.config.shell if self.carry_shell else None
        self.state = State(
            env=dict(below.config.env),
            user=below.config.user,
            workdir=below.end.workdir,
            shell=shell or DEFAULT_SHELL,
            shell_set=shell is not None,
        )

    def dispatch(self, stage: Stage, node: Instruction) -> Step | None:
        handler = _HANDLERS.get(node.keyword)
        return handler(self, stage, node) if handler else None

    def step(
        self,
        stage: Stage,
        node: Instruction,
        body: tuple[object, ...],
        env: tuple[tuple[str, str], ...] | None = None,
        taken: running.Taken | None = None,
    ) -> Step:
        taken = taken or running.Taken()
        sources = [self.stages[index] for index in taken.stages] + taken.images
        what = repr((node.keyword, body))
        ordered, unordered = self.env_texts(env)
        chain = chain_digest(stage.chain, what, ordered, *(source.chain for source in sources))
        meaning = chain
        if ordered != unordered or stage.chain != stage.meaning or sources:
            meanings = (source.meaning for source in sources)
            meaning = chain_digest(stage.meaning, what, unordered, *meanings)
        return Step(
            instruction=node,
            kind=node.keyword,
            body=body,
            env=env,
            chain=chain,
            meaning=meaning,
            contexts=tuple(taken.contexts),
            stages=tuple(taken.stages),
            uses=frozenset(self.used) if self.used else _NOTHING,
            barrier=taken.barrier,
        )

    def env_texts(self, env: tuple[tuple[str, str], ...] | None) -> tuple[str, str]:
        """An environment as text, in its order and sorted; most steps have their forerunner's."""
        if env is None:
            return "", ""
        if env != self.last_env:
            self.last_env = env
            self.last_texts = (repr(env), repr(tuple(sorted(env))))
        return self.last_texts

    def source_stage(self, stage: Stage, name: str, numbers: bool) -> int | None:
        """The index of the stage that ``--from=name`` means, ``None`` for an image.

        ``numbers``: COPY may count stages, a mount only names them.
        """
        if numbers and name.isdecimal() and int(name) < stage.index:
            return int(name)
        found = find_stage(self.stages[: stage.index], name)
        return None if found is None else found.index

    def run(self, stage: Stage, node: Instruction) -> Step:
        taken = running.Taken()
        body = running.body(node, self.state, self.expand_raw, self, stage, taken)
        return self.step(stage, node, body, self.state.env_items(), taken)

    def expand_raw(self, word: str) -> str:
        return expand(word, self.lookup, self.document.escape, quotes=False)

    def copy(self, stage: Stage, node: Instruction) -> Step:
        taken = running.Taken()
        body = copying.body(node, self.state, self, stage, taken)
        return self.step(stage, node, body, None, taken)

    def workdir(self, stage: Stage, node: Instruction) -> Step | None:
        path = working_directory(self.state.workdir, self.expand(node.argument))
        self.state = self.state._replace(workdir=path)
        # The root image's own, whatever it is, stays what it is.
        stage.config.workdir = None if path == ROOT_DIRECTORY else path
        if path == "/":
            return None
        return self.step(stage, node, (clean(path), self.state.user or ""))

    def environment(self, stage: Stage, node: Instruction) -> None:
        pairs = [(self.expand(name), self.expand(value)) for name, value in node.pairs()]
        state = self.state
        env: Mapping[str, str] = state.env
        for name, value in pairs:
            env = with_env(env, name, value)
            stage.config.env[name] = value
        names = {name for name, _ in pairs}
        self.state = state._replace(env=env, arguments=state.arguments - names)

    def argument(self, stage: Stage, node: Instruction) -> None:
        # Word by word: unlike ENV's, a later word sees what an earlier one has set.
        for word in node.arguments:
            name, equals, value = word.partition("=")
            name = self.expand(name)
            earlier = self.state.env.get(name)
            if equals:
                default = symbol("arg", name, self.expand(value))
            else:
                # Without any value the argument leaves what was there before.
                unset = symbol("arg", name)
                if earlier and earlier != symbol("root-or", name, unset):
                    unset = symbol("arg", name, "else", earlier)
                default = self.global_lookup(name) or unset
            env = with_env(self.state.env, name, self.value(name, default))
            arguments = self.state.arguments | {name}
            self.state = self.state._replace(env=env, arguments=arguments)

    def user(self, stage: Stage, node: Instruction) -> None:
        self.state = self.state._replace(user=self.expand(node.argument))

    def shell(self, stage: Stage, node: Instruction) -> None:
        self.state = self.state._replace(shell=node.arguments or DEFAULT_SHELL, shell_set=True)


_HANDLERS: dict[str, Callable[[Evaluator, Stage, Instruction], Step | None]] = {
    "ADD": Evaluator.copy,
    "ARG": Evaluator.argument,
    "CMD": configure.command,
    "COPY": Evaluator.copy,
    "ENTRYPOINT": configure.entrypoint,
    "ENV": Evaluator.environment,
    "EXPOSE": configure.expose,
    "HEALTHCHECK": configure.healthcheck,
    "LABEL": configure.label,
    "MAINTAINER": configure.maintainer,
    "ONBUILD": configure.onbuild,
    "RUN": Evaluator.run,
    "SHELL": Evaluator.shell,
    "STOPSIGNAL": configure.stop_signal,
    "USER": Evaluator.user,
    "VOLUME": configure.volume,
    "WORKDIR": Evaluator.workdir,
}
