from __future__ import annotations

from pathlib import Path

import pytest

from dockstrata.configuration import Configuration, is_excluded, load_configuration
from dockstrata.errors import DockstrataError
from dockstrata.finding import Severity
from dockstrata.report.toml import commented_configuration

EVERYTHING = """\
exclude = ["vendor/"]

[lint]
select = ["ALL"]
ignore = ["DL3008"]
extend-select = ["DS004"]
fail-on = "warning"
exclude = ["test/"]
severity = { DL3007 = "error" }
per-file-ignores = { "a/**" = ["DL3"] }
require-reason = true
hadolint-comments = false
trusted-registries = ["example.com"]
label-schema = { "a.b" = "text" }
strict-labels = true
max-layers = 40

[plan]
max-depth = 3
min-images = 4
min-steps = 2
image-cost = 0.5
step-cost = { RUN = 7 }
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "top" / "sub"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_none(here: Path) -> None:
    assert load_configuration() == Configuration()


@pytest.mark.parametrize("project", [False, True])
def test_everything(here: Path, project: bool) -> None:
    text = EVERYTHING
    name = "dockstrata.toml"
    if project:
        name = "pyproject.toml"
        text = "[tool.dockstrata]\n" + text.replace("[lint]", "[tool.dockstrata.lint]").replace(
            "[plan]", "[tool.dockstrata.plan]"
        )
    (here / name).write_text(text)
    found = load_configuration()
    assert found.path == name
    assert found.base == "."
    assert found.exclude == ("vendor/",)
    lint = found.lint
    assert lint.select == ("ALL",)
    assert lint.ignore == ("DL3008",)
    assert lint.extend_select == ("DS004",)
    assert lint.fail_on == "warning"
    assert lint.exclude == ("test/",)
    assert lint.severity == (("DL3007", Severity.ERROR),)
    assert lint.per_file_ignores == (("a/**", ("DL3",)),)
    assert lint.require_reason
    assert not lint.hadolint_comments
    assert lint.settings.trusted_registries == ("example.com",)
    assert lint.settings.label_schema == (("a.b", "text"),)
    assert lint.settings.strict_labels
    assert lint.settings.max_layers == 40
    plan = found.plan
    assert (plan.max_depth, plan.min_images, plan.min_steps, plan.image_cost) == (3, 4, 2, 0.5)
    assert plan.step_cost["RUN"] == 7
    assert plan.step_cost["COPY"] == 3.0
    places = [where for where, _ in found.selectors]
    assert f"{name}: 'lint.select'" in places
    assert f"{name}: 'lint.per-file-ignores' of 'a/**'" in places


def test_the_nearest_upward(here: Path) -> None:
    (here.parent / "dockstrata.toml").write_text("[lint]\nmax-layers = 9\n")
    found = load_configuration()
    assert (found.path, found.base) == ("../dockstrata.toml", "..")
    (here / "pyproject.toml").write_text("[tool.other]\n# dockstrata\n")
    assert load_configuration().path == "../dockstrata.toml"
    (here / "pyproject.toml").write_text("[tool.dockstrata.lint]\n")
    assert load_configuration().path == "pyproject.toml"
    (here / "dockstrata.toml").write_text("")
    assert load_configuration().path == "dockstrata.toml"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[lint]\n\nignor = []\n", "x.toml:3: unknown key 'lint.ignor'; did you mean ignore?"),
        ("[lnt]\n", "x.toml:1: unknown key 'lnt'; did you mean lint?"),
        ("[plan]\nzzz = 1\n", "x.toml:2: unknown key 'plan.zzz'"),
        (
            "[lint]\nselect = 'DL'\n",
            "x.toml:2: 'lint.select' must be a list of strings, not 'DL'",
        ),
        ("[lint]\nselect = [1]\n", "x.toml:2: 'lint.select' must be a list of strings, not [1]"),
        (
            "[lint]\nstrict-labels = 1\n",
            "x.toml:2: 'lint.strict-labels' must be true or false, not 1",
        ),
        (
            "[lint]\nmax-layers = true\n",
            "x.toml:2: 'lint.max-layers' must be a whole number above 0, not true",
        ),
        (
            "[plan]\nmax-depth = 0\n",
            "x.toml:2: 'plan.max-depth' must be a whole number above 1, not 0",
        ),
        (
            "[lint]\nfail-on = 'all'\n",
            "x.toml:2: 'lint.fail-on' must be one of error, warning, info, style, never, not 'all'",
        ),
        (
            "[lint.severity]\nDL3007 = 'bad'\n",
            "x.toml:1: 'lint.severity' must be a table of rule = one of error, warning, info, style"
            ", not {'DL3007': 'bad'}",
        ),
        (
            "[plan.step-cost]\nENV = 1\n",
            "x.toml:1: 'plan.step-cost' must be a table of RUN, ADD, COPY, WORKDIR = number"
            ", not {'ENV': 1}",
        ),
        ("lint = 3\n", "x.toml:1: 'lint' must be a table, not 3"),
        ("[lint\n", "x.toml:1: is not valid TOML: "),
    ],
)
def test_wrong(here: Path, text: str, message: str) -> None:
    (here / "x.toml").write_text(text)
    with pytest.raises(DockstrataError) as caught:
        load_configuration("x.toml")
    assert str(caught.value).startswith(message)


def test_line_in_pyproject(here: Path) -> None:
    (here / "pyproject.toml").write_text("[tool.x]\nlint = 1\n\n[tool.dockstrata.lint]\nx = 1\n")
    with pytest.raises(DockstrataError, match=r"^pyproject.toml:5: unknown key 'tool.dockstr"):
        load_configuration()


def test_unreadable(here: Path) -> None:
    with pytest.raises(DockstrataError, match=r"^x.toml: cannot be read: no such file"):
        load_configuration("x.toml")
    (here / "x.toml").write_bytes(b"\xff")
    with pytest.raises(DockstrataError, match=r"^x.toml: is not UTF-8"):
        load_configuration("x.toml")


HADOLINT = """\
ignored: [DL3008, SC2086]
override:
  error: [DL3007]
  style:
    - DL3015
