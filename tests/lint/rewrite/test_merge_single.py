"""A base that one image is left on goes into that image, and its file with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.load.context import forget_contexts
from dockstrata.meaning.repository import read_repository
from dockstrata.rewrite.journal import write_all
from dockstrata.rewrite.proof import difference
from dockstrata.rewrite.refactor import Options, Refactoring, refactor
from dockstrata.rewrite.verify import compare

PREFIX = "FROM debian:12\n# tools\nRUN apt-get install -y curl\nENV A=1\nRUN setup $A\n"
REFERENCE = "localhost/debian-curl-setup:12"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lay(**files: str) -> None:
    for name, text in files.items():
        Path(name).mkdir(exist_ok=True)
        Path(name, "Dockerfile").write_text(text)


def write(done: Refactoring) -> None:
    write_all(".", {**done.new, **done.changed, **dict.fromkeys(done.removed)})


def based(names: str, options: Options | None = None) -> Path:
    """Images on a base that dockstrata wrote; the base's path."""
    lay(**{name: f"{PREFIX}RUN make {name}\n" for name in names})
    done = refactor(read_repository(["."]), options or Options())
    write(done)
    (base,) = done.plan.bases
    return Path(base.path)


def test_the_last_image_takes_its_base_over() -> None:
    base = based("ab")
    Path("b/Dockerfile").unlink()
    before = read_repository(["."])
    done = refactor(before, Options())
    (merge,) = done.dissolved
    assert (merge.image, merge.removed) == ("a/Dockerfile#0", str(base))
    assert set(done.removed) == {str(base), "bases/docker-bake.hcl"}
    write(done)
    assert not Path("bases").exists()
    assert Path("a/Dockerfile").read_text() == (
        "FROM debian:12\n\n# tools\nRUN apt-get install -y curl\nENV A=1\nRUN setup $A\n"
        "RUN make a\n"
    )
    now = {image.id: image for image in read_repository(["."]).set.images}
    assert difference(before.set.of("a/Dockerfile")[0].stage, now["a/Dockerfile#0"].stage) is None
    again = refactor(read_repository(["."]), Options())
    assert (again.new, again.changed, again.removed) == ({}, {}, ())
    outcomes = {
        verdict.id: verdict.outcome for verdict in compare(before, read_repository(["."]), ["."])
    }
    assert outcomes == {"a/Dockerfile#0": "equal", f"{base}#0": "dissolved"}


def test_a_new_base_takes_over_one_that_it_alone_is_left_on() -> None:
    first = based("ab")
    lay(**{name: f"{PREFIX}RUN more\nRUN make {name}\n" for name in "ab"})
    done = refactor(read_repository(["."]), Options())
    write(done)
    again = refactor(read_repository(["."]), Options())
    assert (again.new, again.changed, again.removed) == ({}, {}, ())
    assert not first.exists() or "RUN more" not in first.read_text()


def test_other_bases_stay_in_the_bake_file() -> None:
    based("abc")
    lay(x="FROM alpine:3\nRUN apk add git\nRUN x\n", y="FROM alpine:3\nRUN apk add git\nRUN y\n")
    write(refactor(read_repository(["."]), Options()))
    Path("x/Dockerfile").unlink()
    done = refactor(read_repository(["."]), Options())
    assert done.removed == ("bases/alpine-git/Dockerfile",)
    assert "alpine" not in done.new["bases/docker-bake.hcl"]
    assert "debian-curl-setup" in done.new["bases/docker-bake.hcl"]


@pytest.mark.parametrize(
    "wiring",
    [
        {"z/Dockerfile": "FROM alpine\nCOPY --from=localhost/debian-curl-setup:12 /a /a\n"},
        {
            "z/Dockerfile": "FROM alpine\n",
            "compose.yaml": "services:\n  z:\n    build:\n      context: z\n"
            "      additional_contexts:\n        tools: docker-image://x\n"
            "        other: localhost/debian-curl-setup:12\n",
        },
        {"z/Dockerfile": "FROM localhost/debian-curl-setup:12\nONBUILD RUN z\n"},
    ],
)
def test_a_base_with_other_users_stays(wiring: dict[str, str]) -> None:
    based("ab")
    Path("b/Dockerfile").unlink()
    Path("z").mkdir()
    for path, text in wiring.items():
        Path(path).write_text(text)
    done = refactor(read_repository(["."]), Options())
    assert not done.removed
    assert not done.dissolved


def test_a_base_in_a_registry_stays() -> None:
    options = Options(registry="registry.example/team")
    based("ab", options)
    Path("b/Dockerfile").unlink()
    done = refactor(read_repository(["."]), options)
    assert (done.new, done.changed, done.removed) == ({}, {}, ())


def test_a_base_whose_files_come_from_elsewhere_stays() -> None:
    lay(**{name: f"FROM debian:12\nCOPY tool /tool\nRUN make {name}\n" for name in "ab"})
    for name in "ab":
        Path(name, "tool").write_text("same")
    write(refactor(read_repository(["."]), Options()))
    Path("b/Dockerfile").unlink()
    base = next(Path("bases").glob("*/Dockerfile"))
    base.write_text(base.read_text().replace("context ../../a", "context ../../b"))
    Path("b/tool").write_text("another")
    forget_contexts()
    done = refactor(read_repository(["."]), Options())
    assert not done.removed


def test_a_base_that_no_image_is_left_on_goes() -> None:
    base = based("ab")
    for name in "ab":
        Path(name, "Dockerfile").write_text(f"FROM alpine:3\nRUN {name}\n")
    done = refactor(read_repository(["."]), Options())
    assert [(merge.image, merge.removed) for merge in done.dissolved] == [(None, str(base))]
    assert set(done.removed) == {str(base), "bases/docker-bake.hcl"}
    assert (done.new, done.changed) == ({}, {})
    write(done)
    again = refactor(read_repository(["."]), Options())
    assert (again.new, again.changed, again.removed) == ({}, {}, ())


@pytest.mark.parametrize("left", [0, 1])
def test_a_base_stays_where_files_outside_the_set_name_it(left: int) -> None:
    """Whoever names some folders alone must not take the base from the others."""
    base = based("abc")
    for name in "ab"[left:]:
        Path(name, "Dockerfile").write_text(f"FROM alpine:3\nRUN {name}\n")
    Path(".git").mkdir()
    done = refactor(read_repository(["a", "b", "bases"]), Options())
    assert (done.dissolved, done.removed) == ((), ())
    Path("c/Dockerfile").unlink()
    Path("compose.yaml").write_text(f"services:\n  x: {{image: '{REFERENCE}'}}\n")
    done = refactor(read_repository(["a", "b", "bases"]), Options())
    assert (done.dissolved, done.removed) == ((), ())
    Path("compose.yaml").unlink()
    done = refactor(read_repository(["a", "b", "bases"]), Options())
    assert str(base) in done.removed


@pytest.mark.parametrize(
    "text",
    [
        "ARG BASE={0}\nFROM ${{BASE}}\nRUN c\n",
        "ARG TAG=12\nFROM {1}:${{TAG}}\nRUN c\n",
        "FROM alpine:3\nRUN --mount=from={0} c\n",
    ],
)
def test_a_base_that_is_named_in_another_way_stays(text: str) -> None:
    based("ab")
    for name in "ab":
        Path(name, "Dockerfile").unlink()
    lay(c=text.format(REFERENCE, REFERENCE.partition(":")[0]))
    done = refactor(read_repository(["."]), Options())
    assert (done.dissolved, done.removed) == ((), ())
