"""Hypothesis strategies for whole Dockerfiles, as data that a test can edit and then write out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

SCRIPTS = (
    "make",
    "apt-get update",
    "pip install flask",
    "true && false",
    "echo $A ${B:-c}",
    'a "b c"',
)
NAMES = ("A", "B", "C")
VALUES = ("1", "two", "/x", "a$A", "${B:-z}", "")
PLAIN = ("1", "two", "/x", "a.b")
USERS = ("app", "1000:1000", "$A")
DIRECTORIES = ("/app", "sub", "/srv/$A", "..", "/a/b")
SOURCES = ("a", "b/c", "d*")
IMAGES = {
    "debian:12": "docker.io/library/debian:12",
    "alpine": "docker.io/library/alpine:latest",
    "bitnami/redis:7": "docker.io/bitnami/redis:7",
    "ghcr.io/o/i": "ghcr.io/o/i:latest",
}
"""Image references as people write them, and spelled in full."""
CONFIG_ONLY = frozenset({"LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "VOLUME", "STOPSIGNAL"})


@dataclass(frozen=True)
class Line:
    """One instruction; ``body`` are the lines of a heredoc, with its terminator."""

    keyword: str
    rest: str
    body: tuple[str, ...] = ()

    def text(self) -> str:
        return "\n".join([f"{self.keyword} {self.rest}", *self.body])


@dataclass(frozen=True)
class StageText:
    """A stage: ``image`` is a reference, or the name of an earlier stage."""

    image: str
    name: str
    lines: tuple[Line, ...]

    def text(self) -> str:
        head = Line("FROM", f"{self.image} AS {self.name}")
        return "\n".join(line.text() for line in (head, *self.lines))


@dataclass(frozen=True)
class File:
    """A Dockerfile; ``top`` are the ARG lines before the first FROM."""

    stages: tuple[StageText, ...]
    top: tuple[Line, ...] = field(default=())

    def text(self) -> str:
        return (
            "\n".join([*(line.text() for line in self.top), *(s.text() for s in self.stages)])
            + "\n"
        )

    def with_stage(self, index: int, stage: StageText) -> File:
        stages = list(self.stages)
        stages[index] = stage
        return replace(self, stages=tuple(stages))

    def with_lines(self, index: int, lines: list[Line]) -> File:
        return self.with_stage(index, replace(self.stages[index], lines=tuple(lines)))


def _quoted(words: list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _pairs(names: tuple[str, ...], values: tuple[str, ...], least: int) -> st.SearchStrategy[str]:
    pair = st.tuples(st.sampled_from(names), st.sampled_from([v for v in values if v]))
    return st.lists(pair, min_size=least, max_size=3, unique_by=lambda item: item[0]).map(
        lambda items: " ".join(f"{name}={value}" for name, value in items)
    )


RUN = st.one_of(
    st.sampled_from(SCRIPTS).map(lambda text: Line("RUN", text)),
    st.just(Line("RUN", _quoted(["make", "-j2"]))),
    st.just(Line("RUN", "--mount=type=cache,target=/root/.cache make")),
    st.just(Line("RUN", "--network=none make")),
    st.sampled_from(["<<EOF", "<<-EOF", "<<'EOF'"]).map(
        lambda opener: Line("RUN", opener, ("\tmake", "\tmake install", "EOF"))
    ),
    st.just(Line("RUN", "cat <<A <<B", ("one", "A", "two", "B"))),
)
ENV = _pairs(NAMES, VALUES, 1).map(lambda text: Line("ENV", text))
ARG = st.one_of(
    st.sampled_from(NAMES).map(lambda name: Line("ARG", name)),
    _pairs(NAMES, VALUES, 1).map(lambda text: Line("ARG", text)),
)
STEPS = st.one_of(
    RUN,
    RUN,
    st.sampled_from(DIRECTORIES).map(lambda path: Line("WORKDIR", path)),
    st.sampled_from(SOURCES).map(lambda path: Line("COPY", f"{path} /data/")),
    st.just(Line("COPY", "--chown=app --chmod=755 a b /data/")),
    st.just(Line("ADD", "https://example.org/x.tgz /opt/")),
    st.just(Line("COPY", "<<EOF /etc/motd", ("hello $A", "EOF"))),
)
STATE = st.one_of(
    ENV,
    ENV,
    ARG,
    st.sampled_from(USERS).map(lambda user: Line("USER", user)),
    st.just(Line("SHELL", _quoted(["/bin/bash", "-ec"]))),
)
CONFIG = st.one_of(
    st.sampled_from(["a=1", 'b="2 3"', "c=$A"]).map(lambda text: Line("LABEL", text)),
    st.sampled_from(["80", "53/udp", "8000-8003"]).map(lambda text: Line("EXPOSE", text)),
    st.just(Line("CMD", _quoted(["serve"]))),
    st.just(Line("ENTRYPOINT", _quoted(["/entry"]))),
    st.just(Line("VOLUME", "/data")),
    st.just(Line("STOPSIGNAL", "SIGINT")),
    st.just(Line("HEALTHCHECK", "--interval=1m30s CMD curl localhost")),
)


@st.composite
def files(draw: st.DrawFn, most_stages: int = 3, most_lines: int = 8) -> File:
    """A Dockerfile that parses and evaluates, with stages on stages and copies between them."""
    top = tuple(draw(st.lists(ARG, max_size=2)))
    stages: list[StageText] = []
    for index in range(draw(st.integers(1, most_stages))):
        earlier = [stage.name for stage in stages]
        image = draw(st.sampled_from([*IMAGES, *earlier]))
        kinds = [STEPS, STATE, CONFIG]
        if earlier:
            source = st.sampled_from([*earlier, "0", "busybox:1"])
            kinds.append(source.map(lambda name: Line("COPY", f"--from={name} /out /in")))
            named = st.sampled_from(earlier)
            kinds.append(
                named.map(lambda name: Line("RUN", f"--mount=type=bind,from={name},target=/m ls"))
            )
        lines = draw(st.lists(st.one_of(*kinds), max_size=most_lines))
        stages.append(StageText(image, f"s{index}", tuple(lines)))
    return File(tuple(stages), top)