trustedRegistries: [docker.io, "*.example.com"]
label-schema:
  author: text
  url: url
strict-labels: true
disable-ignore-pragma: true
failure-threshold: warning
"""


@pytest.mark.parametrize("name", [".hadolint.yaml", ".hadolint.yml"])
def test_hadolints_file(here: Path, name: str) -> None:
    (here / name).write_text(HADOLINT)
    found = load_configuration()
    lint = found.lint
    assert lint.ignore == ("DL3008", "SC2086")
    assert lint.severity == (("DL3007", Severity.ERROR), ("DL3015", Severity.STYLE))
    assert lint.settings.trusted_registries == ("docker.io", "*.example.com")
    assert lint.settings.label_schema == (("author", "text"), ("url", "url"))
    assert lint.settings.strict_labels
    assert not lint.hadolint_comments
    assert lint.fail_on == "warning"
    assert not any(selectors for _, selectors in found.selectors)  # need not be ours


def test_ours_goes_before_hadolints(here: Path) -> None:
    (here / ".hadolint.yaml").write_text(HADOLINT)
    (here / "dockstrata.toml").write_text("[lint]\nignore = []\n")
    lint = load_configuration().lint
    assert lint.ignore == ()
    assert lint.fail_on == "warning"
    assert load_configuration(hadolint=False).lint.fail_on is None


def test_the_converted_file_says_the_same(here: Path) -> None:
    from dockstrata.hadolint import read_hadolint

    (here / ".hadolint.yaml").write_text(HADOLINT)
    before = load_configuration().lint
    (here / "dockstrata.toml").write_text(commented_configuration(read_hadolint(".hadolint.yaml")))
    (here / ".hadolint.yaml").unlink()
    assert load_configuration().lint == before


def test_the_commented_file_is_the_default(here: Path) -> None:
    text = commented_configuration({})
    (here / "dockstrata.toml").write_text(text)
    assert load_configuration().lint == Configuration().lint
    keys = (" = ", "[[")
    uncommented = [
        line[2:] if any(key in line for key in keys) else line for line in text.splitlines()
    ]
    (here / "dockstrata.toml").write_text("\n".join(uncommented))
    assert load_configuration().lint.select == ("ALL",)  # each example is valid


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ignored: DL3008\n", "'ignored' must be a list of strings"),
        ("- a\n", "must be a mapping"),
        ("a: [\n", ":2: is not valid YAML"),
        ("failure-threshold: bad\n", "'failure-threshold' must be one of"),
        ("strict-labels: 3\n", "'strict-labels' must be true or false"),
        ("override: [a]\n", "'override' must be a mapping"),
    ],
)
def test_hadolints_file_wrong(here: Path, text: str, message: str) -> None:
    (here / ".hadolint.yaml").write_text(text)
    with pytest.raises(DockstrataError) as caught:
        load_configuration()
    assert message in str(caught.value)
    assert str(caught.value).startswith(".hadolint.yaml")


def test_excluded(here: Path) -> None:
    patterns = ((("vendor/", "/a/*.x"), "."), (("sub/b",), ".."))
    assert is_excluded("vendor/Dockerfile", patterns)
    assert is_excluded("a/Dockerfile.x", patterns)
    assert is_excluded("b", patterns)
    assert not is_excluded("b/a/Dockerfile.x", patterns[:1])
    assert not is_excluded("../vendor/Dockerfile", patterns)
