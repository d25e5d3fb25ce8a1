"""Holds our reading of bake files against buildx's own (``docker buildx bake --print``).

    python bench/compare_bake.py [PATH...] [--generate N] [--seed S] [--keep FOLDER]

Every bake file below PATH, and N generated folders. As bake reads them: the files with the usual
names of one folder together, with the compose file beside them; any other file alone, or over the
usual ones where it inherits from them: then its own targets count.

Equal means: buildx refuses a file, and we report a problem of it; or buildx takes it, we report
none but values that the environment decides, and the targets that build a Dockerfile that is there
are the same, those of a matrix and of groups too, each with equal context, Dockerfile, target,
arguments, named contexts, platforms, tags (those that are image names), secrets and ssh agents. A
target may be missing from ours where it is no more than a pattern for others: it has heirs, and no
group names it. buildx runs in an empty environment. What we say is not known there (arguments
without a default, results of chance or the clock) is equal to anything.

Exit code 1: there are differences. Needs the buildx plugin, no daemon and no network.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bake_generator import write_set
from told_builds import told, without_unknown

from dockstrata.load.bake import bake_builds
from dockstrata.load.bake_file import read_bake
from dockstrata.load.compose import compose_builds
from dockstrata.load.names import is_bake_name, is_compose_name
from dockstrata.load.wiring import Build, Problem, is_remote
from dockstrata.syntax.reference import context_name, parse_reference

USUAL = re.compile(r"docker-bake(\.override)?\.(hcl|json)")
FIELDS = (
    *("context", "dockerfile", "target", "args", "contexts"),
    *("platforms", "tags", "secrets", "ssh"),
)
CHANCE = re.compile(r"\b(?:timestamp|uuidv4|bcrypt|homedir|rsadecrypt)\(|BAKE_LOCAL_PLATFORM")
EXPLAINED = {
    # Where it looks for a name again that is no variable (a type in convert(), or under try()).
    r"(?:variable|reference) cycle not allowed for": "a name that is no variable, twice",
    r"incorrect list element type": "an empty list of objects for a list of texts",
    r'variable "(?:string|number|bool|any)" does not exist': "a type in convert() as a variable",
    r'function "(?:list|map|set)" does not exist': "a type in convert() as a function",
    r'function "(?:formattimestamp|rfc3339parse|unixtimestampparse)"': "a younger function",
    r"Validation failed": "a validation, which the environment may satisfy",
}


@dataclass(slots=True)
class Answer:
    """What buildx makes of files: ``targets`` as it prints them, the groups, and why
    it refuses all (``refused``) or some of them."""

    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    refused: str = ""
    broken: dict[str, str] = field(default_factory=dict)
    without_secrets: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """Bake files that are read together, and the folder in which buildx runs."""

    folder: str
    files: tuple[str, ...]
    usual: bool

    def options(self) -> list[str]:
        return [] if self.usual else [f"--file={os.path.basename(path)}" for path in self.files]

    def shown(self) -> str:
        return "+".join((os.path.relpath(self.files[0]), *map(os.path.basename, self.files[1:])))


def buildx_program() -> str | None:
    """The buildx plugin, or None."""
    folders = (
        os.path.expanduser("~/.docker/cli-plugins"),
        *("/usr/local/lib/docker/cli-plugins", "/usr/libexec/docker/cli-plugins"),
        *("/usr/lib/docker/cli-plugins", "/usr/local/libexec/docker/cli-plugins"),
    )
    found = (os.path.join(folder, "docker-buildx") for folder in folders)
    return shutil.which("docker-buildx") or next(filter(os.path.isfile, found), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--generate", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", metavar="FOLDER", help="where the generated sets stay")
    parser.add_argument("--buildx", default=buildx_program() or "docker-buildx")
    options = parser.parse_args()
    scratch = options.keep or tempfile.mkdtemp()
    seeds = range(options.seed, options.seed + options.generate)
    roots = [*options.paths, *(write_set(os.path.join(scratch, str(seed)), seed) for seed in seeds)]
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(lambda root: list(compared(options.buildx, root)), roots):
            for case, lines, seen in found:
                counts += seen
                counts["files that agree" if not lines else "files that differ"] += 1
                if not options.generate:
                    print(f"{'differs' if lines else 'agrees'} {case.shown()}: {dict(seen)}")
                for line in lines:
                    print(f"{case.shown()}: {line}")
    if not options.keep:
        shutil.rmtree(scratch)
    print("\n".join(f"{count:6} {what}" for what, count in counts.items()), file=sys.stderr)
    sys.exit(1 if counts["files that differ"] else 0)


def compared(program: str, root: str) -> Iterator[tuple[Case, list[str], Counter[str]]]:
    """Each case below a folder with its differences, and how many targets were compared."""
    for folder, _, names in sorted(os.walk(root)):
        bake = sorted(name for name in names if is_bake_name(name))
        if not bake:
            continue
        paths = [os.path.join(folder, name) for name in bake]
        compose = [os.path.join(folder, name) for name in sorted(names) if is_compose_name(name)]
        composed, _ = compose_builds(compose)
        builds, problems = bake_builds(paths, composed)
        for case in cases(folder, bake):
            counts: Counter[str] = Counter()
            answer = asked(program, case)
            yield case, list(differences(case, answer, builds, problems, counts)), counts


def cases(folder: str, names: list[str]) -> Iterator[Case]:
    usual = tuple(os.path.join(folder, name) for name in names if USUAL.fullmatch(name))
    if usual:
        yield Case(folder, usual, usual=True)
    for name in names:
        path = os.path.join(folder, name)
        if path not in usual:
            file = read_bake(path, [])
            alone = not usual or file is None or file.is_whole()
            yield Case(folder, (path,) if alone else (*usual, path), usual=False)


def run(program: str, case: Case, *arguments: str) -> tuple[str, str]:
    """What buildx prints and its error message; the latter is empty where it agrees."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "BUILDX_CONFIG": "/nonexistent",
        "SSH_AUTH_SOCK": agent(),
    }
    command = [program, "bake", *case.options(), *arguments]
    done = subprocess.run(
        command, cwd=case.folder, capture_output=True, text=True, env=environment, check=False
    )
    errors = [line for line in done.stderr.splitlines() if not line.startswith("#")]
    return done.stdout, "\n".join(errors) if done.returncode else ""


