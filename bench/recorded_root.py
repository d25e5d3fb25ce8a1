"""Root images that record: for building real Dockerfiles without the network.

Every shell and program in such an image is one script, which appends to ``/rec/log`` what it was
asked and what it sees, and succeeds. Users, files and programs that Dockerfiles expect of a root
are put there: those that their text names, and more as a build misses them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from build_apart import run
from build_failures import copies_from
from recorded_sources import matched_name

SCRIPT = r"""#!/rec/busybox sh
B=/rec/busybox
{
  echo "== $0"
  for argument; do printf '[%s]\n' "$argument"; done
  $B id -u; $B id -g; $B pwd; $B env | $B sort; $B sha256sum </dev/stdin
  [ "$($B ls /sys/class/net | $B tr '\n' ' ')" = "lo " ] && echo "no network"
  $B find / \( -path /proc -o -path /sys -o -path /dev -o -path /rec -o -path /etc/resolv.conf \
    -o -path /etc/hosts \) -prune -o -exec $B stat -c '/%n %F %a %u %g' {} + | $B sort
} >>/rec/log
exit 0
"""
_USER = re.compile(r"(?im)^\s*USER\s+(\S+)|--chown=(\S+)")
_NO_USER = re.compile(r"(?:unable to|can't) find (?:[ug]id for )?(?:user|group) ([^\s:]+)")
_FOLDER = re.compile(r"cannot replace to directory \S+?/merged(/\S+) with file")
_TAKEN = re.compile(r"(?im)^\s*COPY\s+(?:--\S+\s+)*--from=\S+\s+(?:--\S+\s+)*(.+)$")


class RecordedRoot:
    """The contents that all stand-ins have, and the names that were given to them."""

    def __init__(self, folder: Path, texts: Iterable[str], script: str = SCRIPT):
        """``folder`` is made, and holds the tree of files; ``texts`` are the Dockerfiles',
        ``script`` is what every program is."""
        self.folder = folder
        self.names: list[str] = []
        self.users: set[str] = {"root"}
        self.marks = 0
        (folder / "rec").mkdir(parents=True)
        (folder / "bin").mkdir()
        (folder / "etc").mkdir()
        for name in ("passwd", "group"):  # there before what some COPY takes of a stage
            (folder / "etc" / name).touch()
        busybox = shutil.which("busybox")
        if busybox is None:
            raise SystemExit("a static busybox is needed (Debian: busybox-static)")
        shutil.copy(busybox, folder / "rec/busybox")
        for name, mode in (("rec/record", 0o755), ("rec/log", 0o666)):
            (folder / name).write_text(script if mode == 0o755 else "")
            (folder / name).chmod(mode)
        for name in ("sh", "bash", "ash", "dash"):
            self.program(name)
        for text in texts:
            for found in _USER.finditer(text):
                self.users.update(re.split(r"[:\s]", found[1] or found[2]))
            for found in _TAKEN.finditer(text):
                for word in found[1].split()[:-1]:
                    if "$" not in word and word[0] not in "[\"'":
                        self.file(word)

    def program(self, name: str) -> bool:
        """A program that records; whether there was none."""
        path = self.folder / (name if name.startswith("/") else f"bin/{name}").lstrip("/")
        if path.is_symlink() or path.exists() or ".." in name:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to("/rec/record")
        return True

    def file(self, path: str) -> bool:
        """A folder with a file of its name, below the root; whether there was none."""
        clean = matched_name(path)
        place = self.folder / clean
        if not clean or ".." in clean.split("/") or place.exists() or place.is_symlink():
            return False
        try:
            place.mkdir(parents=True)
            (place / "made-up").write_text(clean + "\n")
        except OSError:  # below a program or a link
            return False
        return True

    def no_folder(self, path: str) -> bool:
        """A file where a folder was made up; whether there was such a folder."""
        made_up = self.folder / path.lstrip("/") / "made-up"
        if not made_up.is_file():
            return False
        content = made_up.read_text()
        shutil.rmtree(made_up.parent)
        made_up.parent.write_text(content)
        return True

    def lacks(self, why: str) -> bool:
        """Add what a failed build says it did not find; whether it was something of the root."""
        added = False
        for found in _NO_USER.finditer(why):
            added |= found[1] not in self.users
            self.users.add(found[1])
        for pattern in (r'exec: "([^"]+)": executable file not found', r'exec: "([^"]+)": stat'):
            for found in re.finditer(pattern, why):
                added |= self.program(found[1])
        if copies_from(why):
            for found in re.finditer(r'"(/[^"]*)": not found', why):
                added |= self.file(found[1])
            for found in re.finditer(r"lstat (/\S+): no such file", why):
                added |= self.file(found[1])
        for found in _FOLDER.finditer(why):
            added |= self.no_folder(found[1])
        if added:
            self.renew()
        return added

    def name(self, image: str) -> bool:
        """Give a stand-in this name; False where it has it already, or cannot have it."""
        if image in self.names or "@" in image:
            return False
        self.names.append(image)
        self._import(image)
        return True

    def renew(self) -> None:
        """Make all stand-ins again, after something was added."""
        for image in self.names:
            self._import(image)

    def _import(self, image: str) -> None:
        self.marks += 1
        # Each root has a file that says which one it is: a wrong one must show.
        (self.folder / "rec/root").write_text(image + "\n")
        names = sorted(
            name for name in self.users if name and not name.isdigit() and "$" not in name
        )
        rows = list(enumerate(names, 2000))
        (self.folder / "etc/passwd").write_text(
            "root:x:0:0::/:/bin/sh\n"
            + "".join(f"{n}:x:{i}:{i}::/:/bin/sh\n" for i, n in rows if n != "root")
        )
        (self.folder / "etc/group").write_text(
            "root:x:0:\n" + "".join(f"{n}:x:{i}:\n" for i, n in rows if n != "root")
        )
        archive = self.folder.with_suffix(".tar")
        run("tar", "--sort=name", "--mtime=@0", "-C", self.folder, "-cf", archive, ".")
        path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        run("docker", "import", "--change", path, archive, image)
