"""Which steps get which measured size, from what builders really wrote into histories."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockstrata.cli.main import main
from dockstrata.meaning.repository import read_repository
from dockstrata.plan.layers import Image, Layer, read_images
from dockstrata.plan.measured import Size, coverage, sizes_of
from dockstrata.plan.planner import Placement, make_plan
from dockstrata.plan.settings import PlanSettings
from dockstrata.plan.weights import by_kind, measured

DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "ln -s busybox /bin/sh"]
ARG VERSION="1 2"
ARG T=data
ENV D=/srv/d
RUN echo "$VERSION" \\
    # comment
    > /v && \\
      echo   "two  blanks"
COPY --chown=1:2 ${T}/one $D/
COPY --link --chmod=644 ["data/one", "/with space/"]
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
    "ARG T=data",
    "ENV D=/srv/d",
    'RUN |2 VERSION=1 2 T=data /bin/sh -c echo "$VERSION"     > /v &&     echo   "two  blanks"'
    " # buildkit",
    "COPY --chown=1:2 data/one /srv/d/ # buildkit",
    "COPY --chmod=644 data/one /with space/ # buildkit",
    "SHELL [/bin/sh -e -c]",
    "RUN |2 VERSION=1 2 T=data /bin/sh -e -c echo 'quo\"ted' > /q # buildkit",
    "WORKDIR /srv/data",
    "WORKDIR /srv/data/sub",
    "ADD data/ other/ # buildkit",
]
CLASSIC = [
    f"/bin/sh -c #(nop) COPY file:{HASH} in /bin/busybox ",
    "/bin/busybox sh -c ln -s busybox /bin/sh",
    "/bin/sh -c #(nop)  ARG VERSION=1 2",
    "/bin/sh -c #(nop)  ARG T=data",
    "/bin/sh -c #(nop)  ENV D=/srv/d",
    '|2 VERSION=1 2 T=data /bin/sh -c echo "$VERSION"     > /v &&       echo   "two  blanks"',
    f"/bin/sh -c #(nop) COPY --chown=1:2file:{HASH} in /srv/d/ ",
    f"/bin/sh -c #(nop) COPY file:{HASH} in /with space/ ",
    "/bin/sh -c #(nop)  SHELL [/bin/sh -e -c]",
    "|2 VERSION=1 2 T=data /bin/sh -e -c echo 'quo\"ted' > /q",
    "/bin/sh -e -c #(nop) WORKDIR /srv/data",
    "/bin/sh -e -c #(nop) WORKDIR /srv/data/sub",
    f"/bin/sh -e -c #(nop) ADD dir:{HASH} in other/ ",
]
BUILDAH = [
    f"/bin/sh -c #(nop) COPY file:{HASH} in /bin/busybox ",
    '/bin/sh -c ["/bin/busybox", "sh", "-c", "ln -s busybox /bin/sh"]',
    "/bin/sh -c #(nop) ARG VERSION",
    "/bin/sh -c #(nop) ARG T",
    "/bin/sh -c #(nop) ENV D=/srv/d",
    '|2 VERSION=1 2 T=data /bin/sh -c echo "$VERSION"     > /v &&       echo   "two  blanks"',
    f"/bin/sh -c #(nop) COPY file:{HASH} in $D/ ",
    f"/bin/sh -c #(nop) COPY file:{HASH} in /with space/ ",
    '/bin/sh -c #(nop) SHELL ["/bin/sh", "-e", "-c"]',
    "|2 VERSION=1 2 T=data /bin/sh -c echo 'quo\"ted' > /q",
    "/bin/sh -c #(nop) WORKDIR /srv/$T",
    "/bin/sh -c #(nop) WORKDIR sub",
    f"/bin/sh -c #(nop) ADD dir:{HASH} in other/ ",
]
STEPS = [0, 1, 5, 6, 7, 9, 10, 11, 12]
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
    found = sizes_of(images, [Image(tuple(layers))])
    return [at(found, step.meaning) for step in images[-1].steps]


def at(found: dict[str, Size], meaning: str) -> float | None:
    return found[meaning].megabytes if meaning in found else None


def put(here: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)


def history(path: str, *entries: tuple[str, int]) -> None:
    """Write what ``docker history`` prints of an image: texts and sizes in MB, root first."""
    lines = [{"CreatedBy": text, "Size": f"{size}MB"} for text, size in reversed(entries)]
    Path(path).write_text("\n".join(map(json.dumps, lines)))


def run(command: str) -> str:
    return f"RUN /bin/sh -c {command} # buildkit"


def told(*sources: str) -> dict[str, tuple[float, str] | None]:
    """Of each step of the set, by image and text: its size in MB, and how that is known."""
    images = read_repository(["."]).set.images
    found = sizes_of(images, [image for source in sources for image in read_images(source)])
    return {
        f"{image.id} {step.instruction.line}": (size.megabytes, size.known)
        if (size := found.get(step.meaning))
        else None
        for image in images
        for step in image.steps
    }


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


def test_another_folder_is_another_step(here: Path) -> None:
    """BuildKit writes the whole path; the COPY below it is another one too."""
    for name, folder in {"p": "app", "q": "app", "r": "big"}.items():
        text = f"FROM debian:12\nWORKDIR /{folder}\nCOPY data data\n"
        put(here, {f"{name}/Dockerfile": text, f"{name}/data/f": folder})
    copy = "COPY data data # buildkit"
    history("p.json", ("root", 100), ("WORKDIR /app", 0), (copy, 1))
    history("r.json", ("root", 100), ("WORKDIR /big", 0), (copy, 900))
    small, large = (1, "image"), (900, "image")
    both = told("p.json", "r.json")
    assert [both[f"{name}/Dockerfile#0 COPY data data"] for name in "pqr"] == [small, small, large]
    one = told("r.json")
    assert [one[f"{name}/Dockerfile#0 COPY data data"] for name in "pqr"] == [None, None, large]
    assert one["p/Dockerfile#0 WORKDIR /app"] is None


def test_what_comes_after_tells_which_of_several(here: Path) -> None:
    files = {"a": 'EXPOSE 80\nCMD ["a", "now"]\n', "b": "EXPOSE 8080\nCMD b $X\n"}
    for name, end in files.items():
        text = f"FROM node\nWORKDIR /app\nCOPY . .\nRUN npm ci\n{end}"
        put(here, {f"{name}/Dockerfile": text})
    begin = ("WORKDIR /app", 0)
    for name, size, *end in (
        ("a", 1, "EXPOSE map[80/tcp:{}]", 'CMD ["a" "now"]'),
        ("b", 3, "EXPOSE [8080/tcp]", 'CMD ["/bin/sh" "-c" "b $X"]'),
        ("other", 9, "EXPOSE 9000", 'CMD ["x"]'),
    ):
        steps = [begin, ("COPY . . # buildkit", size), (run("npm ci"), size)]
        history(f"{name}.json", *steps, *((text, 0) for text in end))
    both = told("a.json", "b.json")
    for name, size in {"a": 1, "b": 3}.items():
        assert both[f"{name}/Dockerfile#0 COPY . ."] == (size, "image")
        assert both[f"{name}/Dockerfile#0 RUN npm ci"] == (size, "image")
    # Where it does not, other files' COPY has no size, and a RUN's is known by its text alone.
    none = told("other.json")
    for name in "ab":
        assert none[f"{name}/Dockerfile#0 COPY . ."] is None
        assert none[f"{name}/Dockerfile#0 RUN npm ci"] == (9, "text")
        assert none[f"{name}/Dockerfile#0 WORKDIR /app"] == (0, "image")


def test_copies_of_equal_files_need_not_be_told_apart(here: Path) -> None:
    for name, root in {"a": "r1", "b": "r2"}.items():
        text = f"FROM {root}\nCOPY data /data\nRUN make\nCOPY {name} /\n"
        put(here, {f"{name}/Dockerfile": text, f"{name}/data/f": "same", f"{name}/{name}": ""})
    history("other.json", ("COPY data /data # buildkit", 5), (run("make"), 7), ("COPY x /", 1))
    found = told("other.json")
    for name in "ab":
        assert found[f"{name}/Dockerfile#0 COPY data /data"] == (5, "text")
        assert found[f"{name}/Dockerfile#0 RUN make"] == (7, "text")
        assert found[f"{name}/Dockerfile#0 COPY {name} /"] is None


def test_a_copy_is_never_known_by_its_text(here: Path) -> None:
    put(here, {"Dockerfile": "FROM r\nCOPY a /b/\nRUN new\n", "a": ""})
    history("changed.json", (run("old"), 1), ("COPY a /b/ # buildkit", 900), (run("end"), 1))
    assert told("changed.json") == {"Dockerfile#0 COPY a /b/": None, "Dockerfile#0 RUN new": None}


def test_the_longest_way_is_the_images(here: Path) -> None:
    put(here, {"a/Dockerfile": "FROM r1\nRUN one\nRUN two\n", "b/Dockerfile": "FROM r2\nRUN two\n"})
    history("a.json", (run("one"), 1), (run("two"), 100))
    history("b.json", (run("two"), 4))
    found = told("a.json", "b.json")
    assert found["a/Dockerfile#0 RUN two"] == (100, "image")
    assert found["b/Dockerfile#0 RUN two"] == (4, "image")
    assert told("a.json")["b/Dockerfile#0 RUN two"] == (100, "text")


def test_an_image_on_another_of_the_set(here: Path) -> None:
    """Though nothing says that the outer name is the inner image."""
    put(here, {"base/Dockerfile": "FROM r\nRUN one\nRUN two\nENV A=1\nRUN three\n",
               "app/Dockerfile": "FROM hub.example/base\nWORKDIR /app\nCOPY . .\n"})  # fmt: skip
    below = [("root", 9), (run("one"), 1), (run("two"), 2), ("ENV A=1", 0), (run("three"), 3)]
    history("app.json", *below, ("WORKDIR /app", 0), ("COPY . . # buildkit", 5))
    assert [size for size in told("app.json").values() if size] == [
        (0, "image"), (5, "image"), (1, "image"), (2, "image"), (3, "image")]  # fmt: skip


def test_values_of_build_arguments(here: Path) -> None:
    """Two values that compose gives are two steps; a third is none of them."""
    services = "".join(
        f"  s{value}:\n    build: {{context: ., args: {{b: '{value}'}}}}\n" for value in (1, 2)
    )
    put(here, {"Dockerfile": "FROM r\nARG b\nRUN x $b\n", "compose.yaml": f"services:\n{services}"})
    for value in (1, 2, 3):
        history(
            f"{value}.json",
            (f"ARG b={value}", 0),
            (run("x $b").replace("RUN", f"RUN |1 b={value}"), value),
        )
    assert list(told("1.json", "2.json", "3.json").values()) == [(1, "image"), (2, "image")]
    assert list(told("3.json").values()) == [None, None]


def test_the_default_of_an_argument_goes_before_other_values(here: Path) -> None:
    put(here, {"Dockerfile": "FROM r\nARG b=1\nRUN x $b\n"})
    for value in (1, 2):
        command = run("x $b").replace("RUN", f"RUN |1 b={value}")
        history(f"{value}.json", (f"ARG b={value}", 0), (command, value))
    assert list(told("1.json", "2.json").values()) == [(1, "image")]
    assert list(told("2.json").values()) == [(2, "text")]


def test_a_text_that_names_a_variable_of_another_value(here: Path) -> None:
    put(here, {"a/Dockerfile": "FROM r1\nENV V=1\nRUN get $V\n",
               "b/Dockerfile": "FROM r2\nENV V=2\nRUN get $V\n",
               "c/Dockerfile": "FROM r3\nENV V=1 W=2\nRUN get $V\n"})  # fmt: skip
    history("a.json", ("ENV V=1", 0), (run("get $V"), 7))
    assert list(told("a.json").values()) == [(7, "image"), None, (7, "text")]
    history("x.json", ("ENV V=2", 0), (run("x"), 1), (run("get $V"), 8), (run("y"), 1))
    assert list(told("x.json").values()) == [None, (8, "text"), None]


def test_the_end_of_a_longer_command_is_another(here: Path) -> None:
    put(here, {"Dockerfile": "FROM r\nARG b\nRUN y\n"})
    history("long.json", ("RUN |1 b=1 /bin/sh -c x && /bin/sh -c y # buildkit", 1))
    assert list(told("long.json").values()) == [None]


def test_a_name_of_the_set_decides(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What compose, bake and configuration call an image is worth more than any text."""
    for name in "abc":
        put(here, {f"{name}/Dockerfile": "FROM r\nCOPY . /app\nRUN make\n", f"{name}/f": name})
    told = "[[build]]\ndockerfile = 'c/Dockerfile'\ntags = ['c:9']\n"
    bake = {"target": {"b": {"context": "b", "tags": ["b"]}}}
    compose = "services: {a: {image: 'hub.example/team/a:1', build: a}}\n"
    put(here, {"docker-bake.json": json.dumps(bake), "compose.yaml": compose})
    put(here, {"dockstrata.toml": told})
    for at, tag in enumerate(("hub.example/team/a:1", "docker.io/library/b:latest", "c:3"), 1):
        lines = [{"size": at * 10**6, "CreatedBy": run("make"), "tags": [tag]},
                 {"size": at * 10**6, "CreatedBy": "COPY . /app # buildkit"}]  # fmt: skip
        (here / f"{at}.json").write_text(json.dumps(lines))
    sources = [word for at in (1, 2, 3) for word in ("--measured", f"{at}.json")]
    assert main(["plan", "--min-images", "2", *sources]) == 0
    assert "6 of 6 different steps: 6 by their own image, 0 by text" in capsys.readouterr().err


