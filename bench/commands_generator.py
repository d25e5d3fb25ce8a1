"""Random Dockerfiles full of commands: package managers, downloads, users, and shell around them.

Written for what hadolint and ShellCheck look at. Reproducible by seed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

from command_words import (
    APK_OPTIONS,
    APT_OPTIONS,
    GEM,
    GO,
    IMAGES,
    NPM,
    PACKAGES,
    PIP,
    PIP_OPTIONS,
    REMOVALS,
    SHELL,
    YUM_OPTIONS,
    ZYPPER_OPTIONS,
)


def for_commands(random: Random) -> str:
    """One Dockerfile with commands."""
    lines = []
    if random.random() < 0.05:
        lines.append(random.choice(("# hadolint global ignore=DL3008", "# hadolint shell=bash")))
    lines += ["ARG BASE=debian:12"] if random.random() < 0.3 else []
    for number in range(random.choice((1, 1, 1, 2, 3))):
        name = f" AS s{number}" if random.random() < 0.6 else ""
        image = "s0" if number and random.random() < 0.15 else random.choice(IMAGES)
        lines.append(f"FROM {image}{name}")
        for _ in range(random.choice((1, 2, 3, 5))):
            if random.random() < 0.08:
                lines.append(
                    f"# hadolint ignore={random.choice(('DL3008', 'SC2086,DL4006', 'DL3003'))}"
                )
            line = run(random) if random.random() < 0.7 else random.choice(_OTHERS)
            if line is _USER:
                line = f"USER {random.choice(('root', 'app', '0', '1000', '$U', 'app:app', '0:0'))}"
            lines.append(f"ONBUILD {line}" if random.random() < 0.04 else line)
    return "\n".join(lines) + "\n"


_USER = "USER"
_OTHERS = (
    *(_USER, _USER, 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]', 'SHELL ["/bin/sh", "-e", "-c"]'),
    *(
        "WORKDIR /app",
        "WORKDIR app",
        "ENV A=1 B=$A",
        "ENV VIM_VERSION=9 V=1",
        "ARG PKGS",
        "ARG A=x",
    ),
    *(
        "COPY a b",
        "COPY a b /c",
        "COPY a b c/",
        "ADD a.txt /a",
        "ADD a.tar.gz /a",
        "ADD https://x.example/a /",
    ),
    *(
        "COPY --from=s0 /a /b",
        "COPY --from=nope /a /b",
        "CMD a b",
        'CMD ["a"]',
        "ENTRYPOINT a",
        "CMD a",
    ),
    *(
        "LABEL a=b",
        'LABEL a=""',
        "EXPOSE 80",
        "EXPOSE 99999",
        "HEALTHCHECK CMD x",
        "HEALTHCHECK NONE",
    ),
    *(
        "MAINTAINER me",
        "RUN --network=none make",
        "VOLUME /x",
        "COPY x.tar.gz /y",
        "STOPSIGNAL SIGTERM",
    ),
    *(
        'SHELL ["/bin/ash", "-o", "pipefail", "-c"]',
        "ENV PATH=$PATH:/x",
    ),
    *(
        'ENTRYPOINT ["a"]',
        "ENV B=2 C=${B}",
        "ARG UID=1000",
        "COPY . .",
        "ARG API_KEY",
        "ENV DB_PASSWORD=x",
    ),
)


def run(random: Random) -> str:
    """A RUN in one of its forms."""
    form = random.random()
    mount = random.choice(_MOUNTS) + " " if random.random() < 0.1 else ""
    if form < 0.05:
        return f"RUN {mount}" + json.dumps(random.choice(_SIMPLE)(random).split())
    if form < 0.08:
        return f"RUN {mount}" + json.dumps(["bash", "-c", script(random)])
    if form < 0.15:
        body = "\n".join(command(random, 0) for _ in range(random.randint(1, 4)))
        return f"RUN {mount}<<{random.choice(('EOF', '-EOF'))}\n{body}\nEOF"
    return f"RUN {mount}{_broken(random, script(random))}"


_MOUNTS = (
    *("--mount=type=cache,target=/var/cache/apt", "--mount=type=cache,target=/root/.cache/pip"),
    *("--mount=type=cache,target=/var/lib/apt/lists", "--mount=type=tmpfs,target=/var/lib/apt"),
    *("--mount=type=cache,target=/root/.cache", "--mount=type=bind,target=/x --mount=type=ssh"),
    *("--mount=type=cache,target=/var/cache/yum", "--mount=type=cache,target=/var/cache/apk"),
    *(
        "--mount=type=cache,target=/var/cache/dnf",
        "--mount=type=cache,target=/usr/local/share/.cache/yarn",
    ),
    *("--network=host", "--security=insecure"),
)


def script(random: Random) -> str:
    parts = [command(random, 0)]
    for _ in range(random.choice((0, 0, 1, 1, 2, 4))):
        joint = random.choice((" && ", " && ", " && ", "; ", " || ", " | ", "  &&  ", " ; ", "&&"))
        parts += (joint, command(random, 0))
    return "".join(parts)


def command(random: Random, depth: int) -> str:
    """One command, perhaps with others inside."""
    kind = random.random()
    if depth < 2 and kind < 0.12:
        inner, other = command(random, depth + 1), command(random, depth + 1)
        return random.choice(
            (
                f"({inner} && {other})",
                f"{{ {inner}; {other}; }}",
                f"if {inner}; then {other}; fi",
                f"for p in a b; do {inner}; done",
                f"while {inner}; do {other}; done",
                f"case $A in x) {inner} ;; *) {other} ;; esac",
                f"x=$({inner})",
                f"! {inner}",
                f'if [ -n "$A" ]; then {inner}; else {other}; fi',
                f"time {inner}",
                f'echo "$({inner})"',
                f"f() {{ {inner}; }}; f",
            )
        )
    text = random.choice(_SIMPLE)(random)
    if random.random() < 0.07:
        text = random.choice(_PREFIXES) + text
    if random.random() < 0.07:
        text += random.choice((" > /dev/null", " 2>&1", " >/dev/null 2>&1", " < a", " >> $LOG"))
    return text


_PREFIXES = (
    *("DEBIAN_FRONTEND=noninteractive ", "sudo ", "env A=b ", "exec ", "sudo -E ", "A=b C=d "),
    *("/usr/bin/", "nice ", "xargs ", "eatmydata ", "time -p ", "command ", "PIP_NO_CACHE_DIR=1 "),
)


def _some(random: Random, words: Sequence[str], most: int) -> list[str]:
    return [random.choice(words) for _ in range(random.randint(0, most))]


def _apt(random: Random) -> str:
    verb = random.choice(
        ("install",) * 6 + ("update", "update", "upgrade", "remove", "clean", "source")
    )
    before, after = _some(random, APT_OPTIONS, 2), _some(random, APT_OPTIONS, 1)
    packages = []
    if verb in ("install", "remove", "source"):
        packages = [random.choice(PACKAGES), *_some(random, PACKAGES, 2)]
    tool = random.choice(("apt-get",) * 6 + ("apt", "aptitude"))
    words = [tool, *before, verb, *packages[:1], *after, *packages[1:]]
    line = " ".join(words)
    return f"apt-get update && {line}" if random.random() < 0.4 else line


def _system(random: Random) -> str:
    tool, options, verbs = random.choice(_SYSTEM)
    verb = random.choice(verbs)
    words = [tool, *_some(random, options, 2), verb, *_some(random, options, 1)]
    return " ".join((*words, random.choice(PACKAGES), *_some(random, PACKAGES, 2)))


_SYSTEM = (
    ("apk", APK_OPTIONS, ("add", "add", "add", "update", "del", "upgrade", "fetch")),
    ("apk", APK_OPTIONS, ("add",)),
    ("yum", YUM_OPTIONS, ("install", "install", "update", "groupinstall", "localinstall")),
    ("dnf", YUM_OPTIONS, ("install", "install", "module install", "upgrade", "groupinstall")),
    ("microdnf", YUM_OPTIONS, ("install", "update")),
    ("zypper", ZYPPER_OPTIONS, ("install", "in", "update", "refresh", "remove", "patch")),
    ("tdnf", YUM_OPTIONS, ("install",)),
)


def _language(random: Random) -> str:
    tool, options, packages = random.choice(
        (
            ("pip install", PIP_OPTIONS, PIP),
            ("pip3 install", PIP_OPTIONS, PIP),
            ("python -m pip install", PIP_OPTIONS, PIP),
            ("python3 -m pip install", PIP_OPTIONS, PIP),
            ("pip3.11 install", PIP_OPTIONS, PIP),
            ("pip --no-cache-dir install", PIP_OPTIONS, PIP),
            ("pip download", PIP_OPTIONS, PIP),
            ("uv pip install", PIP_OPTIONS, PIP),
            ("pipx install", PIP_OPTIONS, PIP),
            (
                "npm install",
                ("-g", "--save", "--production", "--prefix /x", "--loglevel=error"),
                NPM,
            ),
            ("npm i", ("-g", "--quiet"), NPM),
            ("npm ci", ("--only=production",), ()),
            ("gem install", ("--no-document", "-N", "--source u", "-i x"), GEM),
            ("go install", ("-v", "-ldflags='-s -w'", "-tags x"), GO),
            ("go get", ("-u", "-d", "-v"), GO),
            ("go run", ("-mod=mod",), GO),
        )
    )
    return " ".join(
        (tool, *_some(random, options, 2), *_some(random, packages or ("",), 2))
    ).strip()


def _removal(random: Random) -> str:
    return random.choice(REMOVALS)


def _shell(random: Random) -> str:
    return random.choice(SHELL)


_SIMPLE = (
    _apt,
    _apt,
    _apt,
    _system,
    _system,
    _language,
    _language,
    _removal,
    _shell,
    _shell,
    _shell,
)


def _broken(random: Random, text: str) -> str:
    """``text`` with some blanks made line breaks, comments between."""
    if random.random() < 0.7:
        return text
    words = text.split(" ")
    out = words[0]
    for word in words[1:]:
        if random.random() < 0.2 and word not in ("", "#"):
            comment = random.choice(("", "", "", "", "# why\n", "    # why not\n", "\n"))
            out += f" \\\n{comment}    {word}"
        else:
            out += f" {word}"
    return out
