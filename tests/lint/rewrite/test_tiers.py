"""What images share that stand on an image of the set, or that only their own file can have."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.meaning.repository import read_repository
from dockstrata.plan.settings import PlanSettings
from dockstrata.rewrite.journal import write_all
from dockstrata.rewrite.proof import difference
from dockstrata.rewrite.refactor import Options, Refactoring, refactor


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def lay(files: dict[str, str]) -> None:
    for path, text in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)


def applied(options: Options | None = None) -> Refactoring:
    """Refactor what lies here, prove it anew from the disk, and see that nothing is left."""
    options = options or Options()
    before = read_repository(["."])
    done = refactor(before, options)
    write_all(".", {**done.new, **done.changed})
    after = read_repository(["."])
    ids = {(i.path, i.stage.name or "", i.stage.config_digest()): i for i in after.set.images}
    for image in before.set.images:
        now = ids[image.path, image.stage.name or "", image.stage.config_digest()]
        assert difference(image.stage, now.stage) is None
        assert now.depth <= options.settings.max_depth
    again = refactor(after, options)
    assert (again.new, again.changed) == ({}, {})
    return done


COMPANY = {
    "base/Dockerfile": "FROM debian:12\nRUN apt-get update\nUSER app\n",
    "compose.yaml": "services:\n  base:\n    build: base\n    image: acme/base:1\n",
}


def on_company(name: str, more: str = "") -> str:
    return f"FROM acme/base:1\nARG V=1\nRUN fetch $V\nRUN make deps\n{more}RUN make {name}\n"


def test_images_on_an_image_of_the_set_get_a_base_between() -> None:
    lay({**COMPANY, **{f"{name}/Dockerfile": on_company(name) for name in "abc"}})
    done = applied()
    (base,) = done.plan.bases
    assert (base.kind, base.depth, len(base.served)) == ("file", 3, 3)
    text = done.new[base.path]
    assert "FROM acme/base:1\n\nARG V=1\nRUN fetch $V\nRUN make deps\n" in text
    assert Path("a/Dockerfile").read_text() == f"FROM {base.ref}\nARG V=1\nRUN make a\n"
    assert '"acme/base:1" = "target:base"' in done.new["bases/docker-bake.hcl"]
    assert done.plan.steps - done.plan.steps_after == 4


def test_the_depth_limit_counts_the_images_below() -> None:
    lay({**COMPANY, **{f"{name}/Dockerfile": on_company(name) for name in "abc"}})
    done = applied(Options(PlanSettings(max_depth=3)))
    assert not done.plan.bases
    assert {refusal.reason for refusal in done.plan.refused} == {"depth-limit"}


def test_a_base_is_extended_once_more_images_have_come() -> None:
    lay({f"{name}/Dockerfile": f"FROM debian:12\nRUN one\nRUN {name}\n" for name in "ab"})
    (first,) = applied().plan.bases
    lay({f"{name}/Dockerfile": f"FROM debian:12\nRUN one\nRUN a\nRUN {name}\n" for name in "cd"})
    (second,) = applied().plan.bases
    assert f"FROM {first.ref}\n\nRUN a\n" in Path(second.path).read_text()
    assert Path("a/Dockerfile").read_text() == f"FROM {second.ref}\n"
    assert Path("b/Dockerfile").read_text() == f"FROM {first.ref}\nRUN b\n"
    assert Path("c/Dockerfile").read_text() == f"FROM {second.ref}\nRUN c\n"


def test_onbuild_triggers_of_a_parent_stay_with_its_children() -> None:
    files = {f"{name}/Dockerfile": on_company(name) for name in "ab"}
    lay({**COMPANY, **files})
    Path("base/Dockerfile").write_text("FROM debian:12\nRUN apt-get update\nONBUILD RUN trigger\n")
    done = applied()
    assert not done.plan.bases
    assert {refusal.reason for refusal in done.plan.refused} == {"onbuild-parent"}


PLATFORM = """\
FROM --platform=$BUILDPLATFORM golang:1 AS {one}
RUN go install tool@1
RUN go build {one}

# The other one.
FROM --platform=$BUILDPLATFORM golang:1 AS {two}
RUN go install tool@1
RUN go build {two}

