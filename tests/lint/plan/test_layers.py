"""Reading images that are measured: folders, archives, what commands print, registries."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import lzma
import os
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dockstrata.cli.main import main
from dockstrata.errors import DockstrataError
from dockstrata.plan import registry
from dockstrata.plan.layers import Layer, read_images

HISTORY = [
    {"created_by": "RUN root"},
    {"created_by": "ENV A=1", "empty_layer": True},
    {"created_by": "RUN app"},
]
LAYERS = [Layer("RUN root", 30.0), Layer("ENV A=1", 0.0, empty=True), Layer("RUN app", 12.0)]


def layers(source: str) -> list[list[Layer]]:
    """The layers of the images that a source tells of."""
    return [list(image.layers) for image in read_images(source)]


class Blobs(dict[str, bytes]):
    """Blobs by digest."""

    def add(self, value: object) -> str:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self[digest] = data
        return digest

    def image(self, history: object = HISTORY, sizes: tuple[object, ...] = (30, 12)) -> str:
        """The digest of a manifest with layers of these sizes; the layers are not there."""
        config = self.add({"architecture": "amd64", "history": history})
        layers = [{"digest": "sha256:" + "0" * 64, "size": size} for size in sizes]
        return self.add({"config": {"digest": config}, "layers": layers})

    def files(self, *manifests: dict[str, Any]) -> dict[str, bytes]:
        """An OCI layout by path."""
        index = {"schemaVersion": 2, "manifests": manifests}
        paths = {f"blobs/{digest.replace(':', '/')}": data for digest, data in self.items()}
        return {"oci-layout": b"{}", "index.json": json.dumps(index).encode(), **paths}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(folder: str, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def tar(path: str, files: dict[str, bytes], links: dict[str, str] | None = None) -> None:
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)


def test_an_oci_layout(here: Path) -> None:
    blobs = Blobs()
    files = blobs.files({"digest": blobs.image()}, {"digest": blobs.image(sizes=(1, 2.5))})
    put("layout", files)
    tar("layout.tar", files)
    Path("layout.tar.gz").write_bytes(gzip.compress(Path("layout.tar").read_bytes()))
    images = [LAYERS, [Layer("RUN root", 1.0), LAYERS[1], Layer("RUN app", 2.5)]]
    for source in ("layout", "layout.tar", "layout.tar.gz", "oci:layout", "oci-archive:layout.tar"):
        assert layers(source) == images
        assert {image.source for image in read_images(source)} == {source}


def test_a_name_takes_one_image(here: Path) -> None:
    """As to every other program; a name that is not there is no reason to take all."""
    ref, name = "org.opencontainers.image.ref.name", "io.containerd.image.name"
    blobs = Blobs()
    twice = {"digest": blobs.image(HISTORY[:1], (7,))}
    manifests = [
        {**twice, "annotations": {ref: "i0"}},
        {**twice, "annotations": {ref: "again"}},
        {"digest": blobs.image(), "annotations": {ref: "1", name: "docker.io/team/app:1"}},
    ]
    put("layout", blobs.files(*manifests))
    tar("layout.tar", blobs.files(*manifests))
    small = [[Layer("RUN root", 7.0)]]
    for path in ("layout", "layout.tar", "oci:layout", "oci-archive:layout.tar"):
        assert layers(path) == [*small, LAYERS]
        assert layers(f"{path}:i0") == layers(f"{path}:again") == small
        for wanted in ("1", "team/app:1", "docker.io/team/app:1"):
            assert layers(f"{path}:{wanted}") == [LAYERS]
        message = "has no image 'i1', only 1, again, docker.io/team/app:1, i0"
        with pytest.raises(DockstrataError) as caught:
            read_images(f"{path}:i1")
        assert caught.value.message == message
        assert caught.value.path == f"{path}:i1"
    assert [image.names for image in read_images("layout")] == [
        ("i0", "again"),
        ("1", "docker.io/team/app:1"),
    ]
    put("nameless", blobs.files(twice))
    with pytest.raises(DockstrataError, match="has no image 'x', none there has a name"):
        read_images("nameless:x")
    Path("history").write_text('{"CreatedBy": "RUN a", "Size": "1MB"}')
    with pytest.raises(DockstrataError, match="has no image 'x': it is neither"):
        read_images("history:x")


def test_an_index_gives_this_machines_image(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    blobs = Blobs()
    platforms = {"unknown/unknown": 1, "linux/amd64": 2, "linux/arm64": 3}
    manifests = []
    for name, size in platforms.items():
        system, architecture = name.split("/")
        manifests.append({"digest": blobs.image(HISTORY[:1], (size,)),
                          "platform": {"os": system, "architecture": architecture}})  # fmt: skip
    put("all", blobs.files({"digest": blobs.add({"manifests": manifests})}))
    put("others", blobs.files({"digest": blobs.add({"manifests": manifests[:2]})}))
    assert layers("all") == [[Layer("RUN root", 3.0)]]
    assert layers("others") == [[Layer("RUN root", 2.0)]]


def test_an_archive_of_docker_save(here: Path) -> None:
    image = {"Config": "c.json", "Layers": ["a/layer.tar", "b/layer.tar"]}
    manifest = [{**image, "RepoTags": ["a:1"]}]
    files = {"c.json": json.dumps({"history": HISTORY}).encode(), "a/layer.tar": b"x" * 30,
             "manifest.json": json.dumps(manifest).encode()}  # fmt: skip
    tar("twice.tar", files, {"b/layer.tar": "../a/layer.tar"})
    tar("saved.tar", {**files, "b/layer.tar": b"x" * 12})
    assert layers("saved.tar") == [LAYERS]
    assert layers("docker-archive:saved.tar:a:1") == [LAYERS]
    assert layers("saved.tar:docker.io/library/a:1") == [LAYERS]
    with pytest.raises(DockstrataError, match="has no image 'a:2', only a:1"):
        read_images("docker-archive:saved.tar:a:2")
    assert [image.names for image in read_images("saved.tar")] == [("a:1",)]
    assert [layer.size for layer in layers("twice.tar")[0]] == [30, 0, 30]


@pytest.mark.parametrize(
    ("size", "parsed"),
    [("120MB", 120e6), ("1.5kB", 1500), ("0B", 0), ("2078404", 2078404), ("1.5GiB", 1.5 * 2**30),
     ("4kiB", 4096)],
)  # fmt: skip
def test_docker_history(here: Path, size: str, parsed: float) -> None:
    lines = [{"CreatedBy": "RUN app", "Size": size}, {"CreatedBy": "RUN root", "Size": "1B"}]
    told = [[Layer("RUN root", 1.0), Layer("RUN app", parsed)]]
    Path("lines").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    Path("list").write_text(json.dumps(lines, indent=2))
    assert layers("lines") == told
    assert layers("list") == told
    Path("one").write_text(json.dumps(lines[0]))
    assert layers("one") == [told[0][1:]]


def test_podman_history_and_buildah_inspect(here: Path) -> None:
    lines = [{"size": 12, "CreatedBy": "RUN app", "tags": ["localhost/app:1"]},
             {"size": 30, "CreatedBy": "RUN root", "tags": ["localhost/root:1"]}]  # fmt: skip
    Path("podman").write_text(json.dumps(lines))
    assert layers("podman") == [[LAYERS[0], LAYERS[2]]]
    assert read_images("podman")[0].names == ("localhost/app:1",)
    manifest = {"layers": [{"size": 30}, {"size": 12}]}
    told = {"Manifest": json.dumps(manifest), "Config": json.dumps({"history": HISTORY}),
            "FromImage": "localhost/app:1"}  # fmt: skip
    Path("buildah").write_text(json.dumps(told, indent=4))
    assert layers("buildah") == [LAYERS]
    assert read_images("buildah")[0].names == ("localhost/app:1",)


def broken() -> Iterator[tuple[str, dict[str, bytes], str]]:
    """Layouts that are none: a name, the files, what is said of it."""
    blobs = Blobs()
    image = blobs.image()
    files = blobs.files({"digest": image})
    key = f"blobs/{image.replace(':', '/')}"
    yield "nothing", {"x": b""}, "without index.json"
    yield "empty", {**files, "index.json": b"{}"}, "has no image"
    yield "json", {**files, "index.json": b"{"}, "index.json is not JSON"
    yield "list", {**files, "index.json": b"[]"}, "index.json is no JSON object"
    yield "lacks", {k: v for k, v in files.items() if k != key}, "lacks the blob sha256:"
    yield "changed", {**files, key: files[key] + b" "}, "has other bytes than sha256:"
    yield "large", {**files, key: b"x" * (5 << 20)}, "more than 4 MiB"
    for digest in ("sha256:../../../../etc/passwd", "sha256:" + "0" * 63, "md5:" + "0" * 64, 7):
        yield "digest", Blobs().files({"digest": digest}), "which is no digest"
    for name, history, sizes, message in (
        ("none", [], (), "has no history"),
        ("odd", HISTORY, (1,), "has 1 layers, and a history of 2"),
        ("unsized", HISTORY, (1, None), "has a layer without a size"),
        ("negative", HISTORY, (1, -1), "has a layer without a size"),
        ("words", "history", (1,), "has no history"),
    ):
        blobs = Blobs()
        yield name, blobs.files({"digest": blobs.image(history, sizes)}), message
    blobs = Blobs()
    digest = blobs.image()
    for _ in range(5):
        digest = blobs.add({"manifests": [{"digest": digest}]})
    yield "deep", blobs.files({"digest": digest}), "has an index without an image"
    blobs = Blobs()
    yield "old", blobs.files({"digest": blobs.add({"fsLayers": []})}), "tells no sizes of layers"
    nested = b"[" * 200_000
    yield "nested", {**files, "index.json": nested}, ""


@pytest.mark.parametrize(
    ("name", "files", "message"), list(broken()), ids=lambda it: it if isinstance(it, str) else ""
)
def test_broken_layouts_are_told(
    here: Path, name: str, files: dict[str, bytes], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put("layout", files)
    tar("layout.tar", files)
    Path("Dockerfile").write_text("FROM debian:12\nRUN app\n")
    for source in ("layout", "layout.tar"):
        if (name, source) == ("nothing", "layout.tar"):
            message = "is neither an OCI layout nor an archive of docker save"
        with pytest.raises(DockstrataError) as caught:
            read_images(source)
        assert message in caught.value.message
        assert main(["plan", "--measured", source]) == 2
        assert capsys.readouterr().err.startswith(f"error: {source}: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "is no image: line 1 is not JSON"),
        ('{"a": 1}', "is no output of docker history"),
        ("[1]", "is no output of docker history"),
        ("[]", "is empty"),
        ("", "is empty"),
        ('[{"Id": "x", "RootFS": {}}]', "docker inspect, which has no sizes"),
        ('{"CreatedBy": "RUN apt-get…", "Size": "1MB"}', "add --no-trunc"),
        ('{"CreatedBy": "RUN a", "Size": "1.1.1MB"}', "is no output of docker history"),
        ('{"CreatedBy": "RUN a", "Size": "large"}', "is no output of docker history"),
    ],
)
def test_other_files_are_told(here: Path, text: str, message: str) -> None:
    Path("sizes").write_text(text)
    with pytest.raises(DockstrataError, match="sizes") as caught:
        read_images("sizes")
    assert message in caught.value.message


def test_what_is_no_file(here: Path) -> None:
    with pytest.raises(DockstrataError, match="no such file"):
        read_images("nowhere")
    Path("binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DockstrataError, match="neither JSON nor an image"):
        read_images("binary")
    tar("cut.tar", {"manifest.json": b"x" * 5000})
    data = Path("cut.tar").read_bytes()
    Path("cut.tar").write_bytes(data[:3000])
    with pytest.raises(DockstrataError, match=r"cut\.tar"):
        read_images("cut.tar")
    tar("noise.tar", {"noise": os.urandom(20_000), "manifest.json": b"[]"})
    for name, pack in {"broken.gz": gzip.compress, "broken.xz": lzma.compress}.items():
        packed = pack(Path("noise.tar").read_bytes())
        Path(name).write_bytes(packed[: len(packed) // 2])
        with pytest.raises(DockstrataError, match=rf"{name}: is a broken archive"):
            read_images(name)
    if hasattr(os, "mkfifo"):
        os.mkfifo("pipe")
        with pytest.raises(DockstrataError, match="neither a file nor a folder"):
            read_images("pipe")


class Registry(BaseHTTPRequestHandler):
    """Answers as its server's ``answers`` say, after what ``auth`` demands."""

    server: Server

    def do_GET(self) -> None:
        given = self.headers.get("Authorization")
        self.server.seen.append((self.path, given))
        path, _, query = self.path.partition("?")
        if path == "/elsewhere":
            self._say(200, self.server.answers[path])
        elif path == "/token":
            user = base64.b64encode(b"me:secret").decode()
            able = self.server.auth != "private" or given == f"Basic {user}"
            self._say(200 if able else 401, {"token": f"for {query}".replace(" ", "+")})
        elif self.server.auth == "basic" and given is None:
            self._say(401, {}, ("WWW-Authenticate", 'Basic realm="here"'))
        elif self.server.auth in ("token", "private") and not (given or "").startswith("Bearer "):
            realm = f'realm="http://{self.server.name}/token",service="me"'
            self._say(401, {}, ("WWW-Authenticate", f"Bearer {realm}"))
        elif isinstance(found := self.server.answers.get(path), str):
            self._say(307, {}, ("Location", found))
        elif found is None:
            self._say(404, {})
        elif callable(found):
            found(self)
        else:
            self._say(200, found)

    def _say(self, code: int, body: object, *headers: tuple[str, str]) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        for name, value in (*headers, ("Content-Length", str(len(data)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said on stderr."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    auth = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Registry)
        self.answers: dict[str, Any] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.name = f"127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A registry with one image, ``team/app:1``; nobody is logged in."""
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    server = Server()
    blobs = Blobs()
    digest = blobs.image()
    config = next(iter(blobs))
    server.answers["/v2/team/app/manifests/1"] = blobs[digest]
    server.answers[f"/v2/team/app/manifests/{digest}"] = blobs[digest]
    server.answers[f"/v2/team/app/blobs/{config}"] = f"http://{server.name}/elsewhere"
    server.answers["/elsewhere"] = blobs[config]
    server.answers["digest"] = digest
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def log_in(folder: Path, server: Server) -> None:
    auth = base64.b64encode(b"me:secret").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {server.name: {"auth": auth}}}))


