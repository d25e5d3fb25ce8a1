"""What shared bases move: builds a set before and after, pushes, pulls, and changes each level.

    python bench/pull.py [--scale 40] [--json FILE]

Needs buildah, docker-registry and a static busybox, and root's rights. Everything lies in a folder
of its own below the temporary one; only 127.0.0.1 is contacted, by a registry started here.

The set is the story of the design: an operating system image of 200 MB, a runtime of 300 MB, a
middleware of 1.3 GB, applications of 100 MB, all divided by ``--scale``. Each application's
Dockerfile says everything below it again. Builders share no cache.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pull_stores import ROOT, Registry, Store, registry

MEGABYTE = 1_000_000
SIZES = {"os": 200, "runtime": 300, "server": 1000, "features": 300, "app": 100}
"""Real sizes in MB."""
RUNTIME = """\
# Runtime.
RUN --mount=type=bind,source=mirror,target=/mirror \\
    busybox mkdir -p /opt/jdk && busybox cp /mirror/runtime-1 /opt/jdk/
"""
MIDDLEWARE = """\
# Middleware.
RUN --mount=type=bind,source=mirror,target=/mirror \\
    busybox mkdir -p /opt/server && busybox cp /mirror/server-1 /opt/server/
RUN --mount=type=bind,source=mirror,target=/mirror \\
    busybox mkdir -p /opt/features && busybox cp /mirror/features-1 /opt/features/