def agent() -> str:
    """An ssh agent's socket: buildx wants one where ``ssh`` names no key."""
    import socket

    path = os.path.join(tempfile.gettempdir(), f"dockstrata-agent-{os.getuid()}")
    if not os.path.exists(path):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path)
    return path


def asked(program: str, case: Case) -> Answer:
    answer = Answer()
    printed, error = run(program, case, "--print", "*")
    if not error:
        taken(answer, printed)
        return answer
    listed, refused = run(program, case, "--list=type=targets,format=json")
    if refused:
        answer.refused = refused
        return answer
    # The list leaves out what begins with an underscore; files say the name of those.
    known = {entry["name"] for entry in json.loads(listed) or ()}
    names = set(known)
    for path in case.files:
        with open(path, encoding="utf-8") as text:
            names |= set(re.findall(r"\b_[\w-]*", text.read()))
    for name in sorted(names):
        printed, error = run(program, case, "--print", name)
        if error and "failed to stat" in error:
            answer.without_secrets = True
            printed, error = run(program, case, "--set=*.secrets=id=none,env=HOME", "--print", name)
        if not error:
            taken(answer, printed)
        elif name in known or f"failed to find target {name}" not in error:
            answer.broken[name] = error
    return answer


def taken(answer: Answer, printed: str) -> None:
    document = json.loads(printed)
    answer.targets |= document.get("target") or {}
    for name, group in (document.get("group") or {}).items():
        if name != "default":  # which may be what was asked for
            answer.groups[name] = group["targets"]


