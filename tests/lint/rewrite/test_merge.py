"""Chains that are too deep are merged, at the least loss, and never where that is not equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.meaning.repository import read_repository
from dockstrata.plan.settings import PlanSettings
from dockstrata.rewrite.journal import write_all
from dockstrata.rewrite.proof import difference
from dockstrata.rewrite.refactor import Options, refactor


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lay(folder: Path, **files: str) -> None:
    """Images ``acme/NAME``, built by compose, one a file."""
    services = "".join(f"  {name}: {{build: {name}, image: acme/{name}}}\n" for name in files)
    (folder / "compose.yaml").write_text(f"services:\n{services}")
    for name, text in files.items():
        (folder / name).mkdir()
        (folder / name / "Dockerfile").write_text(text)


def test_a_deep_chain_is_merged_where_least_is_lost(here: Path) -> None:
    lay(
        here,
        os="FROM debian:12\nRUN os\n",
        jdk="FROM acme/os\nENV JAVA=1\nRUN jdk\n",
        mw="FROM acme/jdk\nCOPY --from=acme/tools:1 /mw /mw\n",
        log="FROM acme/mw\n# ship logs\nRUN log\n",
        app='FROM acme/log AS final\nUSER app\nCMD ["app"]\n',
    )
    before = read_repository(["."])
    assert max(image.depth for image in before.set.images) == 6
    done = refactor(before, Options())
    # mw's COPY is cheaper to write twice than any RUN, and two deep chains get shorter by it.
    first = done.merged.merges[0]
    assert (first.image, first.parent, first.cost) == ("log/Dockerfile#0", "mw/Dockerfile#0", 3.0)
    # Then log has 13 to lose, jdk's RUN 10.
    assert done.changed == {
        "log/Dockerfile": (
            "FROM acme/os\nENV JAVA=1\nRUN jdk\n"
            "COPY --from=acme/tools:1 /mw /mw\n# ship logs\nRUN log\n"
        )
    }
    write_all(".", {**done.new, **done.changed})
    after = read_repository(["."])
    assert max(image.depth for image in after.set.images) == 4
    now = {image.id: image for image in after.set.images}
    for image in before.set.images:
        assert difference(image.stage, now[image.id].stage) is None
    assert refactor(after, Options()).changed == {}


def test_stages_of_one_file_are_merged(here: Path) -> None:
    text = "FROM debian:12 AS a\nRUN a\nFROM a AS b\nRUN b\n\nFROM b\nRUN c\n"
    (here / "Dockerfile").write_text(text)
    done = refactor(read_repository(["."]), Options(PlanSettings(max_depth=3)))
    assert done.changed["Dockerfile"] == (
        "FROM debian:12 AS a\nRUN a\nFROM a AS b\nRUN b\n\nFROM a\nRUN b\nRUN c\n"
    )


def test_an_argument_is_the_same_through_any_number_of_stages(here: Path) -> None:
    text = (
        "FROM debian:12 AS a\nARG V\nRUN a\nFROM a AS b\nRUN b\nFROM b AS c\nRUN c\nFROM c\nRUN d\n"
    )
    (here / "Dockerfile").write_text(text)
    done = refactor(read_repository(["."]), Options())
    assert done.changed["Dockerfile"].endswith("FROM b AS c\nRUN c\nFROM b\nRUN c\nRUN d\n")


def test_arguments_that_would_be_seen_are_no_merge(here: Path) -> None:
    lay(
        here,
        os="FROM debian:12\nRUN os\n",
        mw="FROM acme/os\nARG V=1\nRUN mw\n",
        app="FROM acme/mw\nRUN app\n",
    )
    done = refactor(read_repository(["."]), Options(PlanSettings(max_depth=3)))
    # app's RUN must not see mw's V; os has no such argument and can be taken over by mw.
    assert [(m.image, m.parent) for m in done.merged.merges] == [
        ("mw/Dockerfile#0", "os/Dockerfile#0")
    ]


def test_a_refusal_names_the_arguments_that_would_be_seen(here: Path) -> None:
    lay(here, mw="FROM debian:12\nARG V=1\nARG W\nRUN mw\n", app="FROM acme/mw\nARG W\nRUN app\n")
    (refusal,) = refactor(read_repository(["."]), Options(PlanSettings(max_depth=2))).merged.refused
    assert refusal.message.endswith(
        "the steps of app/Dockerfile would see build arguments of mw/Dockerfile#0: V"
    )


def test_what_cannot_be_merged_is_refused_with_its_depth(here: Path) -> None:
    lay(
        here,
        os="FROM debian:12\nONBUILD RUN trigger\n",
        app="FROM acme/os\nRUN app\n",
    )
    done = refactor(read_repository(["."]), Options(PlanSettings(max_depth=2)))
    assert done.changed == {}
    (refusal,) = done.merged.refused
    assert (refusal.id, refusal.reason) == ("app/Dockerfile#0", "too-deep")
    assert "3 images" in refusal.message


def test_arguments_before_from_come_along_or_clash(here: Path) -> None:
    lay(
        here,
        os="ARG TAG=12\nFROM debian:${TAG}\nRUN os\n",
        app="FROM acme/os\nRUN app\n",
        other="ARG TAG=3\nFROM acme/os\nRUN other\n",
    )
    done = refactor(read_repository(["."]), Options(PlanSettings(max_depth=2)))
    assert done.changed["app/Dockerfile"] == "ARG TAG=12\nFROM debian:${TAG}\nRUN os\nRUN app\n"
    assert [refusal.id for refusal in done.merged.refused] == ["other/Dockerfile#0"]


def test_generated_files_are_not_merged_into(here: Path) -> None:
    lay(
        here,
        os="FROM debian:12\nRUN os\n",
        app="# generated by make-images, do not edit\nFROM acme/os\nRUN app\n",
    )
    done = refactor(read_repository(["."]), Options(PlanSettings(max_depth=2)))
    assert done.changed == {}
    done = refactor(
        read_repository(["."]), Options(PlanSettings(max_depth=2), include_generated=True)
    )
    assert list(done.changed) == ["app/Dockerfile"]


def test_a_state_with_more_steps_differs_without_a_crash(here: Path) -> None:
    (here / "Dockerfile").write_text("FROM debian:12\nRUN a\n")
    (one,) = read_repository(["."]).set.images
    (here / "Dockerfile").write_text("FROM debian:12\nRUN b\nRUN c\nRUN a\n")
    (other,) = read_repository(["."]).set.images
    for before, after in ((one, other), (other, one)):
        message = difference(before.stage, after.stage)
        assert message is not None
        assert "steps or their contexts would differ" in message


def test_an_image_called_like_what_it_is_built_on_is_nobody_elses(here: Path) -> None:
    """`image: debian:12` over a file FROM debian:12: others may well mean the registry's."""
    (here / "compose.yaml").write_text(
        "services:\n  db: {build: db, image: 'debian:12'}\n  app: {build: app, image: acme/app}\n"
    )
    for name, text in {
        "db": "ARG TAG=12\nFROM debian:$TAG\nENV A=1\nRUN db\n",
        "app": "FROM debian:12\nCMD x\n",
        "top": "FROM acme/app\nRUN top\n",
    }.items():
        (here / name).mkdir()
        (here / name / "Dockerfile").write_text(text)
    repository = read_repository(["."])
    depths = {image.path: image.depth for image in repository.set.images}
    assert depths == {"db/Dockerfile": 2, "app/Dockerfile": 2, "top/Dockerfile": 3}
    done = refactor(repository, Options(PlanSettings(max_depth=2)))
    assert done.changed == {"top/Dockerfile": "FROM debian:12\nCMD x\nRUN top\n"}