def test_a_registry(server: Server) -> None:
    assert layers(f"docker://{server.name}/team/app:1") == [LAYERS]
    (image,) = read_images(f"docker://{server.name}/team/app:1")
    assert image.names == (f"{server.name}/team/app:1",)
    assert layers(f"docker://{server.name}/team/app@{server.answers['digest']}") == [LAYERS]
    assert {given for _, given in server.seen} == {None}


@pytest.mark.parametrize("auth", ["basic", "token", "private"])
def test_a_registry_that_wants_a_login(server: Server, tmp_path: Path, auth: str) -> None:
    server.auth = auth
    source = f"docker://{server.name}/team/app:1"
    if auth != "token":  # tokens are given to anybody there
        with pytest.raises(
            DockstrataError, match=f"refuses; log in with `docker login {server.name}"
        ):
            read_images(source)
        log_in(tmp_path, server)
    server.seen.clear()
    assert layers(source) == [LAYERS]
    if auth != "basic":
        (asked,) = (path for path, _ in server.seen if path.startswith("/token"))
        assert "scope=repository%3Ateam%2Fapp%3Apull" in asked
        assert "service=me" in asked
    redirected = [given for path, given in server.seen if path == "/elsewhere"]
    assert redirected == [None]  # whoever has the blobs is not the registry


