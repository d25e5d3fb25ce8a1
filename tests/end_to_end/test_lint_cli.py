"""``dockstrata lint``, ``rule`` and ``init`` as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

GOOD = "FROM debian:12.5\nCOPY a /a\n"
LATEST = "FROM debian:latest\nCOPY a /a\n"
MAINTAINER = "FROM debian:12.5\nMAINTAINER Jane\n"
CASING = "from debian:12.5\nCOPY a /a\n"

Run = subprocess.CompletedProcess[str]


def dockstrata(*arguments: str, stdin: str = "", **environment: str) -> Run:
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "dockstrata", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        env={**kept, **environment},
        timeout=60,
        check=False,
    )


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: str, text: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return path


class TestExitCodes:
    def test_nothing_found(self) -> None:
        write("Dockerfile", GOOD)
        done = dockstrata("lint")
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == "No problems found in 1 file.\n"

    def test_nothing_that_docker_can_read(self) -> None:
        Path("Dockerfile").write_bytes("FROM debian\n".encode("utf-16"))
        done = dockstrata("lint", "Dockerfile")
        assert done.returncode == 2
        assert "error: Dockerfile: is UTF-16; Docker reads Dockerfiles as UTF-8" in done.stderr

    def test_found(self) -> None:
        write("a/Dockerfile", LATEST)
        done = dockstrata("lint")
        assert done.returncode == 1
        assert done.stdout.startswith("a/Dockerfile:1:")
        assert " DL3007 warning: " in done.stdout
        assert done.stdout.endswith(" (latest-tag)\n")
        assert done.stderr == "Found 1 problem (1 warning) in 1 file.\n"

    @pytest.mark.parametrize(
        ("fail_on", "code"),
        [("error", 0), ("warning", 1), ("info", 1), ("style", 1), ("never", 0)],
    )
    def test_fail_on(self, fail_on: str, code: int) -> None:
        write("Dockerfile", LATEST)
        done = dockstrata("lint", "--fail-on", fail_on)
        assert done.returncode == code
        assert "DL3007" in done.stdout

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["nowhere"], "error: nowhere: no such file or directory\n"),
            (["empty"], "error: empty: no Dockerfile found\n"),
            (["--select", "DL3007,latst-tag"], "unknown rule 'latst-tag'; did you mean latest-tag"),
            (["--ignore", "QQ1"], "error: --ignore: unknown rule 'QQ1'\n"),
            (["--extend-select", "BuildKot"], "'BuildKot'; did you mean BuildKit?\n"),
            (["--config", "no.toml"], "error: no.toml: cannot be read: no such file or directory"),
            (["--config", "x", "--no-config"], "--config and --no-config exclude each other"),
            (["--fix", "--diff"], "--fix and --diff exclude each other"),
            (["--unsafe-fixes"], "--unsafe-fixes needs --fix or --diff"),
            (["-", "Dockerfile"], "'-' (standard input) must be the only path"),
            (["--stdin-filename", "x"], "--stdin-filename is for '-'"),
            (["--write-baseline"], "--write-baseline needs --baseline FILE"),
            (["--baseline", "no.json"], "error: no.json: cannot be read: no such file"),
            (["--baseline", "Dockerfile"], "error: Dockerfile: is not a baseline file"),
            (["--output", "no/where"], "error: no/where: cannot be written: no such file"),
            (["--fail-on", "all"], "Invalid value for '--fail-on'"),
            (["--format", "xml"], "Invalid value for '--format'"),
            (["--jobs", "0"], "Invalid value for '--jobs'"),
            (["--fxi"], "No such option"),
        ],
    )
    def test_cannot_do_it(self, arguments: list[str], message: str) -> None:
        write("Dockerfile", LATEST)
        Path("empty").mkdir()
        done = dockstrata("lint", *arguments)
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr

    def test_broken_configuration(self) -> None:
        write("Dockerfile", GOOD)
        write("dockstrata.toml", "[lint]\nselct = []\n")
        done = dockstrata("lint")
        assert done.returncode == 2
        assert done.stderr == (
            "error: dockstrata.toml:2: unknown key 'lint.selct'; did you mean select?\n"
        )
        assert dockstrata("lint", "--no-config").returncode == 0

    def test_unknown_rule_in_configuration(self) -> None:
        write("Dockerfile", GOOD)
        write("dockstrata.toml", '[lint.per-file-ignores]\n"a/*" = ["latst-tag"]\n')
        done = dockstrata("lint")
        assert done.returncode == 2
        assert "'lint.per-file-ignores' of 'a/*': unknown rule 'latst-tag'" in done.stderr

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_unreadable_file(self) -> None:
        write("a/Dockerfile", GOOD)
        write("b/Dockerfile", LATEST)
        Path("a/Dockerfile").chmod(0)
        done = dockstrata("lint")
        assert done.returncode == 2
        assert "error: a/Dockerfile: cannot be read: " in done.stderr
        assert "b/Dockerfile:1:" in done.stdout

    def test_broken_file_among_good_ones(self) -> None:
        write("a/Dockerfile", "FROM debian:12.5\n\nRUNN x\n")
        write("b/Dockerfile", LATEST)
        write("c/Dockerfile", "FROM debian:12.5\nRUN <<EOF\nnever ended\n")
        done = dockstrata("lint", "--select", "DL3007")
        assert done.returncode == 1
        places = [line.split(" ")[0:3] for line in done.stdout.splitlines()]
        assert places == [
            ["a/Dockerfile:3:1:", "DS001", "error:"],
            ["b/Dockerfile:1:1:", "DL3007", "warning:"],
            ["c/Dockerfile:2:1:", "DS001", "error:"],
        ]

    def test_look_alikes_are_skipped_with_a_word(self) -> None:
        write("Dockerfile", GOOD)
        write("x/Dockerfile.j2", "FROM {{ base }}\n")
        Path("b").mkdir()
        Path("b/Dockerfile").write_bytes(b"\0\1\2")
        done = dockstrata("lint")
        assert done.returncode == 0
        assert "note: x/Dockerfile.j2: skipped: is a template" in done.stderr
        assert "note: b/Dockerfile: skipped: is binary" in done.stderr
        assert dockstrata("lint", "-q").stderr == ""
        skipped = json.loads(dockstrata("lint", "--format", "json").stdout)["skipped"]
        assert [(skip["path"], skip["reason"]) for skip in skipped] == [
            ("b/Dockerfile", "binary"),
            ("x/Dockerfile.j2", "template"),
        ]

    def test_only_look_alikes_is_no_failure(self) -> None:
        write("Dockerfile.j2", "FROM {{ base }}\n")
        assert dockstrata("lint", "Dockerfile.j2").returncode == 0

    def test_a_rule_that_raises(self, here: Path) -> None:
        write("Dockerfile", LATEST)
        pack = here / "pack" / "bad_pack-1.0.dist-info"
        pack.mkdir(parents=True)
        (pack / "METADATA").write_text("Name: bad_pack\nVersion: 1.0\n")
        (pack / "entry_points.txt").write_text("[dockstrata.rules]\nbad = bad_rules:RULES\n")
        (here / "pack" / "bad_rules.py").write_text(
            "from dockstrata.rule import Severity, rule\n"
            '@rule(code="XX1", name="bad", severity=Severity.INFO)\n'
            "def bad(context): raise ValueError('on\\x1bpurpose')\n"
            "RULES = (bad,)\n"
        )
        done = dockstrata("lint", PYTHONPATH="pack")
        assert done.returncode == 2
        assert "Dockerfile:1:1: DL3007" in done.stdout
        message = "error: Dockerfile: internal error in rule XX1: ValueError: on\\x1bpurpose\n"
        assert message in done.stderr
        assert "Traceback" not in done.stderr
        assert "Traceback" in dockstrata("lint", "-v", PYTHONPATH="pack").stderr


class TestSelection:
    def test_names_prefixes_and_groups(self) -> None:
        write("Dockerfile", "from debian:latest\nMAINTAINER x\n")

        def codes(*arguments: str) -> set[str]:
            done = dockstrata("lint", "--format", "json", *arguments)
            return {finding["code"] for finding in json.loads(done.stdout)["findings"]}

        assert codes("--select", "DL3007") == {"DL3007"}
        assert codes("--select", "latest-tag,MaintainerDeprecated") == {"DL3007", "DL4000"}
        assert codes("--select", "DL4", "--select", "DL3007") == {"DL3007", "DL4000"}
        assert "DL3007" not in codes("--select", "BuildKit")
        assert "DL4000" in codes("--select", "BuildKit")
        assert codes("--select", "DL3007,DL4", "--ignore", "DL4000") == {"DL3007"}
        assert codes("--ignore", "ALL") == set()

    def test_configuration_and_command_line(self) -> None:
        write("Dockerfile", LATEST)
        write("dockstrata.toml", '[lint]\nignore = ["DL3007"]\nfail-on = "error"\n')
        assert dockstrata("lint").stdout == ""
        done = dockstrata("lint", "--select", "DL3007")
        assert done.returncode == 0
        assert "DL3007" in done.stdout
        assert dockstrata("lint", "--select", "DL3007", "--fail-on", "style").returncode == 1

    def test_severity_and_hadolints_file(self) -> None:
        write("Dockerfile", LATEST)
        write(".hadolint.yaml", "override:\n  error: [DL3007]\n")
        assert "DL3007 error:" in dockstrata("lint").stdout
        write(".hadolint.yaml", "ignored: [DL3007]\n")
        assert dockstrata("lint").returncode == 0
        write(".hadolint.yaml", "failure-threshold: error\n")
        assert dockstrata("lint").returncode == 0

    def test_exclude(self) -> None:
        write("a/Dockerfile", LATEST)
        write("b/Dockerfile", LATEST)
        assert "a/Dock" not in dockstrata("lint", "--exclude", "a/").stdout
        write("dockstrata.toml", '[lint]\nexclude = ["a/"]\n')
        assert "a/Dock" not in dockstrata("lint").stdout
        named = ("lint", "a/Dockerfile")
        assert "a/Dock" in dockstrata(*named).stdout
        done = dockstrata(*named, "--force-exclude")
        assert (done.returncode, done.stdout) == (0, "")

    def test_require_reason(self) -> None:
        write("Dockerfile", "# dockstrata ignore=DL3007\n" + LATEST)
        assert dockstrata("lint").returncode == 0
        assert " DS004 " in dockstrata("lint", "--require-reason").stdout


class TestFix:
    def test_fix(self) -> None:
        write("Dockerfile", CASING)
        done = dockstrata("lint", "--fix")
        assert done.returncode == 0
        assert Path("Dockerfile").read_text() == CASING.replace("from", "FROM")
        assert done.stderr == "Fixed 1 problem; none left in 1 file.\n"
        assert dockstrata("lint", "--fix").stderr == "No problems found in 1 file.\n"

    def test_exit_non_zero_on_fix(self) -> None:
        write("Dockerfile", CASING)
        arguments = ("lint", "--fix", "--exit-non-zero-on-fix")
        assert dockstrata(*arguments).returncode == 1
        assert dockstrata(*arguments).returncode == 0

    def test_unsafe(self) -> None:
        write("Dockerfile", MAINTAINER)
        assert dockstrata("lint", "--fix").returncode == 1
        assert Path("Dockerfile").read_text() == MAINTAINER
        assert dockstrata("lint", "--fix", "--unsafe-fixes").returncode == 0
        assert "LABEL org.opencontainers.image.authors" in Path("Dockerfile").read_text()

    def test_diff(self) -> None:
        write("d/Dockerfile", CASING)
        done = dockstrata("lint", "--diff")
        assert done.returncode == 1
        assert done.stdout.startswith("--- a/d/Dockerfile\n+++ b/d/Dockerfile\n")
        assert Path("d/Dockerfile").read_text() == CASING
        subprocess.run(["git", "apply"], input=done.stdout, text=True, check=True)
        assert Path("d/Dockerfile").read_text() == CASING.replace("from", "FROM")
        again = dockstrata("lint", "--diff")
        assert (again.returncode, again.stdout) == (0, "")

    def test_read_only(self) -> None:
        write("a/Dockerfile", CASING)
        write("b/Dockerfile", CASING)
        Path("a/Dockerfile").chmod(0o444)
        done = dockstrata("lint", "--fix")
        assert done.returncode == 2
        assert "error: a/Dockerfile: is read-only; not written\n" in done.stderr
        assert Path("b/Dockerfile").read_text().startswith("FROM")


class TestStandardInput:
    def test_lint(self) -> None:
        done = dockstrata("lint", "--stdin-filename", "x/Dockerfile", "-", stdin=LATEST)
        assert done.returncode == 1
        assert done.stdout.startswith("x/Dockerfile:1:1: DL3007")

    def test_fix_gives_the_text(self) -> None:
        done = dockstrata("lint", "--fix", "-", stdin=CASING + "MAINTAINER x\n")
        assert done.stdout == CASING.replace("from", "FROM") + "MAINTAINER x\n"
        assert "-:3:1: DL4000" in done.stderr


class TestOutput:
    def test_json_contract(self) -> None:
        write("Dockerfile", MAINTAINER)
        done = dockstrata("lint", "--format", "json", "--select", "DL4000")
        data = json.loads(done.stdout)
        assert data["version"] == 1
        assert data["summary"]["files"] == 1
        assert data["summary"]["findings"] == 1
        assert data["summary"]["fixable"] == 1
        (finding,) = data["findings"]
        keys = "code aliases name severity message path line column end_line end_column related fix"
        assert list(finding) == keys.split()
        assert finding["aliases"] == ["MaintainerDeprecated"]
        assert (finding["line"], finding["column"]) == (2, 1)
        assert (finding["end_line"], finding["end_column"]) == (2, 16)
        assert finding["fix"]["safety"] == "unsafe"
        assert done.stderr == ""

    @pytest.mark.parametrize("form", ["sarif", "github", "gitlab", "checkstyle", "junit"])
    def test_other_formats(self, form: str) -> None:
        write("Dockerfile", LATEST)
        done = dockstrata("lint", "--format", form)
        assert done.returncode == 1
        assert "DL3007" in done.stdout
        assert done.stderr == ""

    def test_output_file(self) -> None:
        write("Dockerfile", LATEST)
        done = dockstrata("lint", "--format", "json", "--output", "out.json")
        assert (done.returncode, done.stdout) == (1, "")
        assert json.loads(Path("out.json").read_text())["summary"]["findings"] == 1

    def test_statistics(self) -> None:
        write("a/Dockerfile", LATEST)
        write("b/Dockerfile", LATEST)
        done = dockstrata("lint", "--statistics", "-q", "--select", "DL3007")
        assert done.stdout == "2 DL3007     latest-tag\n"

    def test_colours(self) -> None:
        write("Dockerfile", LATEST)
        assert "\x1b[" not in dockstrata("lint").stdout
        assert "\x1b[" in dockstrata("lint", FORCE_COLOR="1").stdout
        assert "\x1b[" not in dockstrata("lint", FORCE_COLOR="1", NO_COLOR="1").stdout

    def test_names_and_content_do_not_steer_the_terminal(self) -> None:
        write("\x1b[31mDockerfile.Dockerfile", "FROM debian:12.5\nRUN\x1b]0;x\x07 a\nEVIL\x9b b\n")
        done = dockstrata("lint", "--show-source", "nothere\x1b[2J")
        assert "\x1b" not in done.stdout + done.stderr
        done = dockstrata("lint", "--show-source")
        assert "\\x1b[31mDockerfile" in done.stdout
        assert not set("\x1b\x07\x9b") & set(done.stdout + done.stderr)

    def test_names_that_are_no_utf8(self) -> None:
        Path(os.fsdecode(b"\xff.Dockerfile")).write_text(LATEST)
        done = dockstrata("lint")
        assert done.returncode == 1
        assert "DL3007" in done.stdout
        data = json.loads(dockstrata("lint", "--format", "json").stdout)
        assert data["findings"][0]["path"] == "\ufffd.Dockerfile"

    def test_baseline(self) -> None:
        write("Dockerfile", LATEST)
        done = dockstrata("lint", "--baseline", "known.json", "--write-baseline")
        assert (done.returncode, done.stdout) == (0, "")
        assert dockstrata("lint", "--baseline", "known.json").returncode == 0
        write("Dockerfile", "# moved\n" + LATEST + "FROM ubuntu:latest\n")
        done = dockstrata("lint", "--baseline", "known.json", "--select", "DL3007")
        assert done.returncode == 1
        assert [line.split(" ")[0] for line in done.stdout.splitlines()] == ["Dockerfile:4:1:"]
        write("Dockerfile", GOOD)
        done = dockstrata("lint", "--baseline", "known.json")
        assert done.returncode == 0
        assert "known.json: 1 entries are no longer found" in done.stderr

    def test_full_disk(self) -> None:
        write("Dockerfile", LATEST)
        if not os.path.exists("/dev/full"):
            pytest.skip("no /dev/full")
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "dockstrata", "lint"],
                stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 2
        assert "error: no space left on device" in done.stderr
        assert "Traceback" not in done.stderr


class TestEndings:
    def test_a_closed_pipe_is_quiet(self) -> None:
        write("Dockerfile", "FROM a:latest\n" + "MAINTAINER x\n" * 5000)
        process = subprocess.Popen(
            [sys.executable, "-m", "dockstrata", "lint"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        error = process.stderr.read()
        process.stderr.close()
        assert process.wait(60) == 1
        assert error == ""

    def test_an_interrupt_is_quiet(self) -> None:
        for number in range(300):
            write(f"{number}/Dockerfile", LATEST + "RUN apt-get install -y x && cd /tmp\n" * 60)
        process = subprocess.Popen(
            [sys.executable, "-m", "dockstrata", "lint", "--jobs", "2"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        time.sleep(0.6)
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=60)
        assert "Traceback" not in error
        assert process.returncode in (130, 1)  # 1: it was quicker than the interrupt


class TestOtherCommands:
    def test_rule(self) -> None:
        done = dockstrata("rule", "maintainerdeprecated")
        assert done.returncode == 0
        assert "DL4000" in done.stdout
        assert "    MAINTAINER Jane Doe" in done.stdout
        listing = dockstrata("rule").stdout
        assert "DS001" in listing
        assert "DL3007" in listing

    def test_rule_as_json(self) -> None:
        page = json.loads(dockstrata("rule", "DL4000", "--format", "json").stdout)
        assert page["code"] == "DL4000"
        assert page["fix"] == "always"
        rules = json.loads(dockstrata("rule", "--format", "json").stdout)
        assert page in rules

    def test_unknown_rule(self) -> None:
        done = dockstrata("rule", "latest-tagg")
        assert done.returncode == 2
        assert done.stderr == "error: unknown rule 'latest-tagg'; did you mean latest-tag?\n"

    def test_unknown_command(self) -> None:
        done = dockstrata("lnit")
        assert done.returncode == 2
        assert "No such command 'lnit'; did you mean lint?" in done.stderr

    def test_help_and_version(self) -> None:
        done = dockstrata("--help")
        assert done.returncode == 0
        for name in ("lint", "tree", "plan", "apply", "rule", "parse", "init"):
            assert f"\n  {name} " in done.stdout
        assert dockstrata("--version").stdout.startswith("dockstrata")

    def test_init(self) -> None:
        assert dockstrata("init").returncode == 0
        write("Dockerfile", LATEST)
        assert dockstrata("lint").returncode == 1
        done = dockstrata("init")
        assert done.returncode == 2
        assert "dockstrata.toml: exists already" in done.stderr
        write(".hadolint.yaml", "ignored: [DL3007]\n")
        assert dockstrata("init", "--force", "--from-hadolint").returncode == 0
        Path(".hadolint.yaml").unlink()
        assert dockstrata("lint").returncode == 0

    def test_init_without_hadolint(self) -> None:
        done = dockstrata("init", "--from-hadolint")
        assert done.returncode == 2
        assert "no .hadolint.yaml in this directory" in done.stderr


def test_what_a_short_run_does_not_import() -> None:
    write("Dockerfile", "FROM debian:latest\n")
    code = (
        "import sys\n"
        "from dockstrata.cli.main import main\n"
        "main(['lint', 'Dockerfile'])\n"
        "print(*sys.modules, sep='\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {
        "importlib.metadata", "pathspec", "hcl2", "ruamel.yaml", "rapidfuzz", "rich", "libcst",
        "multiprocessing", "concurrent.futures.process", "difflib", "tomllib", "dockstrata.fixer",
        "dockstrata.cli.rule", "dockstrata.cli.tree",
    }  # fmt: skip
    assert heavy & set(done.stdout.splitlines()) == set()