"""
APPS = {
    "billing": RUNTIME + MIDDLEWARE,
    "claims": RUNTIME + MIDDLEWARE,
    "policies": RUNTIME + MIDDLEWARE,
    "statements": RUNTIME + MIDDLEWARE,
    "batch": RUNTIME,
    "agent": "",
}
LEVELS = {  # what changes: the text in Dockerfiles, before and after
    "app": None,
    "middleware": ("server-1", "server-2"),
    "runtime": ("runtime-1", "runtime-2"),
    "OS": None,
}


@dataclass
class Measured:
    """One way of building: pulls of app after app, and what a change of each level costs."""

    pulls: dict[str, tuple[int, int, float]] = field(default_factory=dict)  # bytes, layers, s
    changes: dict[str, dict[str, float]] = field(default_factory=dict)


def write_set(project: Path, scale: int) -> None:
    """Six applications, Dockerfiles that repeat each other, and what they install."""
    mirror = project / "mirror"
    mirror.mkdir(parents=True)
    for name, size in SIZES.items():
        for version in (1, 2):
            if name not in ("os", "app"):
                (mirror / f"{name}-{version}").write_bytes(os.urandom(size * MEGABYTE // scale))
    services = []
    for name, text in APPS.items():
        (project / name).mkdir()
        head, tail = f"# {name}\nFROM {ROOT}\n", f"# Application.\nCOPY {name}/app.bin /app/\n"
        (project / name / "Dockerfile").write_text(head + text + tail)
        write_app(project, name, scale)
        services.append(
            f"  {name}:\n    image: company.example/{name}:1\n"
            f"    build:\n      context: .\n      dockerfile: {name}/Dockerfile\n"
        )
    (project / "compose.yaml").write_text("services:\n" + "".join(services))


def write_app(project: Path, name: str, scale: int) -> None:
    (project / name / "app.bin").write_bytes(os.urandom(SIZES["app"] * MEGABYTE // scale))


def write_root(folder: Path, scale: int, store: Store, version: int) -> None:
    """The vendor's operating system image, pushed."""
    folder.mkdir(exist_ok=True)
    busybox = shutil.which("busybox")
    assert busybox is not None
    shutil.copy(busybox, folder / "busybox")
    (folder / "packages").write_bytes(os.urandom(SIZES["os"] * MEGABYTE // scale))
    (folder / "Dockerfile").write_text(
        "FROM scratch\nCOPY busybox /bin/\nCOPY packages /usr/\n"
        'RUN ["/bin/busybox", "ln", "-s", "busybox", "/bin/sh"]\n'
    )
    name = f"{store.host}/vendor/os:{version}"
    store.run("buildah", "build", "--layers", "--quiet", "--tag", name, str(folder))
    store.push(name)


@dataclass
class Company:
    """A way of building the set: ``builders`` take the apps in turn; ``refactored`` sets have
    bases that the first builder builds and pushes, and the others pull."""

    project: Path
    registry: Registry
    builders: list[Store]
    prefix: str
    refactored: bool = False

    def published(self, app: str) -> str:
        return f"{self.registry.host}/{self.prefix}/{app}:1"

    def bases(self) -> list[tuple[str, str]]:
        """Names and references of bases, each after its own."""
        done = self.builders[0].run(
            *(sys.executable, "-m", "dockstrata", "build", "--builder", "buildah", "--dry-run"),
            folder=self.project,
        )
        references = re.findall(rf"--tag ({re.escape(self.registry.host)}/bases/\S+)", done)
        return [(ref.rpartition("/")[2].partition(":")[0], ref) for ref in references]

    def publish(self, apps: Sequence[str], bases: Sequence[tuple[str, str]] = ()) -> float:
        """Build and push; the seconds that all builders took together, pulls of bases included."""
        start = time.perf_counter()
        first = self.builders[0]
        for name, reference in bases:
            first.build(self.project, name)
            first.push(reference)
        for number, app in enumerate(APPS):
            if app in apps:
                store = self.builders[number % len(self.builders)]
                if store is not first:
                    for _, reference in bases:
                        store.pull(reference)
                store.build(self.project, app)
                store.push(f"company.example/{app}:1", self.published(app))
        return time.perf_counter() - start


def measure(company: Company, scale: int, folder: Path) -> Measured:
    """Everything published, pulled app after app into an empty store, then each level changed."""
    measured, server = Measured(), company.registry
    for store in company.builders:
        store.root(1)
    company.publish(list(APPS), company.bases() if company.refactored else ())
    host = Store(folder / f"{company.prefix}-host", server.host)
    server.pulled()
    for app in APPS:
        start = time.perf_counter()
        host.pull(company.published(app))
        seconds = time.perf_counter() - start
        size, blobs = server.pulled()
        measured.pulls[app] = (size, blobs - 1, seconds)  # one blob is the configuration
    for level in LEVELS:
        measured.changes[level] = change(company, level, scale, host)
        print(f"  {company.prefix}: {level} {measured.changes[level]}", file=sys.stderr)
    for store in (host, *company.builders):
        store.clear()
    return measured


def change(company: Company, level: str, scale: int, host: Store) -> dict[str, float]:
    """Change one level, build what that concerns, pull it where the old images are."""
    project, server = company.project, company.registry
    bases = company.bases() if company.refactored else []
    edited = edit(company, level, scale)
    texts = {name: (project / name / "Dockerfile").read_text() for name in APPS}
    if level == "app":
        apps, again = ["billing"], []
    elif level == "OS":
        apps, again = list(APPS), bases
    else:
        needed = "server-" if level == "middleware" else "runtime-"
        changed = [b for b in bases if needed in base_text(project, b[0])]
        first = bases.index(changed[0]) if changed else len(bases)
        again = bases[first:]
        on = [reference for _, reference in again]
        apps = [n for n, t in texts.items() if needed in t or any(ref in t for ref in on)]
    pushed = server.pushed()
    seconds = company.publish(apps, again)
    moved = server.pushed() - pushed
    server.pulled()
    start = time.perf_counter()
    for app in apps:
        host.pull(company.published(app))
    pull_seconds = time.perf_counter() - start
    return {
        "files edited": edited,
        "images built": len(apps) + len(again),
        "build and push s": round(seconds, 1),
        "pushed MB": moved / MEGABYTE,
        "pulled MB": server.pulled()[0] / MEGABYTE,
        "pull s": round(pull_seconds, 1),
    }


def base_text(project: Path, name: str) -> str:
    return (project / "bases" / name / "Dockerfile").read_text()


def edit(company: Company, level: str, scale: int) -> int:
    """Make the change; the number of Dockerfiles that had to be edited for it."""
    if level == "app":
        write_app(company.project, "billing", scale)
        return 0
    if level == "OS":
        for store in company.builders:
            store.root(2)
        return 0
    count = 0
    change = LEVELS[level]
    assert change is not None
    for path in company.project.rglob("Dockerfile"):
        text = path.read_text()
        if change[0] in text:
            path.write_text(text.replace(*change))
            count += 1
    return count


def tables(results: dict[str, Measured], scale: int) -> str:
    """The results in Markdown; sizes times the scale, so that they compare with real ones."""
    names = list(results)
    lines = [f"Sizes are multiplied by the scale, {scale}. Seconds are not.", ""]
    lines += ["| pull into an empty store | " + " | ".join(names) + " |"]
    lines += ["|---" * (len(names) + 1) + "|"]

    def row(title: str, cell: Callable[[Measured], str]) -> None:
        lines.append(f"| {title} | " + " | ".join(cell(results[n]) for n in names) + " |")

    def pull(app: str) -> Callable[[Measured], str]:
        return lambda m: (
            f"{m.pulls[app][0] * scale / MEGABYTE:,.0f} MB, {m.pulls[app][1]} layers,"
            f" {m.pulls[app][2]:.1f} s"
        )

    for app in APPS:
        row(app, pull(app))
    row(
        "all",
        lambda m: (
            f"{sum(p[0] for p in m.pulls.values()) * scale / MEGABYTE:,.0f} MB,"
            f" {sum(p[1] for p in m.pulls.values())} layers,"
            f" {sum(p[2] for p in m.pulls.values()):.1f} s"
        ),
    )
    lines += ["", "| change of | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]

    def changed(level: str) -> Callable[[Measured], str]:
        def cell(m: Measured) -> str:
            c = m.changes[level]
            return (
                f"{c['files edited']:.0f} files, {c['images built']:.0f} images,"
                f" {c['build and push s']:.1f} s; pushed {c['pushed MB'] * scale:,.0f} MB,"
                f" pulled {c['pulled MB'] * scale:,.0f} MB in {c['pull s']:.1f} s"
            )

        return cell

    for level in LEVELS:
        row(level, changed(level))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scale", type=int, default=40, help="sizes are divided by this")
    parser.add_argument("--json", type=Path, help="write all figures here")
    given = parser.parse_args()
    for program in ("buildah", "docker-registry", "busybox"):
        if shutil.which(program) is None:
            raise SystemExit(f"{program} is not installed")
    results: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory(prefix="dockstrata-pull-") as scratch:
        folder = Path(scratch)
        write_set(folder / "set", given.scale)
        ways = {
            "before, one warm builder": 1,
            "before, two builders": 2,
            "before, a builder for each build": len(APPS),
            "after, two builders": 2,
        }
        for number, (title, count) in enumerate(ways.items()):
            print(title, file=sys.stderr)
            with registry(folder / f"registry-{number}") as server:
                vendor = Store(folder / f"vendor-{number}", server.host)
                for version in (1, 2):
                    write_root(folder / "os", given.scale, vendor, version)
                vendor.clear()
                project = folder / f"set-{number}"
                shutil.copytree(folder / "set", project)
                builders = [
                    Store(folder / f"builder-{number}-{n}", server.host) for n in range(count)
                ]
                after = title.startswith("after")
                company = Company(project, server, builders, f"way{number}", after)
                if after:
                    builders[0].run(
                        *(sys.executable, "-m", "dockstrata", "apply"),
                        *("--registry", f"{server.host}/bases"),
                        folder=project,
                    )
                results[title] = measure(company, given.scale, folder)
            shutil.rmtree(folder / f"registry-{number}", ignore_errors=True)
    print(tables(results, given.scale))
    if given.json:
        record = {name: {"pulls": m.pulls, "changes": m.changes} for name, m in results.items()}
        given.json.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
