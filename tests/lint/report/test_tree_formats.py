"""The drawings of ``tree``: what they show, what they fold, and that names break none of them."""

from __future__ import annotations

import html.parser
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from dockstrata.cli.main import main
from dockstrata.meaning.repository import read_repository
from dockstrata.report.boxes import boxes
from dockstrata.report.picture import roots
from dockstrata.similarity.trie import build_trie

HOSTILE = 'x"; <script>alert(1)</script> ]:::a #quot; \\" `b` --> & \u202e'
SVG = "{http://www.w3.org/2000/svg}"


def write(files: dict[str, str]) -> None:
    for path, text in files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(
        {
            f"{name}/Dockerfile": f"FROM debian:12\nRUN one\nRUN echo '{HOSTILE}'\nRUN {name}\n"
            for name in ("a", "b")
        }
    )
    write({'c"<b>&/Dockerfile': f"FROM debian:12 AS one\nRUN c\nFROM one\nRUN {HOSTILE}\n"})


def drawn(capsys: pytest.CaptureFixture[str], form: str) -> str:
    assert main(["tree", "--format", form]) == 0
    return capsys.readouterr().out


class Text(html.parser.HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_svg_is_xml_and_has_every_image(capsys: pytest.CaptureFixture[str]) -> None:
    tree = ElementTree.fromstring(drawn(capsys, "svg"))
    texts = [element.text or "" for element in tree.iter(f"{SVG}text")]
    for wanted in ("debian:12", "2 steps in 2 images", "a", "b", 'c"<b>&#one', "RUN one"):
        assert wanted in texts
    assert {element.tag.removeprefix(SVG) for element in tree.iter()} == {
        "svg", "style", "rect", "text", "path"
    }  # fmt: skip
    assert len(list(tree.iter(f"{SVG}path"))) == len(list(tree.iter(f"{SVG}rect"))) - 2


def test_svg_boxes_do_not_overlap(capsys: pytest.CaptureFixture[str]) -> None:
    write({f"m{n}/Dockerfile": f"FROM r{n % 3}\nRUN {n % 7}\nRUN {n}\n" for n in range(60)})
    tree = ElementTree.fromstring(drawn(capsys, "svg"))
    places = []
    for element in tree.iter(f"{SVG}rect"):
        if element.get("class") != "page":
            x, y, width, height = (float(element.get(k, "")) for k in ("x", "y", "width", "height"))
            places.append((x, y, x + width, y + height))
            assert x + width <= float(tree.get("width", ""))
            assert y + height <= float(tree.get("height", ""))
    assert len(places) > 20
    for at, one in enumerate(places):
        for other in places[at + 1 :]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1]
            assert apart or other[3] <= one[1]


def test_dot_labels_are_closed_strings(capsys: pytest.CaptureFixture[str]) -> None:
    text = drawn(capsys, "dot")
    labels = re.findall(r'label="((?:[^"\\]|\\.)*)", ', text)
    assert len(labels) == text.count("label=") == 7
    assert any("<script>alert" in label for label in labels)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_draws_it(capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        ["dot", "-Tsvg"], input=drawn(capsys, "dot").encode(), capture_output=True, check=True
    )
    tree = ElementTree.fromstring(done.stdout)
    words = " ".join("".join(element.itertext()) for element in tree.iter(f"{SVG}text"))
    assert "RUN one" in words
    assert "<script>" in words
    assert 'c"<b>&#one' in words
    assert len([node for node in tree.iter(f"{SVG}g") if node.get("class") == "node"]) == 7


def test_mermaid_has_nothing_of_the_names_but_plain_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = drawn(capsys, "mermaid")
    assert text.startswith("flowchart LR\n")
    labels = re.findall(r'"([^"]*)"', text)
    assert len(labels) == 7
    for label in labels:
        assert re.fullmatch(r"(?:[A-Za-z0-9 .,/_:=@+-]|#\d+;|<br>)*", label)
    decoded = re.sub(r"#(\d+);", lambda match: chr(int(match[1])), "\n".join(labels))
    assert "<script>alert" in decoded
    rest = re.sub(r'"[^"]*"', "", text)
    assert "script" not in rest


def test_html_shows_names_as_text_and_loads_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    page = Text(drawn(capsys, "html"))
    assert page.tags.count("script") == 1
    assert page.links == []
    assert "<script>alert(1)</script>" in page.text
    assert 'c"<b>&#one' in page.text
    assert "\\u202e" in page.text
    assert "RUN one" in page.text


def test_the_pages_script_is_the_one_that_its_policy_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import base64
    import hashlib

    text = drawn(capsys, "html")
    (script,) = re.findall(r"<script>(.*?)</script>\n</body>", text, re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in text


def large() -> None:
    write({f"t{n % 9}/v{n}/Dockerfile": f"FROM r{n % 40}\nRUN {n % 80}\nRUN {n}\n"
           for n in range(1200)})  # fmt: skip
    write({f"lonely/{n}/Dockerfile": f"FROM lonely{n}\n" for n in range(50)})


def test_large_sets_are_folded_and_nobody_is_lost() -> None:
    large()
    found = boxes(roots(build_trie(read_repository(["."]).set.images)), 120)
    everything = [box for box in found for box in box.walk()]
    assert 10 < len(everything) <= 120
    folded = sum(int(box.title.split()[0]) for box in everything if box.kind == "images")
    assert folded + sum(box.kind == "image" for box in everything) == 1254


def test_mermaid_stays_within_what_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    large()
    text = drawn(capsys, "mermaid")
    assert len(text) < 50_000
    assert text.count("-->") < 500


def test_html_of_a_large_set_has_every_image(capsys: pytest.CaptureFixture[str]) -> None:
    large()
    text = drawn(capsys, "html")
    assert text.count('<div class="image">') == 1254


def test_an_empty_root_is_drawn(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "Dockerfile").write_text("FROM scratch\n")
    for form in ("dot", "mermaid", "svg", "html"):
        assert main(["tree", "--format", form, "only"]) == 0
        assert "scratch" in capsys.readouterr().out
