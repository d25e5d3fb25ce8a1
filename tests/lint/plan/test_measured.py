"""Which steps get which measured size, from what builders really wrote into histories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockstrata.meaning.repository import read_repository
from dockstrata.plan.layers import Layer
from dockstrata.plan.measured import coverage, sizes_of
from dockstrata.plan.planner import Placement, make_plan
from dockstrata.plan.settings import PlanSettings
from dockstrata.plan.weights import by_kind, measured
from dockstrata.similarity.trie import build_trie

DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "ln -s busybox /bin/sh"]
ARG VERSION="1 2"
ENV D=/srv/d
RUN echo "$VERSION" \\
    # comment
    > /v && \\
      echo   "two  blanks"
COPY --chown=1:2 ${T}/one $D/
COPY ["data/one", "/with space/"]
SHELL ["/bin/sh", "-e", "-c"]
RUN echo 'quo"ted' > /q
WORKDIR /srv/$T
WORKDIR sub
ADD data/ other/
"""
HASH = "0" * 64
BUILDKIT = [
    "COPY busybox /bin/busybox # buildkit",
    "RUN /bin/busybox sh -c ln -s busybox /bin/sh # buildkit",
    "ARG VERSION=1 2",
    "ENV D=/srv/d",
    'RUN |1 VERSION=1 2 /bin/sh -c echo "$VERSION"     > /v &&     echo   "two  blanks" # buildkit',
    "COPY data/one /srv/d/ # buildkit",
    "COPY data/one /with space/ # buildkit",
    "SHELL [/bin/sh -e -c]",
    "RUN |1 VERSION=1 2 /bin/sh -e -c echo 'quo\"ted' > /q # buildkit",
    "WORKDIR /srv/data",
    "WORKDIR /srv/data/sub",
    "ADD data/ other/ # buildkit",
]
CLASSIC = [
    f"/bin/sh -c #(nop) COPY file:{HASH} in /bin/busybox ",
    "/bin/busybox sh -c ln -s busybox /bin/sh",
    "/bin/sh -c #(nop)  ARG VERSION=1 2",
    "/bin/sh -c #(nop)  ENV D=/srv/d",
    '|1 VERSION=1 2 /bin/sh -c echo "$VERSION"     > /v &&       echo   "two  blanks"',
    f"/bin/sh -c #(nop) COPY --chown=1:2file:{HASH} in /srv/d/ ",
    f"/bin/sh -c #(nop) COPY file:{HASH} in /with space/ ",
    "/bin/sh -c #(nop)  SHELL [/bin/sh -e -c]",
    "|1 VERSION=1 2 /bin/sh -e -c echo 'quo\"ted' > /q",
    "/bin/sh -e -c #(nop) WORKDIR /srv/data",
    "/bin/sh -e -c #(nop) WORKDIR /srv/data/sub",
    f"/bin/sh -e -c #(nop) ADD dir:{HASH} in other/ ",
]
BUILDAH = [
    f"/bin/sh -c #(nop) COPY file:{HASH} in /bin/busybox ",
    '/bin/sh -c ["/bin/busybox", "sh", "-c", "ln -s busybox /bin/sh"]',
    "/bin/sh -c #(nop) ARG VERSION",
    "/bin/sh -c #(nop) ENV D=/srv/d",
    '|1 VERSION=1 2 /bin/sh -c echo "$VERSION"     > /v &&       echo   "two  blanks"',
    f"/bin/sh -c #(nop) COPY file:{HASH} in $D/ ",
    f"/bin/sh -c #(nop) COPY file:{HASH} in /with space/ ",
    '/bin/sh -c #(nop) SHELL ["/bin/sh", "-e", "-c"]',
    "|1 VERSION=1 2 /bin/sh -c echo 'quo\"ted' > /q",
    "/bin/sh -c #(nop) WORKDIR /srv/$T",
    "/bin/sh -c #(nop) WORKDIR sub",
    f"/bin/sh -c #(nop) ADD dir:{HASH} in other/ ",
]
STEPS = [0, 1, 4, 5, 6, 8, 9, 10, 11]
"""Which entries are steps."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sizes(here: Path, dockerfile: str, history: list[str]) -> list[float | None]:
    """The sizes in MB of the steps of a file's last image; the history's have 1 MB, 2 MB, ..."""
    (here / "Dockerfile").write_text(dockerfile)
    images = read_repository(["."]).set.images
    layers = [Layer(text, (number + 1) * 1e6) for number, text in enumerate(history)]
    found = sizes_of(build_trie(images), [layers])
    return [found.get(step.chain) for step in images[-1].steps]


@pytest.mark.parametrize(
    "history", [BUILDKIT, CLASSIC, BUILDAH], ids=["BuildKit", "classic", "buildah"]
)
def test_every_builders_words(here: Path, history: list[str]) -> None:
    assert sizes(here, DOCKERFILE, history) == [number + 1 for number in STEPS]


def test_layers_of_the_root_image_come_first(here: Path) -> None:
    root = [f"/bin/sh -c #(nop) ADD file:{HASH} in / ", '/bin/sh -c #(nop)  CMD ["bash"]', "RUN x"]
    text = "FROM debian:12\nADD app.tar /\nRUN one\nRUN two\n"
    history = [
        *root,
        f"/bin/sh -c #(nop) ADD file:{HASH} in / ",
        "/bin/sh -c one",
        "/bin/sh -c two",
    ]
    assert sizes(here, text, history) == [4, 5, 6]


def test_files_without_a_name_need_a_neighbour(here: Path) -> None:
    hidden = f"/bin/sh -c #(nop) COPY file:{HASH} in /app/ "
    assert sizes(here, "FROM debian:12\nCOPY a /app/\n", [hidden]) == [None]
    assert sizes(here, "FROM scratch\nCOPY a /app/\n", [hidden]) == [1]
    text = "FROM debian:12\nCOPY a /app/\nCOPY b /app/\nRUN one\n"
    assert sizes(here, text, [hidden, hidden, "/bin/sh -c one"]) == [1, 2, 3]
    assert sizes(here, text, [hidden, hidden, "/bin/sh -c other"]) == [None, None, None]


def test_a_file_that_changed_above_keeps_what_leaves_no_doubt(here: Path) -> None:
    text = "FROM debian:12\nRUN new\nRUN apt-get  update && make\nCOPY a /b/\nRUN make\n"
    history = ["RUN /bin/sh -c old # buildkit", "RUN /bin/sh -c apt-get update && make # buildkit",
               f"/bin/sh -c #(nop) COPY file:{HASH} in /b/ "]  # fmt: skip
    assert sizes(here, text, history) == [None, 2, None, None]


def test_the_same_words_at_two_places(here: Path) -> None:
    text = "FROM debian:12\nRUN a\nRUN make\nRUN make\n"
    history = ["RUN /bin/sh -c a # buildkit", *["RUN /bin/sh -c make # buildkit"] * 2]
    assert sizes(here, text, history) == [1, 2, 3]


def test_sizes_decide_the_plan(here: Path) -> None:
    """A large layer pays for a base, a small one does not; the mean of two measurements counts."""
    for name, step in {"a": "large", "b": "large", "c": "small", "d": "small"}.items():
        (here / name).mkdir()
        (here / name / "Dockerfile").write_text(f"FROM {step}:1\nRUN {step}\nRUN {name}\n")
    for name, size in {"one.json": "90MB", "two.json": "110MB"}.items():
        lines = [{"CreatedBy": "RUN /bin/sh -c large # buildkit", "Size": size},
                 {"CreatedBy": "RUN /bin/sh -c small # buildkit", "Size": "1kB"}]  # fmt: skip
        (here / name).write_text("\n".join(map(json.dumps, lines)))
    settings = PlanSettings()
    images = read_repository(["."]).set
    assert len(make_plan(images, settings, Placement()).bases) == 2
    model = measured(by_kind(settings), ["one.json", "two.json"])
    (base,) = make_plan(images, settings, Placement(), model=model).bases
    assert [step.instruction.line for step in base.own_steps] == ["RUN large"]
    assert base.saved_cost == pytest.approx(100 - 2)
    assert coverage(images, model.images) == (2, 6)