def test_buildahs_images_without_run(here: Path) -> None:
    """What is around the COPY tells that it is this one, as far as to the end."""
    text = 'FROM r\nLABEL a="b c" d=e\nWORKDIR /app\nCOPY app .\nEXPOSE 80 9000/udp\nUSER 5:6\n'
    nothing = "/bin/sh -c #(nop)"
    copy = f"{nothing} COPY dir:{HASH} in . "
    history = [f'{nothing} LABEL a="b c" d=e', f"{nothing} WORKDIR /app", copy,
               f"{nothing} EXPOSE 80 9000/udp", f"{nothing} USER 5:6"]  # fmt: skip
    assert sizes(here, text, history[:1] + history[1:]) == [2, 3]
    assert sizes(here, text, [*history, f"{nothing} COPY dir:{HASH} in /more "]) == [None, None]
    assert sizes(here, "FROM r\nCOPY app .\nEXPOSE 80\n", [copy, f"{nothing} EXPOSE 80"]) == [1]
    assert sizes(here, "FROM r\nCOPY app .\nEXPOSE 80\n", [copy, f"{nothing} EXPOSE 81"]) == [None]


def test_one_layer_of_several_instructions_is_none_of_theirs(here: Path) -> None:
    """As buildah leaves it without --layers, at the image's last instruction."""
    (here / "Dockerfile").write_text("FROM r\nRUN one\nCOPY . /app\nRUN two\nCMD x\n")
    copy, end = f"/bin/sh -c #(nop) COPY dir:{HASH} in /app", "/bin/sh -c #(nop) CMD x"
    layers = [Layer("/bin/sh -c one", 0, empty=True), Layer(copy, 0, empty=True),
              Layer("/bin/sh -c two", 5e6), Layer(end, 0, empty=True)]  # fmt: skip
    images = read_repository(["."]).set.images
    assert sizes_of(images, [Image(tuple(layers))]) == {}
    layers[2:] = [Layer("/bin/sh -c two", 0, empty=True), Layer(end, 5e6)]
    assert sizes_of(images, [Image(tuple(layers))]) == {}
    layers[1:] = [Layer(copy, 3e6), Layer("/bin/sh -c two", 4e6), Layer(end, 0, empty=True)]
    found = sizes_of(images, [Image(tuple(layers))])
    assert [at(found, step.meaning) for step in images[0].steps] == [0, 3, 4]


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
    model = measured(by_kind(settings), ["one.json", "two.json"], images.images)
    (base,) = make_plan(images, settings, Placement(), model=model).bases
    assert [step.instruction.line for step in base.own_steps] == ["RUN large"]
    assert base.saved_cost == pytest.approx(100 - 2)
    text = "2 of 6 different steps: 0 by their own image, 2 by text alone"
    assert coverage(images.images, model.sizes) == text


def test_the_plan_tells_sizes_and_where_they_are_from(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        text = f"FROM r\nLABEL a=1\nRUN large\nRUN --mount=type=cache,target=/c more\nRUN {name}\n"
        put(here, {f"{name}/Dockerfile": text})
    history("one.json", ("LABEL a=1", 0), (run("large"), 90), (run("other"), 1))
    assert main(["plan", "--measured", "one.json"]) == 0
    shown = capsys.readouterr()
    assert "saves 2 steps (cost 98 MB) in 2 images" in shown.out
    assert "1 of 4 different steps: 1 by their own image, 0 by text alone" in shown.err
    assert main(["plan", "--measured", "one.json", "--format", "json"]) == 0
    (base,) = json.loads(capsys.readouterr().out)["bases"]
    size = {"mb": 90.0, "known_by": "image", "sources": ["one.json"]}
    assert [step["size"] for step in base["steps"]] == [size, None]
    assert main(["plan"]) == 0
    assert "saves 2 steps (cost 18) in 2 images" in capsys.readouterr().out
