"""``dockstrata server`` as an editor talks to it: JSON-RPC on standard input and output."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

TEXT = "FROM debian:latest\nMAINTAINER me\n# dockstrata ignore=DL3008 as it is\nRUN cd /tmp\n"


class Editor:
    """A client that keeps what the server says."""

    def __init__(self, folder: Path, encodings: list[str] | None = None) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dockstrata", "server"],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.messages: queue.Queue[Json] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.number = 0
        general = {"positionEncodings": encodings} if encodings else {}
        self.capabilities = self.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": folder.as_uri(),
                "workspaceFolders": [{"uri": folder.as_uri(), "name": "all"}],
                "capabilities": {"general": general},
            },
        )["capabilities"]
        self.say("initialized", {})

    def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        while header := out.readline():
            length = int(header.split(b":")[1]) if header.lower().startswith(b"content-l") else 0
            while (line := out.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            self.messages.put(json.loads(out.read(length)))

    def _send(self, message: Json) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self.process.stdin.flush()

    def say(self, method: str, params: Json) -> None:
        self._send({"method": method, "params": params})

    def ask(self, method: str, params: Json | None) -> Any:
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        message = self.wait(lambda it: it.get("id") == self.number and "method" not in it)
        assert "error" not in message, message
        return message["result"]

    def wait(self, wanted: Any) -> Json:
        while True:
            message = self.messages.get(timeout=20)
            if wanted(message):
                return message

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str) -> list[Json]:
        document = {"uri": self.uri(name), "languageId": "dockerfile", "version": 1, "text": text}
        self.say("textDocument/didOpen", {"textDocument": document})
        return self.diagnostics(name)

    def change(self, name: str, version: int, text: str) -> None:
        document = {"uri": self.uri(name), "version": version}
        self.say(
            "textDocument/didChange",
            {"textDocument": document, "contentChanges": [{"text": text}]},
        )

    def diagnostics(self, name: str, version: int | None = None) -> list[Json]:
        def wanted(message: Json) -> bool:
            params = message.get("params", {})
            return (
                message.get("method") == "textDocument/publishDiagnostics"
                and params["uri"] == self.uri(name)
                and version in (None, params.get("version"))
            )

        found = self.wait(wanted)["params"]["diagnostics"]
        assert isinstance(found, list)
        return found

    def actions(self, name: str, line: int, only: list[str] | None = None) -> list[Json]:
        place = {"line": line, "character": 0}
        context: Json = {"diagnostics": [], **({"only": only} if only else {})}
        found = self.ask(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": self.uri(name)},
                "range": {"start": place, "end": place},
                "context": context,
            },
        )
        assert isinstance(found, list)
        return found

    def hover(self, name: str, line: int, character: int) -> str:
        place = {"line": line, "character": character}
        params = {"textDocument": {"uri": self.uri(name)}, "position": place}
        found = self.ask("textDocument/hover", params)
        return "" if found is None else str(found["contents"]["value"])

    def close(self) -> tuple[int, str]:
        self.ask("shutdown", None)
        self._send({"method": "exit"})
        assert self.process.stderr is not None
        said = self.process.stderr.read().decode()
        return self.process.wait(timeout=30), said


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Editor]:
    pytest.importorskip("pygls", reason="pygls is not installed")
    (tmp_path / "dockstrata.toml").write_text('[lint]\nselect = ["DL", "DS003"]\n')
    client = Editor(tmp_path)
    yield client
    client.process.kill()


def codes(found: list[Json]) -> list[tuple[str, int]]:
    return [(item["code"], item["range"]["start"]["line"]) for item in found]


def applied(text: str, action: Json, uri: str) -> str:
    (edit,) = action["edit"]["changes"][uri]
    lines = text.splitlines(keepends=True)

    def offset(place: Json) -> int:
        start = sum(map(len, lines[: place["line"]]))
        return start + int(place["character"])

    start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
    return text[:start] + str(edit["newText"]) + text[end:]


def test_diagnostics_are_lints_on_the_text_that_is_not_saved(editor: Editor) -> None:
    found = editor.open("Dockerfile", TEXT)
    done = subprocess.run(
        [sys.executable, "-m", "dockstrata", "lint", "-", "--stdin-filename", "Dockerfile",
         "--format", "json"],
        input=TEXT, cwd=editor.folder, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    expected = json.loads(done.stdout)["findings"]
    assert len(found) >= 3
    assert codes(found) == [(it["code"], it["line"] - 1) for it in expected]
    assert [it["message"] for it in found] == [it["message"] for it in expected]
    by_code = {it["code"]: it for it in found}
    assert by_code["DL3007"]["severity"] == 2
    assert by_code["DL4000"]["severity"] == 1
    assert by_code["DL3007"]["source"] == "dockstrata"


def test_changes_are_checked_and_only_the_last_of_many(editor: Editor) -> None:
    editor.open("Dockerfile", TEXT)
    for version in range(2, 8):
        editor.change("Dockerfile", version, "FROM debian:12\n" + "MAINTAINER me\n" * version)
    found = editor.diagnostics("Dockerfile")
    assert len(found) == 7


def test_saved_configuration_counts_at_once(editor: Editor) -> None:
    assert editor.open("Dockerfile", TEXT)
    (editor.folder / "dockstrata.toml").write_text('[lint]\nselect = ["DL3007"]\n')
    editor.say("textDocument/didSave", {"textDocument": {"uri": editor.uri("dockstrata.toml")}})
    assert codes(editor.diagnostics("Dockerfile")) == [("DL3007", 0)]


def test_closing_takes_the_diagnostics_away(editor: Editor) -> None:
    editor.open("Dockerfile", TEXT)
    document = {"textDocument": {"uri": editor.uri("Dockerfile")}}
    editor.say("textDocument/didClose", document)
    assert editor.diagnostics("Dockerfile") == []


def test_what_the_configuration_leaves_out_is_left_out(editor: Editor) -> None:
    (editor.folder / "dockstrata.toml").write_text('exclude = ["vendor/"]\n')
    assert editor.open("vendor/Dockerfile", TEXT) == []
    assert editor.open("Dockerfile", TEXT) != []


def test_quick_fixes_say_whether_they_are_safe(editor: Editor) -> None:
    text = "from debian:12 AS Build\nMAINTAINER me\n"
    (editor.folder / "dockstrata.toml").unlink()
    editor.open("Dockerfile", text)
    uri = editor.uri("Dockerfile")
    (unsafe,) = editor.actions("Dockerfile", 1, ["quickfix"])
    assert unsafe["title"] == "Fix DL4000 maintainer-deprecated (unsafe: may change the image)"
    assert unsafe["isPreferred"] is False
    assert unsafe["diagnostics"][0]["code"] == "DL4000"
    assert "LABEL org.opencontainers.image.authors" in applied(text, unsafe, uri)
    safe = editor.actions("Dockerfile", 0, ["quickfix"])
    assert safe
    assert all(action["isPreferred"] for action in safe)
    assert not any("unsafe" in action["title"] for action in safe)
    assert any("build" in applied(text, action, uri).splitlines()[0] for action in safe)


def test_all_safe_fixes_at_once_are_what_lint_fix_does(editor: Editor) -> None:
    text = "from debian:12 AS Build\r\nMAINTAINER me\r\nENV a b\r\n"
    (editor.folder / "dockstrata.toml").unlink()
    editor.open("Dockerfile", text)
    (action,) = editor.actions("Dockerfile", 0, ["source.fixAll"])
    assert action["kind"] == "source.fixAll.dockstrata"
    (editor.folder / "Dockerfile").write_bytes(text.encode())
    subprocess.run(
        [sys.executable, "-m", "dockstrata", "lint", "--fix", "--quiet", "Dockerfile"],
        cwd=editor.folder, capture_output=True,
    )  # fmt: skip
    fixed = (editor.folder / "Dockerfile").read_bytes().decode()
    assert fixed != text
    assert applied(text, action, editor.uri("Dockerfile")) == fixed


def test_fixes_are_those_of_the_text_as_it_is_now(editor: Editor) -> None:
    editor.open("Dockerfile", "FROM debian:12\n")
    text = "FROM debian:12\n\n\nMAINTAINER you\n"
    editor.change("Dockerfile", 2, text)
    (action,) = editor.actions("Dockerfile", 3, ["quickfix"])
    assert applied(text, action, editor.uri("Dockerfile")).endswith('authors="you"\n')


def test_hover_shows_the_rules_page(editor: Editor) -> None:
    editor.open("Dockerfile", TEXT)
    assert editor.hover("Dockerfile", 0, 6).startswith("# DL3007 latest-tag\n")
    at = TEXT.splitlines()[2].index("DL3008")
    assert editor.hover("Dockerfile", 2, at + 2).startswith("# DL3008 ")
    assert editor.hover("Dockerfile", 2, 0) == ""
    assert editor.hover("Dockerfile", 99, 0) == ""


@pytest.mark.parametrize(("encoding", "width"), [("utf-16", 2), ("utf-8", 4), ("utf-32", 1)])
def test_columns_are_in_the_editors_units(tmp_path: Path, encoding: str, width: int) -> None:
    pytest.importorskip("pygls", reason="pygls is not installed")
    client = Editor(tmp_path, [encoding])
    try:
        text = 'FROM debian:12\nENV a="😀" A=$undefined\n'
        found = {it["code"]: it for it in client.open("Dockerfile", text)}["UndefinedVar"]
        end = found["range"]["end"]["character"]
        assert end == len('ENV a="') + width + len('" A=$undefined')
    finally:
        client.process.kill()


def test_a_broken_configuration_is_told_once_and_ends_nothing(editor: Editor) -> None:
    (editor.folder / "dockstrata.toml").write_text("[lint\n")
    editor.say(
        "textDocument/didOpen",
        {"textDocument": {"uri": editor.uri("Dockerfile"), "languageId": "dockerfile",
                          "version": 1, "text": TEXT}},
    )  # fmt: skip
    shown = editor.wait(lambda it: it.get("method") == "window/showMessage")["params"]
    assert shown["type"] == 1
    assert "dockstrata.toml:1" in shown["message"]
    (editor.folder / "dockstrata.toml").write_text('[lint]\nselect = ["DL3007"]\n')
    editor.change("Dockerfile", 2, TEXT)
    assert codes(editor.diagnostics("Dockerfile", 2)) == [("DL3007", 0)]


def test_texts_that_do_not_parse_are_findings(editor: Editor) -> None:
    (editor.folder / "dockstrata.toml").unlink()
    for version, text in enumerate(
        ["", "FROM", "FOO\n", "RUN <<E\n", "FROM a\\\n", "\x00\u2028\r"]
    ):
        editor.open(f"{version}.Dockerfile", text)
    assert ("DS001", 0) in codes(editor.open("Dockerfile", "FOO\n"))


def test_it_ends_when_it_is_told(editor: Editor) -> None:
    editor.open("Dockerfile", TEXT)
    code, said = editor.close()
    assert (code, said) == (0, "")


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError('no', name='pygls')\n")
    (tmp_path / "lsprotocol.py").write_text("raise ModuleNotFoundError('no', name='lsprotocol')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "dockstrata", "server"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: the language server needs lsprotocol: pip install")
    assert "dockstrata[server]" in done.stderr