def test_what_a_registry_may_do_wrong(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/v2/team/app/manifests/1"
    cases: list[tuple[object, str]] = [
        (None, "has no such image"),
        (b"<html>", "is not JSON"),
        (b"x" * (5 << 20), "more than 4 MiB"),
        ({"schemaVersion": 1, "fsLayers": []}, "tells no sizes"),
        (f"http://{server.name}{path}", "answers 307"),
        ("file:///etc/passwd", "answers 307"),
        (lambda request: request._say(500, {}), "answers 500"),
        (
            lambda request: request.wfile.write(b"nonsense\r\n\r\n"),
            "gives no answer that makes sense",
        ),
        (lambda request: None, "gives no answer that makes sense"),
    ]
    for answer, message in cases:
        server.answers[path] = answer
        with pytest.raises(DockstrataError) as caught:
            read_images(f"docker://{server.name}/team/app:1")
        assert message in str(caught.value), answer
        assert caught.value.path == f"docker://{server.name}/team/app:1"
    monkeypatch.setattr(registry, "_PATIENCE", 0.2)
    server.answers[path] = lambda request: time.sleep(1)
    with pytest.raises(DockstrataError, match="does not answer within"):
        read_images(f"docker://{server.name}/team/app:1")


def test_no_registry_there(server: Server) -> None:
    server.shutdown()
    server.server_close()
    with pytest.raises(DockstrataError, match="cannot be reached: Connection refused"):
        read_images(f"docker://{server.name}/team/app:1")
    with pytest.raises(DockstrataError, match="is no image reference"):
        read_images("docker://UPPER CASE")