def test_a_name_that_is_another_image_in_each_file(here: Path) -> None:
    """What is inlined may be built on the very image that it came from: nothing gets shorter."""
    (here / "compose.yaml").write_text(
        "services:\n  os: {build: os}\n"
        "  mid: {build: {context: mid, additional_contexts: {base: 'service:os'}}}\n"
        "  top: {build: {context: top, additional_contexts: {base: 'service:mid'}}}\n"
    )
    texts = {"os": "FROM a:1\nRUN os\n", "mid": "FROM base\nENV A=1\n", "top": "FROM base\n"}
    for name, text in texts.items():
        (here / name).mkdir()
        (here / name / "Dockerfile").write_text(text)
    done = refactor(read_repository(["."]), Options(PlanSettings(max_depth=3)))
    # mid takes over os; top cannot take over mid.
    assert done.changed == {"mid/Dockerfile": "FROM a:1\nRUN os\nENV A=1\n"}
    (here / "os/Dockerfile").write_text("FROM a:1\nCOPY Dockerfile /\n")
    done = refactor(read_repository(["."]), Options(PlanSettings(max_depth=3)))
    assert done.changed == {}
    (refusal,) = done.merged.refused
    assert "FROM base is another image in top/Dockerfile than in mid/D" in refusal.message


def test_what_the_image_sets_anew_is_not_taken_over(here: Path) -> None:
    """In one stage only the last CMD, ENTRYPOINT, HEALTHCHECK and STOPSIGNAL count."""
    lay(
        here,
        os="FROM debian:12\nRUN os\n",
        mid='FROM acme/os\n# how it runs\nENTRYPOINT ["mid"]\nCMD ["x"]\nSTOPSIGNAL 9\n',
        top='FROM acme/mid\nENTRYPOINT ["top"]\nCMD ["y"]\n',
    )
    done = refactor(read_repository(["."]), Options(PlanSettings(max_depth=3)))
    assert done.changed == {
        "top/Dockerfile": 'FROM acme/os\nSTOPSIGNAL 9\nENTRYPOINT ["top"]\nCMD ["y"]\n'
    }
    (here / "top/Dockerfile").write_text('FROM acme/mid\nCMD ["y"]\nHEALTHCHECK NONE\n')
    done = refactor(read_repository(["."]), Options(PlanSettings(max_depth=3)))
    assert done.changed == {
        "top/Dockerfile": 'FROM acme/os\n# how it runs\nENTRYPOINT ["mid"]\nSTOPSIGNAL 9\n'
        'CMD ["y"]\nHEALTHCHECK NONE\n'
    }