FROM scratch
COPY --from=0 /{one} /
COPY --from=1 /{two} /
"""


def test_a_prefix_under_platform_becomes_a_stage_of_its_file() -> None:
    lay({"Dockerfile": PLATFORM.format(one="x", two="y")})
    (base,) = applied().plan.bases
    assert base.kind == "stage"
    assert Path("Dockerfile").read_text() == (
        f"FROM --platform=$BUILDPLATFORM golang:1 AS {base.name}\n\nRUN go install tool@1\n\n"
        f"FROM {base.name} AS x\nRUN go build x\n\n# The other one.\n"
        f"FROM {base.name} AS y\nRUN go build y\n\n"
        "FROM scratch\nCOPY --from=1 /x /\nCOPY --from=2 /y /\n"
    )


def test_a_prefix_under_platform_is_never_shared_between_files() -> None:
    text = PLATFORM.partition("\n\n")[0]
    lay({f"{name}/Dockerfile": text.format(one=name) for name in "ab"})
    done = applied()
    assert not done.plan.bases
    assert {refusal.reason for refusal in done.plan.refused} == {"other-platform"}


def test_stages_on_a_stage_share_one_between() -> None:
    stage = "\nFROM base AS {0}\nRUN npm install\nCOPY --from=tools /bin/t /bin/\nRUN build {0}\n"
    text = "FROM alpine:3 AS tools\nRUN apk add t\n\nFROM node:20 AS base\nRUN npm install -g p\n"
    lay({"Dockerfile": text + stage.format("dev") + stage.format("prod")})
    (base,) = applied().plan.bases
    written = Path("Dockerfile").read_text()
    assert written.startswith(text)
    assert (
        f"FROM base AS {base.name}\n\nRUN npm install\nCOPY --from=tools /bin/t /bin/\n\n"
        f"FROM {base.name} AS dev\nRUN build dev\n" in written
    )


def test_new_stages_stand_where_what_they_take_from_is_there() -> None:
    pair = "FROM debian:{0} AS {1}\nRUN base{0}\n{2}RUN {1}\n"
    lay(
        {
            "Dockerfile": pair.format(11, "a", "")
            + pair.format(11, "b", "")
            + pair.format(12, "c", "COPY --from=1 /x /x\n")
            + pair.format(12, "d", "COPY --from=1 /x /x\n")
        }
    )
    low, high = applied().plan.bases
    lines = [line for line in Path("Dockerfile").read_text().splitlines() if line]
    assert lines[:2] == [f"FROM debian:11 AS {low.name}", "RUN base11"]
    at = lines.index(f"FROM debian:12 AS {high.name}")
    assert lines[at + 1 : at + 3] == ["RUN base12", "COPY --from=2 /x /x"]
    assert lines.index(f"FROM {low.name} AS b") < at < lines.index(f"FROM {high.name} AS c")


def test_a_stage_asked_for_by_its_number_keeps_it() -> None:
    compose = "services:\n  one:\n    build:\n      context: .\n      target: '1'\n"
    lay({"Dockerfile": PLATFORM.format(one="x", two="y"), "compose.yaml": compose})
    done = applied()
    assert not done.plan.bases
    assert {refusal.reason for refusal in done.plan.refused} == {"numbered-target"}


BY_DEFAULT = "ARG BASE=acme/base:1\nFROM ${{BASE}}\nRUN common\nRUN {0}\n"


def test_what_a_default_names_counts_for_the_depth() -> None:
    lay({**COMPANY, **{f"{name}/Dockerfile": BY_DEFAULT.format(name) for name in "ab"}})
    images = {image.id: image for image in read_repository(["."]).set.images}
    assert (images["a/Dockerfile#0"].depth, images["a/Dockerfile#0"].parent) == (3, None)
    (base,) = applied().plan.bases
    assert (base.depth, Path("a/Dockerfile").read_text()) == (
        3,
        f"ARG BASE=acme/base:1\nFROM {base.ref}\nRUN a\n",
    )
    assert "ARG BASE=acme/base:1\nFROM ${BASE}\n" in Path(base.path).read_text()


def test_and_holds_the_limit() -> None:
    files = {f"{name}/Dockerfile": BY_DEFAULT.format(name) for name in "ab"}
    lay({**COMPANY, **files, "c/Dockerfile": "FROM debian:12\nRUN apt-get update\nRUN c\n"})
    done = applied(Options(PlanSettings(max_depth=3)))
    assert {base.path for base in done.plan.bases} == set()
    reasons = {refusal.id: refusal.reason for refusal in done.plan.refused}
    assert (reasons["a/Dockerfile#0"], reasons["b/Dockerfile#0"]) == ("depth-limit",) * 2
    done = applied()
    assert max(done.plan.depth_after.values()) <= 4


def test_a_stage_that_is_but_a_name_hides_nothing() -> None:
    """`FROM debian:12 AS start`, `FROM start AS build`: build begins like others on debian:12."""
    for name in "ab":
        text = f"FROM debian:12 AS start\nFROM start AS build\nRUN tools\nRUN compile {name}\n"
        lay({f"{name}/Dockerfile": f"{text}FROM debian:12\nCOPY --from=build /out /\n"})
    lay({"c/Dockerfile": "FROM debian:12\nRUN tools\nRUN c\n"})
    done = applied()
    (base,) = done.plan.bases
    assert [image.id for image in base.served] == [
        "a/Dockerfile#build",
        "b/Dockerfile#build",
        "c/Dockerfile#0",
    ]
    assert done.new[base.path].endswith("\nFROM debian:12\n\nRUN tools\n")
    assert done.changed["a/Dockerfile"].startswith(
        "FROM debian:12 AS start\nFROM localhost/debian-tools:12 AS build\nRUN compile a\n"
    )
    assert {image.depth for image in base.served} == {2}


def test_what_stands_on_a_stage_that_was_lifted_goes_on() -> None:
    """A stage that is its base and no more is a name: what is built on it is shared in turn."""
    text = "FROM node:20 AS base\nENV P=/p\nRUN corepack\nFROM base AS deps\nRUN pnpm\n"
    for name in "ab":
        lay({f"{name}/Dockerfile": f"{text}FROM base\nCOPY --from=deps /m /m\nRUN {name}\n"})
    done = applied()
    lines = done.changed["a/Dockerfile"].splitlines()
    assert lines == [
        "FROM localhost/node-corepack:20 AS base",
        "FROM localhost/node-pnpm:20 AS deps",
        "FROM localhost/node-m:20",
        "RUN a",
    ]


def test_a_name_with_a_platform_of_its_own() -> None:
    """A base in another file is built for the target's platform: these stay in their files."""
    text = "FROM --platform=$BUILDPLATFORM golang:1 AS go\nFROM go AS build\nRUN tools\n"
    lay({f"{name}/Dockerfile": f"{text}RUN {name}\n" for name in "ab"})
    done = refactor(read_repository(["."]), Options())
    assert (done.new, done.changed) == ({}, {})
    reasons = {refusal.id: refusal.reason for refusal in done.plan.refused}
    assert reasons == dict.fromkeys(["a/Dockerfile#build", "b/Dockerfile#build"], "other-platform")


def test_a_name_in_between_with_a_platform_of_its_own() -> None:
    text = "FROM golang:1 AS go\nFROM --platform=$BUILDPLATFORM go AS mid\nFROM mid\nRUN tools\n"
    lay({f"{name}/Dockerfile": f"{text}RUN {name}\n" for name in "ab"})
    done = refactor(read_repository(["."]), Options())
    assert {refusal.reason for refusal in done.plan.refused} == {"other-platform"}


def test_stages_on_a_name_share_a_stage_of_their_file() -> None:
    lay(
        {
            "Dockerfile": "FROM debian:12 AS one\nRUN tools\nRUN a\nFROM debian:12 AS start\n"
            "FROM start AS two\nRUN tools\nRUN b\n"
        }
    )
    done = applied()
    assert done.changed["Dockerfile"] == (
        "FROM debian:12 AS debian-tools\n\nRUN tools\n\nFROM debian-tools AS one\nRUN a\n"
        "FROM debian:12 AS start\nFROM debian-tools AS two\nRUN b\n"
    )
