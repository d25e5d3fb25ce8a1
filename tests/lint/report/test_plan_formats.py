"""``plan`` for pull requests and pages: complete, short enough, and names break nothing."""

from __future__ import annotations

import html
import html.parser
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockstrata.cli.main import main
from dockstrata.report.plan_markdown import code

HOSTILE = "``` | <script>alert(1)</script> @someone #1 [a](b) \u202e"


def write(files: dict[str, str]) -> None:
    for path, text in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def planned(capsys: pytest.CaptureFixture[str], form: str) -> str:
    assert main(["plan", "--format", form]) == 0
    return capsys.readouterr().out


def hostile_set() -> None:
    same = f"FROM debian:12\nRUN apt-get install -y java\nRUN echo '{HOSTILE}'\n"
    write(
        {
            "a|b`<i>/Dockerfile": f"{same}RUN one\n",
            "c/Dockerfile": f"{same}RUN two\n",
            "near/Dockerfile": "FROM debian:12\nRUN apt-get install  -y java\nRUN x\n",
            "onbuild/Dockerfile": "FROM debian:12-onbuild\nRUN a\n",
            "onbuild2/Dockerfile": "FROM debian:12-onbuild\nRUN a\n",
        }
    )


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_base_says_whose_files_it_takes(capsys: pytest.CaptureFixture[str], form: str) -> None:
    same = "FROM debian:12\nCOPY list /\nRUN install /list\n"
    folders = ("a", "b", "c")
    write({f"{name}/Dockerfile": f"{same}RUN {name}\n" for name in folders})
    write({f"{name}/list": "curl" for name in folders})
    said = html.unescape(planned(capsys, form))
    assert "takes its files from a, no longer from b and 1 other folder" in said
    write({"compose.yaml": services(folders)})
    assert "takes its files" not in planned(capsys, form)


def services(folders: Sequence[str]) -> str:
    """One build context for all."""
    lines = (f"  {n}: {{build: {{context: all, dockerfile: ../{n}/Dockerfile}}}}" for n in folders)
    Path("all").mkdir()
    Path("all/list").write_text("curl")
    return "\n".join(("services:", *lines))


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_stage_says_its_platform(capsys: pytest.CaptureFixture[str], form: str) -> None:
    stages = (f"FROM --platform=$BUILDPLATFORM debian:12 AS {n}\nRUN x\nRUN {n}\n" for n in "ab")
    write({"Dockerfile": "".join(stages)})
    assert "FROM --platform=${BUILDPLATFORM} debian:12" in html.unescape(planned(capsys, form))


def test_markdown_says_all_that_decides(capsys: pytest.CaptureFixture[str]) -> None:
    hostile_set()
    text = planned(capsys, "markdown")
    assert text.startswith("## Shared base images\n\n1 base image would serve 2 of 5 images")
    assert "| `localhost/debian-java-script:12` | `debian:12` | 2 | 2 | 2 |" in text
    assert "FROM debian:12\nRUN apt-get install -y java\n" in text
    assert "- `c/Dockerfile#0`, depth 2 → 3" in text
    assert "| 2 | `onbuild-root`: the root image runs ONBUILD triggers" in text
    assert "### Nearly the same" in text
    assert "`near/Dockerfile:2` (whitespace)" in text
    assert "`--max-depth`" in text


def test_in_markdown_names_are_code_and_fences_hold(capsys: pytest.CaptureFixture[str]) -> None:
    hostile_set()
    text = planned(capsys, "markdown")
    assert "\u202e" not in text
    assert "``a|b`<i>/Dockerfile#0``" in text
    outside = re.sub(r"^(`{3,})\w+\n.*?^\1$", "", text, flags=re.S | re.M)
    assert "alert" not in outside
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert "<i>" not in outside
    assert set(re.findall(r"<(\w+)", outside)) <= {"details", "summary"}


@given(st.text())
def test_a_code_span_ends_where_it_should(text: str) -> None:
    span = code(text)
    fence = re.match("`+", span)
    assert fence is not None
    inner = span[len(fence[0]) : -len(fence[0])]
    assert all(len(run) < len(fence[0]) for run in re.findall("`+", inner))
    assert not inner.startswith("`")
    assert not inner.endswith("`")
    assert "\n" not in span


def test_markdown_of_a_large_plan_fits_into_a_comment(capsys: pytest.CaptureFixture[str]) -> None:
    write({f"{kind}{n}/Dockerfile": f"FROM debian:12\nRUN {'x' * 300} {n}\nRUN {kind}\n"
           for n in range(400) for kind in "ab"})  # fmt: skip
    text = planned(capsys, "markdown")
    assert 30_000 < len(text) < 65_536
    assert re.search(r"and \d+ more \(`--format html` has all\)", text)
    assert re.search(r"The details of \d+ more are in `--format html`\.", text)
    assert text.count("<details>") == text.count("</details>") > 10
    page = planned(capsys, "html")
    assert page.count("<pre>FROM ") == 400


class Text(html.parser.HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_has_the_plan_and_no_foreign_element(capsys: pytest.CaptureFixture[str]) -> None:
    hostile_set()
    page = Text(planned(capsys, "html"))
    assert page.tags.count("script") == 1
    assert "i" not in page.tags
    assert "<script>alert(1)</script>" in page.text
    for wanted in ("localhost/debian-java-script:12", "saves 2 steps in 2 images", "onbuild-root",
                   "a|b`<i>/Dockerfile#0", "near/Dockerfile:2", "--max-depth 4"):  # fmt: skip
        assert wanted in page.text


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_generated_files_are_told_of(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = "# Generated by make.sh, do not edit.\nFROM debian:12\nRUN apt-get install -y java\nRUN "
    write({f"{name}/Dockerfile": text + name for name in "ab"})
    said = planned(capsys, form)
    assert "Nothing to lift" in said
    assert "include-generated" in said
    assert "1 base image for 2 images" in said