def differences(
    case: Case,
    answer: Answer,
    builds: list[Build],
    problems: list[Problem],
    counts: Counter[str],
) -> Iterator[str]:
    own = case.files if case.usual else case.files[-1:]
    fine = ("unknown-value", "inline")
    broken = [one for one in problems if one.path in case.files and one.reason not in fine]
    if answer.refused or answer.broken:
        counts["refused by both" if broken else "refused by buildx alone"] += 1
        why = (answer.refused or "; ".join(sorted(set(answer.broken.values())))).splitlines()[-1]
        reason = next((it for pattern, it in EXPLAINED.items() if re.search(pattern, why)), None)
        if not broken and reason:
            counts[f"explained: {reason}"] += 1
        elif not broken:
            yield f"buildx refuses it, we do not: {why}"
    else:
        for problem in broken:
            if problem.path in own:
                yield f"we refuse it, buildx does not: line {problem.line}: {problem.message}"
    if answer.refused:
        return
    unknown = {
        found[1]
        for problem in problems
        if problem.path in own
        and problem.reason == "unknown-value"
        and (found := re.match(r"target '(.+?)'", problem.message))
    }
    files = [file for path in own if (file := read_bake(path, [])) is not None]
    said = {name for file in files for name in file.targets}
    made = {
        name
        for file in files
        for name, blocks in file.targets.items()
        if any("matrix" in block.body for block in blocks)
    }
    # buildx makes a group of the targets of a matrix.
    grouped = {it for name, them in answer.groups.items() if name not in made for it in them}
    composed = any(map(is_compose_name, os.listdir(case.folder)))
    text = "".join(Path(path).read_text("utf-8", "replace") for path in case.files)
    ours = {build.service: as_printed(build) for build in builds if build.origin in own}
    theirs = {
        name: one
        for name, target in answer.targets.items()
        if (one := expected(case, target)) is not None
        and (name in said or name in ours or any(name.startswith(it) for it in made))
    }
    for name in sorted({*ours, *theirs} - answer.broken.keys()):
        if name not in ours:
            if name in unknown:
                counts["targets that the environment decides"] += 1
            elif "inherits" in text and name not in grouped:
                counts["patterns"] += 1
            elif not broken:
                yield f"target {name}: only buildx builds it"
            continue
        if name not in theirs:
            if not broken:
                yield f"target {name}: only we build it"
            continue
        counts["targets"] += 1
        for key in FIELDS:
            one, other = ours[name][key], theirs[name][key]
            if key == "secrets" and answer.without_secrets:
                continue
            one, other = without_unknown(one, other)
            if one == other or (CHANCE.search(text) and within(one, other)):
                continue
            if key == "platforms" and not other and composed:
                counts["explained: the platform on which a service of the compose file runs"] += 1
                continue
            if str(one) == re.sub(r"-0(?![.\d])", "0", str(other)):
                counts["explained: zero below zero"] += 1
                continue
            yield f"target {name}: {key} {one!r}, buildx says {other!r}"


def within(one: Any, other: Any) -> bool:
    return isinstance(one, (list, dict)) and all(it in other for it in one)


def as_printed(build: Build) -> dict[str, Any]:
    return {
        **told(build),
        "tags": list(build.tags),
        "secrets": sorted(
            (one.id, os.path.abspath(one.file) if one.file else "", one.variable)
            for one in build.secrets
        ),
        "ssh": sorted(build.ssh),
    }


def expected(case: Case, target: dict[str, Any]) -> dict[str, Any] | None:
    """What is to be found with us for a target that buildx prints; None: nothing."""
    context = target.get("context", ".").removeprefix("cwd://") or "."
    dockerfile = target.get("dockerfile", "Dockerfile")
    if (
        target.get("dockerfile-inline") is not None
        or is_remote(context)
        or target.get("call", "build") != "build"
    ):
        return None
    specific = "/" in os.path.normpath(os.path.join(context, dockerfile))
    base = os.path.abspath(case.folder)
    while True:
        folder = os.path.normpath(os.path.join(base, context))
        path = os.path.normpath(os.path.join(folder, dockerfile))
        if dockerfile.startswith("cwd://"):
            path = os.path.normpath(os.path.join(base, dockerfile.removeprefix("cwd://")))
        if os.path.isfile(path):
            break
        if not specific or base == "/":
            return None
        base = os.path.dirname(base)

    def below(place: str) -> str:
        return os.path.normpath(os.path.join(base, place))

    return {
        "context": folder,
        "dockerfile": path,
        "target": target.get("target") or None,
        # Bake escapes what would begin a template again.
        "args": {key: plain(value) for key, value in target.get("args", {}).items()},
        "contexts": {
            name: value
            if is_remote(value) and not value.startswith("cwd://")
            else below(value.removeprefix("cwd://"))
            for name, value in target.get("contexts", {}).items()
            if name == context_name(name)  # BuildKit asks for no other
        },
        "platforms": [it for it in target.get("platforms", []) if it not in ("", "local")],
        "tags": [it for it in target.get("tags", []) if parse_reference(it).valid],
        "secrets": sorted(
            (
                one["id"],
                below(one["src"]) if one.get("src") and one.get("type") != "env" else "",
                one.get("env") or (one.get("src", "") if one.get("type") == "env" else ""),
            )
            for one in target.get("secret", [])
        ),
        "ssh": sorted(
            "=".join(filter(None, (one.get("id"), ",".join(one.get("paths") or ()))))
            for one in target.get("ssh", [])
        ),
    }


def plain(value: str) -> str:
    return value.replace("$${", "${").replace("%%{", "%{")


if __name__ == "__main__":
    main()
