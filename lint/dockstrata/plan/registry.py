"""Manifests and configurations of images in a registry.

Sources: OCI distribution specification; distribution's token authentication; the ``auths`` of
``~/.docker/config.json``. Nothing is contacted but what the user names, and what that names.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from dockstrata import __version__
from dockstrata.errors import DockstrataError
from dockstrata.plan.layers import LARGEST, Fetch
from dockstrata.syntax.reference import DEFAULT_REGISTRY, parse_reference

_PATIENCE = 20  # seconds without a byte
_HUB = "registry-1.docker.io"
_HUB_LOGIN = "https://index.docker.io/v1/"
_TYPES = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_LOOPBACK = re.compile(r"^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$")
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


def open_image(name: str) -> tuple[str, Fetch]:
    """The digest or tag of an image in a registry, and what fetches manifests and configurations.

    Raises :class:`DockstrataError`, as the function does that it gives.
    """
    reference = parse_reference(name)
    if not reference.valid:
        raise DockstrataError(
            "is no image reference like registry.example.com/team/app:1", f"docker://{name}"
        )
    full = parse_reference(reference.canonical)
    client = _Client(full.registry, full.repository, name)

    def fetch(kind: str, digest: str) -> bytes:
        return client.get(f"{kind}/{urllib.parse.quote(digest, safe=':')}")

    return full.digest or full.tag or "latest", fetch


class _Client:
    """Asks one registry about one repository, with the user's login where it wants one."""

    def __init__(self, registry: str, repository: str, name: str) -> None:
        self.name = name
        self.registry = registry
        self.repository = repository
        self.authorization: str | None = None
        host = _HUB if registry == DEFAULT_REGISTRY else registry
        # What is on this machine mostly speaks without TLS, as docker allows it to.
        self.plain = bool(_LOOPBACK.match(host))
        self.base = f"{'http' if self.plain else 'https'}://{host}/v2/{repository}/"
        self.opener = urllib.request.build_opener(_Redirects)

    def get(self, path: str) -> bytes:
        """The answer's body, at most one byte more than is allowed."""
        try:
            return self._get(self.base + path)
        except urllib.error.HTTPError as error:
            if error.code == 400 and self.base.startswith("http:"):  # it wants TLS
                self.base = "https:" + self.base.removeprefix("http:")
                return self.get(path)
            raise self._error(_refusal(error, self.registry)) from None
        except urllib.error.URLError as error:
            reason = getattr(error.reason, "strerror", None) or error.reason
            raise self._error(f"{self.registry} cannot be reached: {reason}") from None
        except TimeoutError:
            raise self._error(f"{self.registry} does not answer within {_PATIENCE} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._error(
                f"{self.registry} gives no answer that makes sense: {error}"
            ) from None

    def _get(self, url: str) -> bytes:
        try:
            return self._open(url, self.authorization)
        except urllib.error.HTTPError as error:
            if error.code != 401 or self.authorization is not None:
                raise
            self.authorization = self._authorize(error.headers.get("WWW-Authenticate", ""))
            if self.authorization is None:
                raise
            return self._open(url, self.authorization)

    def _open(self, url: str, authorization: str | None) -> bytes:
        headers = {"Accept": f"{_TYPES}, */*", "User-Agent": f"dockstrata/{__version__}"}
        request = urllib.request.Request(url, headers=headers)
        if authorization is not None:
            request.add_unredirected_header("Authorization", authorization)
        with self.opener.open(request, timeout=_PATIENCE) as answer:
            body: bytes = answer.read(LARGEST + 1)
            return body

    def _authorize(self, challenge: str) -> str | None:
        """What to answer to a challenge: the login itself, or a token for it."""
        scheme, _, rest = challenge.partition(" ")
        login = _login(self.registry)
        basic = None if login is None else f"Basic {login}"
        if scheme.lower() == "basic":
            return basic
        told = dict(_PARAMETER.findall(rest))
        realm = told.get("realm", "")
        if scheme.lower() != "bearer" or not realm.startswith(("https://", "http://")):
            return None
        if basic is not None and realm.startswith("http://") and not self.plain:
            raise ValueError("it wants the login to be sent without TLS")
        query = {"scope": told.get("scope") or f"repository:{self.repository}:pull"}
        if told.get("service"):
            query["service"] = told["service"]
        joint = "&" if "?" in realm else "?"
        answer = json.loads(self._open(realm + joint + urllib.parse.urlencode(query), basic))
        token = (
            answer.get("token") or answer.get("access_token") if isinstance(answer, dict) else None
        )
        if not isinstance(token, str) or not token.isprintable():
            raise ValueError("it gives no token")
        return f"Bearer {token}"

    def _error(self, message: str) -> DockstrataError:
        return DockstrataError(message, f"docker://{self.name}")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a registry to where its blobs are; never from TLS to none."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise urllib.error.URLError("it redirects to a place without TLS")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _refusal(error: urllib.error.HTTPError, registry: str) -> str:
    if error.code in (401, 403):
        return f"{registry} refuses; log in with `docker login {registry}`, or check the name"
    if error.code == 404:
        return f"{registry} has no such image"
    return f"{registry} answers {error.code} {error.reason}"


def _login(registry: str) -> str | None:
    """A user and a password in base64, as ``docker login`` and ``podman login`` keep them.

    Credential helpers are programs, and not run.
    """
    keys = [registry, f"https://{registry}"]
    if registry == DEFAULT_REGISTRY:
        keys += [_HUB_LOGIN, "index.docker.io"]
    for path in _login_files():
        try:
            with open(path, "rb") as file:
                auths = json.loads(file.read(LARGEST)).get("auths", {})
            for key in keys:
                text = auths.get(key, {}).get("auth")
                if text and b":" in base64.b64decode(text, validate=True):
                    return str(text)
        except (OSError, ValueError, AttributeError, TypeError):
            continue
    return None


def _login_files() -> list[str]:
    found = [os.environ.get("REGISTRY_AUTH_FILE", "")]
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        found.append(os.path.join(runtime, "containers", "auth.json"))
    folder = os.environ.get("DOCKER_CONFIG") or os.path.expanduser("~/.docker")
    return [path for path in (*found, os.path.join(folder, "config.json")) if path]
