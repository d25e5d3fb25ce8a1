"""What the kernel saw of each RUN of a built image: for roots whose programs are ``SCRIPT``."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import tarfile
from dataclasses import dataclass

from build_apart import run

# A line's number of its own makes each layer differ that was not found in the cache.
SCRIPT = r"""#!/rec/busybox sh
B=/rec/busybox
{
  echo "== $($B cat /proc/sys/kernel/random/uuid) $($B id -u) $($B id -g)"
  $B sed -n 's/^CapBnd:[[:space:]]*//p' /proc/$$/status
  $B ls /sys/class/net | $B tr '\n' ' '; echo
  for file in cmdline environ mountinfo; do $B base64 -w0 </proc/$$/$file; echo; done
  $B readlink /proc/$$/cwd | $B base64 -w0; echo
  for file in /dev/pipes/*; do
    [ -f "$file" ] && { echo "$file"; $B base64 -w0 <"$file"; echo; }
  done
} >>/rec/log
exit 0
"""
_USUAL = re.compile(r"/(?:proc|dev|sys)(?:/|$)|/$|/etc/(?:resolv\.conf|hosts|hostname)$")
_SYS_ADMIN = 1 << 21  # linux/capability.h; no container has it that is not privileged
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Ran:
    """One RUN as its process saw it.

    ``argv`` begins with the file that was run, ``env`` has the order in which it was given,
    ``scripts`` are the files of heredocs by path, ``mounts`` the mount points that not every
    container has.
    """

    argv: tuple[str, ...]
    uid: int
    gid: int
    workdir: str
    env: tuple[tuple[str, str], ...]
    network: str
    """As RUN's flag has it: the host's own network is where docker's bridge is."""
    security: str
    mounts: frozenset[str]
    scripts: tuple[tuple[str, str], ...]


def runs_of(image: str) -> list[Ran]:
    """The records in an image, the first RUN first; none where it has no log."""
    container = run("docker", "create", image, "x").stdout.strip()
    done = subprocess.run(
        ["docker", "cp", f"{container}:/rec/log", "-"], capture_output=True, check=False
    )
    run("docker", "rm", "--volumes", container)
    if done.returncode != 0:
        return []
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        file = archive.extractfile(archive.next() or "")
        log = file.read().decode() if file else ""
    return [_ran(part.split("\n")) for part in log.split("== ")[1:]]


def _ran(lines: list[str]) -> Ran:
    head, capabilities, networks, cmdline, environ, mountinfo, workdir, *pipes = lines
    _, uid, gid = head.split()
    words = _decoded(cmdline).split("\0")[:-1]
    pairs = (item.partition("=") for item in _decoded(environ).split("\0")[:-1])
    places = (
        _OCTAL.sub(lambda found: chr(int(found[1], 8)), line.split(" ")[4])
        for line in _decoded(mountinfo).splitlines()
    )
    return Ran(
        tuple(words[2:]),  # busybox and "sh" come first
        int(uid),
        int(gid),
        _decoded(workdir)[:-1],
        # The agent of a mount of type ssh is that mount's doing, no setting of the image.
        tuple((name, value) for name, _, value in pairs if name != "SSH_AUTH_SOCK"),
        _network(set(networks.split())),
        "insecure" if int(capabilities, 16) & _SYS_ADMIN else "sandbox",
        frozenset(place for place in places if not _USUAL.match(place)),
        tuple((path, _decoded(text)) for path, text in zip(pipes[::2], pipes[1::2], strict=False)),
    )


def _network(interfaces: set[str]) -> str:
    if interfaces == {"lo"}:
        return "none"
    return "host" if "docker0" in interfaces else "default"


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode("utf-8", "surrogateescape")
